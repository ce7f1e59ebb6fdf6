"""Cohorts: of those who first bought in a month, how many still buy in the months after (P48)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, IntegerField, Value, When
from django.db.models.expressions import Combinable

from crm.lib.charts import heat
from crm.lib.days import day_start
from customers.models import CustomerQuerySet
from tiers.questions.periods import Period
from tiers.questions.purchases import CUSTOMERS, share
from tiers.questions.slices import Slice


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers by the month of their first order, and how many bought in each month since.

    `buying[0]` is that month itself, and so all of them.
    """

    month: date
    buying: list[int]

    @property
    def customers(self) -> int:
        return self.buying[0]

    @property
    def shares(self) -> list[float]:
        """The share (0–1) of the cohort that bought in each month since."""
        return [share(number, self.customers) or 0.0 for number in self.buying]

    @property
    def heats(self) -> list[int]:
        """The step of heat (0–4) of each month."""
        return [heat(number, self.customers) for number in self.buying]


def month_of(of: Slice, month: date) -> Slice:
    """The part of the slice's period that lies in the calendar month beginning with `month`."""
    ends = date(month.year, month.month, monthrange(month.year, month.month)[1])
    period = Period(max(month, of.period.first), min(ends, of.period.last))
    return replace(of, period=period)


def still_buying(of: Slice, month: date, since: int) -> CustomerQuerySet:
    """The customers of a cell: first bought in `month`, and again `since` months later.

    Nobody where either month lies outside of the period.
    """
    index = month.year * 12 + month.month - 1 + since
    later = date(index // 12, index % 12 + 1, 1)
    months = set(of.period.months())
    if not {month, later} <= months:
        return of.customers.none()
    born, bought = month_of(of, month), month_of(of, later)
    orders = bought.orders().counted().filter(ordered_at__gte=bought.period.bounds[0])
    return CUSTOMERS["newcomers"](born).filter(pk__in=orders.values("customer"))


def cohorts(of: Slice) -> list[Cohort]:
    """The cohorts of the months of the period that have any customers, oldest first.

    One statement: every customer's months with a purchase, the first of them, and a count.
    """
    months = list(of.period.months())
    starts = [of.period.bounds[0], *(day_start(month) for month in months[1:])]
    bought: Any = of.orders().counted().annotate(slot=_slot(starts)).distinct()
    try:
        pairs = bought.values_list("customer", "slot")
        statement, values = pairs.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(bought=statement), values)
        numbers = {(cohort, slot): number for cohort, slot, number in cursor.fetchall()}
    return [
        Cohort(month, [numbers.get((cohort, slot), 0) for slot in range(cohort, len(months))])
        for cohort, month in enumerate(months)
        if (cohort, cohort) in numbers
    ]


_COUNT = """
    WITH bought (customer, slot) AS ({bought})
    SELECT cohort, slot, COUNT(*) FROM (
        SELECT slot, MIN(slot) OVER (PARTITION BY customer) AS cohort FROM bought
    ) placed WHERE cohort >= 0 GROUP BY cohort, slot
"""


def _slot(starts: Sequence[datetime], low: int = -1) -> Combinable:
    """Which of the months that begin at `starts` an order falls into, by halving; -1 before all.

    Comparing moments is what both databases are quick at; asking each for its month is not.
    """
    if not starts:
        return Value(low, output_field=IntegerField())
    middle = len(starts) // 2
    return Case(
        When(ordered_at__lt=starts[middle], then=_slot(starts[:middle], low)),
        default=_slot(starts[middle + 1 :], low + middle + 1),
        output_field=IntegerField(),
    )
