"""The eight questions in words: a card for each, what it means, and what it decides (P48)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from crm.lib import formats
from crm.lib.text import Text
from tiers.questions.answers import Answers
from tiers.questions.asking import Asked

#: What the customers behind a figure are called.
LISTS: dict[str, Text] = {
    "buyers": gettext_lazy("Bought in the period"),
    "idle": gettext_lazy("Bought nothing in the period"),
    "once": gettext_lazy("Bought once in the period"),
    "repeat": gettext_lazy("Bought twice or more in the period"),
    "silent": gettext_lazy("Bought once ever and stopped"),
    "untouched": gettext_lazy("Never contacted"),
    "newcomers": gettext_lazy("First bought in the period"),
    "returned": gettext_lazy("Newcomers with a second order"),
    "unreturned": gettext_lazy("Newcomers without a second order"),
    "unseen": gettext_lazy("Newcomers without a second order, never contacted"),
    "leaving": gettext_lazy("Leaving silently"),
    "stayed": gettext_lazy("Bought in the period before and again"),
    "dropped": gettext_lazy("Bought in the period before, but not in this one"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A figure that opens its customers."""

    label: str
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Card:
    """One question: its words, its number, what that means, how it moved, and the lists behind."""

    key: str
    place: int
    question: Text
    value: str
    url: str
    meaning: str
    unit: str = ""
    tone: str = ""
    change: str = ""
    change_tone: str = ""
    links: list[Link] = field(default_factory=list)


