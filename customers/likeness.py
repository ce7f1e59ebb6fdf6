"""How far two files look like one company, judged from their keys alone (P5)."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from customers.keys import NameParts, place_codes, trade_free
from customers.names import spelled

#: From this score on a pair of files stands on the worklist,
LISTED = 60
#: and from this one a person who makes a new file is told.
HINT = 50
#: A phone that more files than this share is an agent's or a head office's.
FEW = 3


class Reason(StrEnum):
    """Why two files look alike, as kept with the pair."""

    NAME = "name"
    SOUND = "sound"
    TYPO = "typo"
    PLACE = "place"
    PHONE = "phone"
    ADDRESS = "address"
    STREET = "street"
    TAX_ID = "tax_id"


class Traits(NamedTuple):
    """What of a file is compared: keys as in customers/keys.py, and the code of its division."""

    pk: int
    name: NameParts
    phone: str
    address: str
    tax_id: str
    division: str


class Verdict(NamedTuple):
    """0–100, and what speaks for it, the strongest first."""

    score: int
    reasons: tuple[Reason, ...]


NOTHING = Verdict(0, ())


def judge(one: Traits, other: Traits, *, sharing_phone: int = 2) -> Verdict:
    """How surely the two are one company. `sharing_phone` files have the phone that they share.

    Two outlets of one chain are two customers. A phone, an address or a place alone says nothing:
    agents and market halls have many. Only a tax number speaks for itself.
    """
    if one.name.branch != other.name.branch and one.name.branch and other.name.branch:
        return NOTHING
    reasons: list[Reason] = []
    score = _names(one.name, other.name, reasons)
    if not score and not (one.tax_id and one.tax_id == other.tax_id):
        return NOTHING
    score += _evidence(one, other, sharing_phone, reasons)
    score += _places(one, other, reasons)
    if one.name.branch != other.name.branch:
        score -= 15  # an outlet, or the owner's name, on one side only
    return Verdict(max(0, min(100, score)), tuple(reasons))


def _names(one: NameParts, other: NameParts, reasons: list[Reason]) -> int:
    a, b = one.core, other.core
    if not a or not b:
        return 0
    if a == b:
        reasons.append(Reason.NAME)
        return 60 if len(a) > 4 else 55
    shorter = min(len(a), len(b))
    # One slip leaves no more out than one character.
    known_anyway = own_weight(a) + own_weight(b) >= 2 * TELLING - 1
    if shorter >= 3 and sound(a) == sound(b):
        reasons.append(Reason.SOUND)
        return 60 if known_anyway else 40
    if shorter >= 4 and one_slip(a, b):
        reasons.append(Reason.TYPO)
        if known_anyway:
            return 60
        # 恒信粮油 and 恒泰粮油 are two shops: of a name of two characters one is half of it.
        own = min(len(trade_free(a)), len(trade_free(b)))
        same_length = len(a) == len(b) and sorted(a) != sorted(b)
        return 25 if same_length and own <= 2 else 35
    return 0


#: Own characters of a name of which one may be wrong and it still is that name. Letters of an
#: alphabet say less: two count as one character.
TELLING = 4
#: Names up to here are compared less each character: hardly any is longer.
LONGEST = 24
#: Characters that tell one of several from the others: 第一中学 and 第二中学, 城东店 and 城西店.
_CONTRASTS = ("零一二三四五六七八九十甲乙丙丁", "东南西北中", "上下前后左右内外", "大小新老")


def own_weight(core: str) -> float:
    """How much of a name is the firm's own: 2 for 越州副食品, 4 for 越恒鸿永副食品."""
    return sum(0.5 if one.isascii() else 1 for one in trade_free(core))


def slips(core: str) -> list[str]:
    """What two names share that one slip sets apart: either itself or less one character; of
    very long ones the half that the slip is not in."""
    found: list[str] = []
    if len(core) <= LONGEST:
        found += {core, *(core[:at] + core[at + 1 :] for at in range(len(core)))}
    if len(core) >= LONGEST:
        found += [f"{core[: LONGEST // 2]}…", f"…{core[-LONGEST // 2 :]}"]
    return found


def one_slip(a: str, b: str) -> bool:
    """Whether one character is wrong, missing or too many, or two neighbours changed places."""
    if len(a) > len(b):
        a, b = b, a
    if len(b) - len(a) > 1:
        return False
    at = next((n for n in range(len(a)) if a[n] != b[n]), len(a))
    if any(one.isdecimal() for one in a[at : at + 1] + b[at : at + 1]):
        return False  # 1号店 and 2号店; a slip in a number makes another number
    if len(a) == len(b) and any(a[at] in some and b[at] in some for some in _CONTRASTS if a != b):
        return False
    if len(a) < len(b):
        return a[at:] == b[at + 1 :]
    if a[at + 1 :] == b[at + 1 :]:
        return at < len(a)
    return a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]


def _evidence(one: Traits, other: Traits, sharing_phone: int, reasons: list[Reason]) -> int:
    score = 0
    if one.tax_id and other.tax_id:
        if one.tax_id == other.tax_id:
            reasons.append(Reason.TAX_ID)
            score += 60
        else:
            score -= 40
    if one.phone and other.phone:
        if one.phone == other.phone:
            reasons.append(Reason.PHONE)
            score += 35 if sharing_phone <= FEW else 10
        else:
            score -= 10
    if one.address and other.address:
        if far_apart(one.division, other.division):
            score -= 10
        elif one.address == other.address:
            reasons.append(Reason.ADDRESS)
            score += 30
        elif street(one.address) and street(one.address) == street(other.address):
            reasons.append(Reason.STREET)
            score += 15
        else:
            score -= 10
    return score


def street(address: str) -> str:
    """The road or village with its first number: 解放北路|123; "" without a number."""
    road, sign, numbers = address.partition("|")
    return f"{road}|{numbers.split('-')[0]}" if sign else ""


def far_apart(one: str, other: str) -> bool:
    """Whether two division codes lie in different cities."""
    size = min(4, len(one.rstrip("0")), len(other.rstrip("0")))
    return one[:size] != other[:size]


def _places(one: Traits, other: Traits, reasons: list[Reason]) -> int:
    """The places in the names decide; where one has none, the division of its file."""
    a, b = one.name.place, other.name.place
    if a and a == b:
        reasons.append(Reason.PLACE)
        return 10
    here, there = _codes(one), _codes(other)
    if not here or not there:
        return 0
    if a and b:
        # 柯桥 lies in 绍兴: perhaps the same, perhaps the shop next to it.
        return -10 if _meet(here, there) else -40
    if all(far_apart(x, y) for x in here for y in there):
        return -20
    if not _meet(here, there) and (a or b):
        return 0
    reasons.append(Reason.PLACE)
    return 10


def _codes(one: Traits) -> tuple[str, ...]:
    return place_codes(one.name.place) or ((one.division,) if one.division else ())


def _meet(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any(a.startswith(b) or b.startswith(a) for a in some for b in others)


def sound(core: str) -> str:
    """How a name is read, character by character: 越州 and 越洲 sound alike."""
    return "".join(map(_read, core))


@lru_cache(maxsize=50_000)
def _read(character: str) -> str:
    return character if character.isascii() else spelled(character)[0] or character
