"""The judgement of a dealer's stock in sentences, in the reader's language and in numbers."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from crm.lib import formats
from crm.lib.text import Text
from orders.models import StockRules
from orders.stock.ageing import Age, Deadline
from orders.stock.judging import Judgement
from orders.stock.movements import Finding, Overtaken, Problem

AGES: dict[Age, Text] = {
    Age.FRESH: gettext_lazy("up to 90 days"),
    Age.HALF: gettext_lazy("91–180 days"),
    Age.YEAR: gettext_lazy("181–365 days"),
    Age.OLDER: gettext_lazy("over a year"),
    Age.UNKNOWN: pgettext_lazy("age of a batch", "unknown"),
}


def amount(value: Decimal | float, places: int = 1) -> str:
    """A quantity as people read it: rounded, without trailing zeros."""
    exact = Decimal(value)
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{abs(rounded):,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{formats.MINUS}{text}" if rounded < 0 else text


def why_impossible(finding: Finding) -> str:
    """Why a result cannot be right, and what may lie behind it."""
    facts = finding.facts
    numbers = {
        name: amount(value, 3) for name, value in facts.items() if isinstance(value, Decimal)
    }
    words = {**facts, **numbers}
    if finding.problem == Problem.NEGATIVE:
        return (
            _(
                "%(opening)s counted + %(sell_in)s delivered + %(adjusted)s adjusted − "
                "%(closing)s counted = %(derived)s sold. More is there than came: a count is "
                "wrong, a delivery is missing, or an order was still on its way at the first count."
            )
            % words
        )
    if finding.problem == Problem.OVERSOLD:
        return (
            _(
                "%(reported)s reported as sold, but only %(available)s there: %(opening)s "
                "counted + %(sell_in)s delivered + %(adjusted)s adjusted."
            )
            % words
        )
    if finding.problem == Problem.GREW:
        return (
            _("Batch %(batch)s grew from %(opening)s to %(closing)s, though only %(came)s came.")
            % words
        )
    if finding.problem == Problem.FOREIGN:
        return (
            _(
                "%(quantity)s of batch %(batch)s counted, which was never delivered to this "
                "dealer: it may come out of another territory."
            )
            % words
        )
    return _("Two counts of the same moment say %(first)s and %(second)s.") % words


def why_order(found: Judgement, rules: StockRules, unit: str) -> list[str]:
    """Why so much is suggested, or why nothing can be: one sentence for each step."""
    demand, plan = found.demand, found.plan
    if demand is None:
        return [_("Demand is unknown: it takes two counts in %(days)d days.") % {
            "days": rules.demand_days
        }]  # fmt: skip
    said = [
        ngettext(
            "Demand %(per_day)s a day, from %(n)d interval of %(days)s days.",
            "Demand %(per_day)s a day, from %(n)d intervals of %(days)s days together.",
            demand.pieces,
        )
        % {
            "per_day": amount(demand.per_day, 2),
            "n": demand.pieces,
            "days": amount(demand.days, 0),
        }
    ]
    if plan is None:
        return [
            *said,
            _("How much it varies is not known yet: a suggestion takes a third count."),
        ]
    assert demand.deviation is not None
    said.append(
        _(
            "Safety stock %(safety)s: %(z)s × √(%(lead)d days × %(deviation)s² + %(per_day)s² × "
            "%(spread)d²), for %(level)s %%."
        )
        % {
            "safety": amount(plan.safety),
            "z": amount(plan.z, 2),
            "lead": rules.lead_days,
            "deviation": amount(demand.deviation, 2),
            "per_day": amount(demand.per_day, 2),
            "spread": rules.lead_spread_days,
            "level": amount(Decimal(rules.service_level), 2),
        }
    )
    said.append(
        _("Order at %(point)s: %(lead)d days of demand and the safety stock.")
        % {"point": amount(plan.reorder_point), "lead": rules.lead_days}
    )
    numbers = {
        "there": amount(found.expected),
        "way": amount(found.on_the_way),
        "sum": amount(max(found.expected, Decimal(0)) + found.on_the_way),
        "point": amount(plan.reorder_point),
        "target": amount(plan.target),
        "days": rules.lead_days + rules.review_days,
        "order": amount(plan.suggestion, 0),
        "unit": unit,
    }
    if plan.is_due:
        said.append(
            _(
                "%(there)s expected + %(way)s on the way = %(sum)s: not above that. Filled up to "
                "%(target)s (%(days)d days and the safety stock): order %(order)s %(unit)s."
            )
            % numbers
        )
    else:
        said.append(
            _("%(there)s expected + %(way)s on the way = %(sum)s: nothing to order yet.") % numbers
        )
    return said


def why_overtaken(one: Overtaken) -> str:
    """Which batch should have gone first."""
    return _(
        "%(gone)s of batch %(newer)s (%(newer_on)s) left, while %(left)s of the older %(older)s "
        "(%(older_on)s) stayed."
    ) % {
        "gone": amount(one.gone, 3),
        "newer": one.newer,
        "newer_on": one.newer_on.isoformat(),
        "left": amount(one.left, 3),
        "older": one.older,
        "older_on": one.older_on.isoformat(),
    }


def countdown(apply_by: date, today: date) -> str:
    """How long an exchange can still be applied for."""
    left = (apply_by - today).days
    if left < 0:
        return ngettext("passed %(n)d day ago", "passed %(n)d days ago", -left) % {"n": -left}
    if left == 0:
        return _("last day today")
    return ngettext("%(n)d day left", "%(n)d days left", left) % {"n": left}


def tone(apply_by: date, today: date) -> str:
    """The tone of a deadline: bad once it passed, warn soon before it."""
    one = Deadline("", apply_by, apply_by)
    if one.days_left(today) < 0:
        return "bad"
    return "warn" if one.is_soon(today) else ""
