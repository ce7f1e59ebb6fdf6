"""A whole run counted a second time, customer by customer: shares no code with the product.

P8 by amount and margin, within groups; loyalty (P9), key-account score (P10) and potential (P11);
downgrades that wait, and tiers that people set (P12).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.tiers.recount import HOME, window_start

BUYS = {"confirmed", "shipped", "completed"}
ORDER = {"A": 0, "B": 1, "C": 2, None: 3}


@dataclass
class Ware:
    cost: Decimal | None = None
    launched: date | None = None


@dataclass
class Paper:
    """An order: lines are (ware, quantity, price)."""

    firm: str
    at: datetime
    status: str
    amount: Decimal
    lines: list[tuple[str, Decimal, Decimal]] = field(default_factory=list)

    @property
    def day(self) -> date:
        return self.at.astimezone(HOME).date()


@dataclass
class Firm:
    kind: str = "dealer"
    division: str = ""
    buys_a_year: Decimal | None = None
    #: service level, price sensitivity, partnership, urgency, quality; 0–10 or nothing
    rated: tuple[int | None, ...] = (None,) * 5


@dataclass(frozen=True)
class Rules:
    months: int = 12
    a: str = "0.8"
    b: str = "0.95"
    margin: bool = False
    within: str = "company"
    waits: int = 1
    loyal_months: int | None = 8
    wallet: str = "0.3"
    early: int = 2
    days: int = 30
    switcher: int = 3
    keys: Mapping[str, int] = field(default_factory=dict)
    promises: Mapping[str, int] = field(default_factory=dict)
    key_from: int = 70


@dataclass
class Found:
    net: Fraction = Fraction(0)
    orders: int = 0
    last: date | None = None
    margin: Fraction | None = None
    months: set[tuple[int, int]] = field(default_factory=set)
    early: set[str] = field(default_factory=set)
    group: str = ""
    value: Fraction = Fraction(0)
    rank: int | None = None
    ranked: int = 0
    before: Fraction | None = None
    share: Fraction | None = None
    tier: str | None = None
    wallet: int | None = None
    loyalty: str | None = None
    score: int | None = None
    potential: int | None = None


def cents(value: Decimal) -> Fraction:
    """To the cent, half a cent up; all that is rounded here is above zero."""
    exact = Fraction(value) * 100
    return Fraction((2 * exact.numerator + exact.denominator) // (2 * exact.denominator), 100)


def judge(
    firms: Mapping[str, Firm],
    papers: list[Paper],
    wares: Mapping[str, Ware],
    rules: Rules,
    as_of: date,
) -> tuple[dict[str, Found], int]:
    """What the orders say of each firm; and how many orders are not wholly known."""
    start = window_start(as_of, rules.months)
    found = {name: Found(group=group_of(firm, rules)) for name, firm in firms.items()}
    without = 0
    for paper in papers:
        if not start < paper.day <= as_of or paper.status not in BUYS | {"returned"}:
            continue
        one, sign = found[paper.firm], -1 if paper.status == "returned" else 1
        one.net += sign * Fraction(paper.amount)
        margins = [margin_of(line, wares) for line in paper.lines]
        known = [margin for margin in margins if margin is not None]
        without += not margins or len(known) < len(margins)
        if known:
            one.margin = (one.margin or Fraction(0)) + sign * sum(known, Fraction(0))
        if sign > 0:
            one.orders += 1
            one.last = max(one.last or paper.day, paper.day)
            one.months.add((paper.day.year, paper.day.month))
            for ware, _quantity, _price in paper.lines:
                launch = wares[ware].launched
                if launch and 0 <= (paper.day - launch).days <= rules.days and launch <= as_of:
                    one.early.add(ware)
    for one in found.values():
        one.value = (one.margin or Fraction(0)) if rules.margin else one.net
    for group in {one.group for one in found.values()}:
        place(group, found, rules)
    by_net = percentiles({name: one.net for name, one in found.items()})
    by_margin = percentiles(
        {name: one.margin for name, one in found.items() if one.margin is not None}
    )
    for name, one in found.items():
        classify(one, firms[name], rules, by_net[name], by_margin.get(name))
    return found, without


def group_of(firm: Firm, rules: Rules) -> str:
    digits = {"province": 2, "prefecture": 4}
    if rules.within == "kind":
        return firm.kind
    if rules.within in digits:
        return firm.division[: digits[rules.within]] or "-"
    return ""


def margin_of(line: tuple[str, Decimal, Decimal], wares: Mapping[str, Ware]) -> Fraction | None:
    ware, quantity, price = line
    cost = wares[ware].cost
    return None if cost is None else cents(quantity * price) - cents(quantity * cost)


def place(group: str, found: dict[str, Found], rules: Rules) -> None:
    mine = [name for name, one in found.items() if one.group == group]
    line = sorted(
        (n for n in mine if found[n].value > 0), key=lambda n: (-found[n].value, n.encode())
    )
    total = sum((found[n].value for n in line), Fraction(0))
    running = Fraction(0)
    for rank, name in enumerate(line, start=1):
        one = found[name]
        one.rank, one.before = rank, running / total
        running += one.value
        one.share = running / total
        below = one.before
        one.tier = "A" if below < Fraction(rules.a) else "B" if below < Fraction(rules.b) else "C"
    for name in mine:
        found[name].ranked = len(line)


def percentiles(amounts: Mapping[str, Fraction]) -> dict[str, int]:
    line = sorted((n for n in amounts if amounts[n] > 0), key=lambda n: (-amounts[n], n.encode()))
    return dict.fromkeys(amounts, 0) | {
        n: (len(line) - ahead) * 100 // len(line) for ahead, n in enumerate(line)
    }


def classify(one: Found, firm: Firm, rules: Rules, volume: int, earning: int | None) -> None:
    if firm.buys_a_year is not None and firm.buys_a_year > 0:
        whole = Fraction(firm.buys_a_year) * rules.months / 12
        ratio = max(Fraction(0), min(Fraction(1), one.net / whole)) * 10_000
        one.wallet = ratio.numerator // ratio.denominator
    bought = len(one.months)
    if rules.loyal_months is not None and bought:
        regular = bought >= rules.loyal_months and (
            one.wallet is None or one.wallet >= Fraction(rules.wallet) * 10_000
        )
        if regular or len(one.early) >= rules.early:
            one.loyalty = "loyal"
        else:
            one.loyalty = "switcher" if bought >= rules.switcher else "none"
    service, price, partner, urgency, quality = firm.rated
    if bought:
        one.score = mean(
            rules.keys,
            {
                "volume": volume,
                "frequency": min(100, bought * 100 // rules.months),
                "margin": earning,
                "concentration": None if one.wallet is None else one.wallet // 100,
                "loyalty": {"loyal": 100, "switcher": 50, "none": 0, None: None}[one.loyalty],
                "service_level": None if service is None else service * 10,
                "price_sensitivity": None if price is None else (10 - price) * 10,
                "partnership": None if partner is None else partner * 10,
            },
        )
    one.potential = mean(
        rules.promises,
        {
            "urgency": None if urgency is None else urgency * 10,
            "quality": None if quality is None else quality * 10,
            "wallet_open": None if one.wallet is None else (10_000 - one.wallet) // 100,
        },
    )


def mean(weights: Mapping[str, int], parts: Mapping[str, int | None]) -> int | None:
    known = {name: value for name, value in parts.items() if value is not None and weights[name]}
    if not known:
        return None
    return sum(v * weights[n] for n, v in known.items()) // sum(weights[n] for n in known)


# --- what time adds


@dataclass
class Word:
    """A tier that somebody set."""

    tier: str
    first: date
    until: date
    ended: bool = False


@dataclass
class Diary:
    """How one firm stands: what is stored, what is computed, and what waits."""

    stored: str | None = None
    computed: str | None = None
    waited: int = 0
    wait_tier: str | None = None
    since: date | None = None
    counted: date | None = None
    by_hand: bool = False
    #: Whether a run has looked; the class, the score and the line that it was held against then.
    seen: bool = False
    loyalty: str | None = None
    score: int | None = None
    line: int | None = None


@dataclass(frozen=True)
class Move:
    start: str | None
    end: str | None
    cause: str
    after: int


def step(
    diary: Diary, proposed: str | None, word: Word | None, rules: Rules, as_of: date, today: date
) -> Move | None:
    """Let one run look at one firm; the move that it makes."""
    lower = ORDER[proposed] > ORDER[diary.computed]
    later = diary.counted is None or diary.counted < as_of
    runs = 0
    if lower:
        runs = 1 if diary.waited == 0 else diary.waited + (1 if later else 0)
    if 0 < runs < rules.waits:
        if diary.waited == 0:
            diary.since = diary.counted = as_of
        elif later:
            diary.counted = as_of
        diary.waited, diary.wait_tier = runs, proposed
    else:
        diary.computed = proposed
        diary.waited, diary.wait_tier, diary.since, diary.counted = 0, None, None, None
    rules_by_hand = word is not None and not word.ended and word.first <= today <= word.until
    tier = word.tier if word is not None and rules_by_hand else diary.computed
    was, was_by_hand = diary.stored, diary.by_hand
    diary.stored, diary.by_hand = tier, rules_by_hand
    if was == tier:
        return None
    cause = "override" if rules_by_hand else "override_expired" if was_by_hand else "run"
    patient = runs if runs > 1 and not rules_by_hand and rules.waits > 1 else 1
    return Move(was, tier, cause, patient)


@dataclass(frozen=True)
class Turn:
    """What a run tells of a class or a score: before and after."""

    loyalty: tuple[str | None, str | None]
    score: tuple[int | None, int | None]
    line: tuple[int | None, int]


def turn(diary: Diary, one: Found, rules: Rules) -> Turn | None:
    """Let one run class and score one firm; what there is to tell of it."""
    was_over = diary.score is not None and diary.line is not None and diary.score >= diary.line
    over = one.score is not None and one.score >= rules.key_from
    told = diary.loyalty != one.loyalty or (diary.seen and was_over != over)
    found = Turn(
        (diary.loyalty, one.loyalty), (diary.score, one.score), (diary.line, rules.key_from)
    )
    diary.seen, diary.loyalty = True, one.loyalty
    diary.score, diary.line = one.score, rules.key_from
    return found if told else None


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def shortly(counts: Mapping[str | None, int]) -> dict[str, int]:
    tally: dict[str, int] = defaultdict(int)
    for tier, number in counts.items():
        tally[tier or "unranked"] += number
    return {tier: tally[tier] for tier in ("A", "B", "C", "unranked")}
