"""How words that people type find customers, by the index cards."""

from __future__ import annotations

import re

from django.db.models import Q

from customers.names import fold

#: The country of a number typed with it; cards hold Chinese numbers without.
_COUNTRY = re.compile(r"(?<!\S)[+＋]86[\s-]*(?=\d)")
#: Letters that no name holds. With one between all characters and two at the beginning, what two
#: characters or one are looked for by is three characters long: a trigram, which an index serves.
BETWEEN, BEGINNING = "ᚠ", "ᚢᚢ"


def paired(line: str) -> str:
    """A folded line so that pairs of its characters, and its first one, can be looked up."""
    return BEGINNING + BETWEEN.join(line) if line else ""


def fitting(words: str, path: str = "", *, places: bool = False) -> Q:
    """The customers that all of `words` fit; `path` leads to the customer (`customer__`).

    One character fits names and initials that begin with it, two fit those that hold them, three
    and more fit anything on the card, and beside such a word short Latin ones do too (lv cheng).
    Signs stand for themselves. No words fit everybody, nothing but brackets and quotes nobody.
    With `places`, words of two characters and more fit the address and its areas too; a number
    alone is a phone or a number in the ERP, not that of a house.
    """
    typed = _COUNTRY.sub("", words).split()
    folded = list(dict.fromkeys(word for one in typed for word in fold(one).split()))
    if typed and not folded:
        return Q(pk__in=[])
    card = f"{path}card__"
    narrowed = any(len(word) > 2 for word in folded)
    places = places and not all(word.isdecimal() for word in folded)
    fits = Q()
    for word in folded:
        if len(word) > 2 or (narrowed and word.isascii()):
            fit = _anywhere(word, f"{card}text__contains")
        else:
            sought = BETWEEN.join(word) if len(word) == 2 else BEGINNING + word
            fit = Q(**{f"{card}short__contains": sought})
        if places and len(word) > 1:
            fit |= Q(**{f"{card}place__contains": BETWEEN.join(word)})
        fits &= fit
    return fits


def _anywhere(word: str, lookup: str) -> Q:
    fits = Q(**{lookup: word})
    digits = word.replace("-", "")
    if digits != word and len(digits) > 2 and digits.isdecimal():
        fits |= Q(**{lookup: digits})  # cards hold phones without dashes
    return fits
