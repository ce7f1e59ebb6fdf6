"""How words that people type find customers, by the index cards."""

from __future__ import annotations

import re
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.sql.compiler import SQLCompiler

from customers.names import fold

#: Stands before the first character of a line in the index; no word holds it (0005_search_cards).
MARK = "\x01"
#: The country of a number typed with it; cards hold Chinese numbers without.
_COUNTRY = re.compile(r"(?<!\S)[+＋]86[\s-]*(?=\d)")


@models.TextField.register_lookup
class HoldsGram(models.Lookup):
    """Lines of which one begins with one character, or holds two side by side."""

    lookup_name = "holds_gram"

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        lines, parameters = self.process_lhs(compiler, connection)
        word = self.rhs
        if len(word) == 1:
            return f"instr(char(10) || {lines}, char(10) || %s) > 0", [*parameters, word]
        return f"instr({lines}, %s) > 0", [*parameters, word]

    def as_postgresql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        lines, parameters = self.process_lhs(compiler, connection)
        gram = f"{MARK}{self.rhs}" if len(self.rhs) == 1 else self.rhs
        return f"customers_grams({lines}) @> ARRAY[%s]", [*parameters, gram]


def fitting(words: str, path: str = "") -> Q:
    """The customers that all of `words` fit; `path` leads to the customer (`customer__`).

    One character fits names and initials that begin with it, two fit those that hold them, three
    and more fit anything on the card, and beside such a word short Latin ones do too (lv cheng).
    Signs stand for themselves. No words fit everybody, nothing but brackets and quotes nobody.
    """
    typed = _COUNTRY.sub("", words).split()
    folded = list(dict.fromkeys(word for one in typed for word in fold(one).split()))
    if typed and not folded:
        return Q(pk__in=[])
    card = f"{path}card__"
    narrowed = any(len(word) > 2 for word in folded)
    fits = Q()
    for word in folded:
        if len(word) > 2 or (narrowed and word.isascii()):
            fits &= _anywhere(word, f"{card}text__contains")
        else:
            fits &= Q(**{f"{card}short__holds_gram": word})
    return fits


def _anywhere(word: str, lookup: str) -> Q:
    fits = Q(**{lookup: word})
    digits = word.replace("-", "")
    if digits != word and len(digits) > 2 and digits.isdecimal():
        fits |= Q(**{lookup: digits})  # cards hold phones without dashes
    return fits