class Desk:
    """The answers to one question as it was put, in the words and addresses of the page."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.answers = Answers(asked.slice)

    def opens(self, of: str, **more: str) -> str:
        """The address of the customers behind the figure `of`."""
        query = urlencode({"of": of, **more, **self.asked.picked})
        return f"{reverse('tiers:question-customers')}?{query}"

    def link(self, of: str, number: int) -> Link:
        return Link(str(LISTS[of]), number, self.opens(of))

    def card(self, key: str) -> Card:
        return CARDS[key](self)


def told(number: int) -> str:
    return f"{number:,}"


def moved(now: float | None, before: float | None, *, good: str) -> tuple[str, str]:
    """How a number differs from the period before, and whether that is good or bad news."""
    if now is None or before is None:
        return "", ""
    if now == before:
        return _("as before"), ""
    change = Decimal(str(now)) - Decimal(str(before))
    places = 0 if change == change.to_integral() else 1
    way = "up" if change > 0 else "down"
    return formats.signed(change, places), "good" if way == good else "warn"


def moved_points(now: float | None, before: float | None) -> tuple[str, str]:
    """The same for shares, in points of per cent; more is good."""
    if now is None or before is None:
        return "", ""
    points = (Decimal(str(now)) - Decimal(str(before))) * 100
    if not round(points, 1):
        return _("as before"), ""
    words = _("%(n)s points") % {"n": formats.signed(points, 1)}
    return words, "good" if points > 0 else "warn"


# --- the eight cards


def _buyers(desk: Desk) -> Card:
    found = desk.answers
    change, tone = moved(found.now.buyers, found.before.buyers, good="up")
    meaning = _("%(share)s of all %(n)s customers here bought in the period.")
    return Card(
        "buyers", 1, _("How many customers buy?"), told(found.now.buyers), desk.opens("buyers"),
        meaning % {"share": formats.percent(found.buyers_share), "n": told(found.customers)},
        pgettext("unit", "customers"), "", change, tone,
        [desk.link("idle", found.idle)],
    )  # fmt: skip


def _repeat(desk: Desk) -> Card:
    found = desk.answers
    change, tone = moved(found.now.repeat, found.before.repeat, good="up")
    meaning = _("%(share)s of the buyers ordered more than once within the period.")
    return Card(
        "repeat", 2, _("How many bought twice or more?"), told(found.now.repeat),
        desk.opens("repeat"), meaning % {"share": formats.percent(found.repeat_share)},
        pgettext("unit", "customers"), "", change, tone,
        [desk.link("once", found.now.once)],
    )  # fmt: skip


def _silent(desk: Desk) -> Card:
    found, of = desk.answers, desk.asked.slice
    change, tone = moved(found.now.silent, found.before.silent, good="down")
    meaning = ngettext(
        "One order ever, and none in the last %(days)s day up to %(day)s.",
        "One order ever, and none in the last %(days)s days up to %(day)s.",
        of.silence_days,
    )
    words = {"days": of.silence_days, "day": formats.day(of.period.last)}
    return Card(
        "silent", 3, _("How many bought once and stopped?"), told(found.now.silent),
        desk.opens("silent"), meaning % words, pgettext("unit", "customers"),
        "warn" if found.now.silent else "", change, tone,
    )  # fmt: skip


def _untouched(desk: Desk) -> Card:
    found, of = desk.answers, desk.asked.slice
    change, tone = moved(found.untouched, found.untouched_before, good="down")
    meaning = _("%(share)s of the customers: no visit, call, case or message ever up to %(day)s.")
    words = {"share": formats.percent(found.untouched_share), "day": formats.day(of.period.last)}
    return Card(
        "untouched", 4, _("How many were never contacted?"), told(found.untouched),
        desk.opens("untouched"), meaning % words, pgettext("unit", "customers"),
        "warn" if found.untouched else "", change, tone,
    )  # fmt: skip


def _newcomers(desk: Desk) -> Card:
    found = desk.answers
    now = found.now
    change, tone = moved_points(now.second_purchase_rate, found.before.second_purchase_rate)
    if not now.newcomers:
        meaning = _("Nobody bought for the first time in the period.")
    elif found.median_days is None:
        meaning = _("None of the newcomers has a second order yet.")
    else:
        meaning = _("of the newcomers ordered a second time, half of them within %(days)s days.")
        meaning %= {"days": f"{found.median_days:g}"}
    return Card(
        "newcomers", 5, _("Why do newcomers go unseen?"),
        formats.percent(now.second_purchase_rate), desk.opens("returned"), meaning,
        "", "", change, tone,
        [desk.link("newcomers", now.newcomers), desk.link("unreturned", now.unreturned),
         desk.link("unseen", found.unseen)],
    )  # fmt: skip


def _leaving(desk: Desk) -> Card:
    found = desk.answers
    run = found.churn_run
    if run is None:
        value, unit = formats.DASH, ""
        meaning = _("No run has estimated it yet; one starts every night.")
    else:
        value, unit = told(found.leaving), pgettext("unit", "customers")
        meaning = (
            _("Silent longer than usual, as of %(day)s. Margin at risk in 90 days: %(money)s.")
            if run.by_margin
            else _(
                "Silent longer than usual, as of %(day)s. At risk in the coming 90 days: %(money)s."
            )
        )
        meaning %= {
            "day": formats.day(run.as_of),
            "money": formats.money_short(found.value_at_risk),
        }
    return Card(
        "leaving", 6, _("Why do old customers leave silently?"), value, desk.opens("leaving"),
        meaning, unit, "bad" if found.leaving else "",
    )  # fmt: skip


def _loyalty(desk: Desk) -> Card:
    found = desk.answers
    now = found.now
    change, tone = moved_points(now.staying_rate, found.before.staying_rate)
    if now.buyers_before:
        meaning = _("of the %(n)s buyers of the period before bought again in this one.")
        meaning %= {"n": told(now.buyers_before)}
    else:
        meaning = _("Nobody bought in the period before.")
    return Card(
        "loyalty", 7, _("Why does loyalty fall?"), formats.percent(now.staying_rate),
        desk.opens("stayed"), meaning, "", "", change, tone,
        [desk.link("stayed", now.stayed), desk.link("dropped", now.dropped)],
    )  # fmt: skip


def _decisions(desk: Desk) -> Card:
    rows = decisions(desk)
    worse = sum(row.card.change_tone == "warn" for row in rows)
    meaning = ngettext(
        "of %(n)s figure got worse against the period before: look at its decision first.",
        "of %(n)s figures got worse against the period before: look at their decisions first.",
        len(rows),
    )
    return Card(
        "decisions", 8, _("Which decision rests on which figure?"), str(worse), "#h-decisions",
        meaning % {"n": len(rows)}, "", "warn" if worse else "",
    )  # fmt: skip


CARDS: dict[str, Callable[[Desk], Card]] = {
    "buyers": _buyers,
    "repeat": _repeat,
    "silent": _silent,
    "untouched": _untouched,
    "newcomers": _newcomers,
    "leaving": _leaving,
    "loyalty": _loyalty,
    "decisions": _decisions,
}


# --- the eighth question: what each figure decides


@dataclass(frozen=True, slots=True)
class Decision:
    """A figure, the decision that rests on it, and where the product takes it."""

    card: Card
    decides: Text
    where: Text
    url: str


#: By figure: the decision, and the page on which it is taken.
DECIDES: dict[str, tuple[Text, Text, str]] = {
    "buyers": (
        gettext_lazy("Who ranks A, B or C, and the service that goes with it"),
        gettext_lazy("Tier report"),
        "tiers:report",
    ),
    "repeat": (
        gettext_lazy("Where the few large ones are: who gets a relationship manager"),
        gettext_lazy("Pareto curve"),
        "tiers:pareto",
    ),
    "silent": (
        gettext_lazy("Whom to call or visit next"),
        gettext_lazy("Overdue visits"),
        "visits:overdue",
    ),
    "untouched": (
        gettext_lazy("How often each tier is visited"),
        gettext_lazy("Visits"),
        "visits:list",
    ),
    "newcomers": (
        gettext_lazy("When to follow up after a first order, and what to promise"),
        gettext_lazy("Promises"),
        "customers:promises",
    ),
    "leaving": (
        gettext_lazy("Whom to win back first, by value at risk"),
        gettext_lazy("Leaving silently"),
        "tiers:leaving",
    ),
    "loyalty": (
        gettext_lazy("Who counts as loyal, and whom support keeps"),
        gettext_lazy("Tier report"),
        "tiers:report",
    ),
}


def decisions(desk: Desk) -> list[Decision]:
    """The figures above, each with its decision and the page where it is taken."""
    return [
        Decision(desk.card(key), decides, where, reverse(page))
        for key, (decides, where, page) in DECIDES.items()
    ]
