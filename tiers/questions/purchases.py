"""Who buys, who comes back and who stopped: the questions that orders answer (P48).

Counted are confirmed, shipped and completed orders, each once; returns and cancelled orders are
no purchases.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from statistics import median
from typing import Any

from django.db.models import Count, Exists, F, Min, OuterRef, Q, Window
from django.db.models.functions import Lag, RowNumber, TruncDate
from django.utils import timezone

from customers.models import Customer, CustomerQuerySet
from tiers.questions.slices import Slice


@dataclass(frozen=True, slots=True)
class Purchases:
    """How many customers of a slice did what in its period; see CUSTOMERS for who they are."""

    buyers: int = 0
    once: int = 0
    repeat: int = 0
    silent: int = 0
    newcomers: int = 0
    returned: int = 0
    buyers_before: int = 0
    stayed: int = 0

    @property
    def unreturned(self) -> int:
        """Newcomers without a second order."""
        return self.newcomers - self.returned

    @property
    def dropped(self) -> int:
        """Buyers of the period before that bought nothing in this one."""
        return self.buyers_before - self.stayed

    @property
    def second_purchase_rate(self) -> float | None:
        """Of the newcomers, the share (0–1) with a second order; None where there are none."""
        return share(self.returned, self.newcomers)

    @property
    def staying_rate(self) -> float | None:
        """Of the buyers of the period before, the share (0–1) that bought again."""
        return share(self.stayed, self.buyers_before)


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`, to six places; None of nothing."""
    return round(part / whole, 6) if whole else None


def _facts(of: Slice) -> Any:
    """One row for each customer with a counted order: how often it bought when.

    `ever` up to the end of the period, `now` in it, `prior` in the one before, `earlier` in the
    one before that, and `first`, the moment of the first order ever.
    """
    start = of.period.bounds[0]
    before = of.period.before()
    prior = before.bounds[0]
    earlier = before.before().bounds[0]
    return (
        of.orders()
        .counted()
        .values("customer")
        .annotate(
            ever=Count("pk"),
            now=Count("pk", filter=Q(ordered_at__gte=start)),
            prior=Count("pk", filter=Q(ordered_at__gte=prior, ordered_at__lt=start)),
            earlier=Count("pk", filter=Q(ordered_at__gte=earlier, ordered_at__lt=prior)),
            first=Min("ordered_at"),
        )
    )


def tally(of: Slice) -> tuple[Purchases, Purchases]:
    """The figures of the period and of the period before, from one statement."""
    start = of.period.bounds[0]
    before = of.period.before()
    prior = before.bounds[0]
    silent, silent_before = (p.silent_since(of.silence_days) for p in (of.period, before))
    new, new_before = Q(first__gte=start), Q(first__gte=prior, first__lt=start)
    conditions = {
        # Of a customer with one order the first is the last.
        "buyers": Q(now__gte=1),
        "once": Q(now=1),
        "repeat": Q(now__gte=2),
        "silent": Q(ever=1, first__lt=silent),
        "newcomers": new,
        "returned": new & Q(ever__gte=2),
        "buyers_before": Q(prior__gte=1),
        "stayed": Q(prior__gte=1, now__gte=1),
    }
    earlier = {
        "buyers": Q(prior__gte=1),
        "once": Q(prior=1),
        "repeat": Q(prior__gte=2),
        "silent": Q(ever_before=1, first__lt=silent_before),
        "newcomers": new_before,
        "returned": new_before & Q(ever_before__gte=2),
        "buyers_before": Q(earlier__gte=1),
        "stayed": Q(earlier__gte=1, prior__gte=1),
    }
    counted = {name: Count("customer", filter=said) for name, said in conditions.items()}
    counted |= {f"{name}_then": Count("customer", filter=q) for name, q in earlier.items()}
    found = _facts(of).annotate(ever_before=F("ever") - F("now")).aggregate(**counted)
    return (
        Purchases(**{name: found[name] for name in conditions}),
        Purchases(**{name: found[f"{name}_then"] for name in earlier}),
    )


# --- the customers behind each figure


def _with(of: Slice, said: Q) -> CustomerQuerySet:
    return of.customers.filter(pk__in=_facts(of).filter(said).values("customer"))


def _inside(of: Slice) -> Any:
    """The counted orders of the period."""
    return of.orders().counted().filter(ordered_at__gte=of.period.bounds[0])


def _often(of: Slice, said: Q) -> CustomerQuerySet:
    """Customers that bought in the period; `said` of their `orders` in it."""
    bought = _inside(of).values("customer").annotate(orders=Count("pk")).filter(said)
    return of.customers.filter(pk__in=bought.values("customer"))


def _newcomers(of: Slice, more: Q | None = None) -> CustomerQuerySet:
    """Customers whose first order ever falls in the period; `more` is said of their `orders`.

    Looked for among those who bought in the period, and not among all who ever did.
    """
    everybody = replace(of, customers=Customer.objects.all())
    earlier = everybody.orders(of.period.bounds[0]).counted().filter(customer=OuterRef("pk"))
    return _often(of, more or Q()).exclude(Exists(earlier))


def _silent(of: Slice) -> CustomerQuerySet:
    return _with(of, Q(ever=1, first__lt=of.period.silent_since(of.silence_days)))


def _idle(of: Slice) -> CustomerQuerySet:
    bought = replace(of, customers=Customer.objects.all())
    return of.population().exclude(Exists(_inside(bought).filter(customer=OuterRef("pk"))))


#: By the name of a figure: the customers that it counts.
CUSTOMERS: dict[str, Callable[[Slice], CustomerQuerySet]] = {
    "buyers": lambda of: of.customers.filter(pk__in=_inside(of).values("customer")),
    "idle": _idle,
    "once": lambda of: _often(of, Q(orders=1)),
    "repeat": lambda of: _often(of, Q(orders__gte=2)),
    "silent": _silent,
    "newcomers": _newcomers,
    "returned": lambda of: _newcomers(of, Q(orders__gte=2)),
    "unreturned": lambda of: _newcomers(of, Q(orders=1)),
    "stayed": lambda of: _with(of, Q(prior__gte=1, now__gte=1)),
    "dropped": lambda of: _with(of, Q(prior__gte=1, now=0)),
}


def days_to_second(of: Slice) -> list[int]:
    """Of each newcomer with a second order: the days from the day of the first to that of it."""
    zone = timezone.get_default_timezone()
    line: dict[str, Any] = {
        "partition_by": [F("customer")],
        "order_by": [F("ordered_at").asc(), F("pk").asc()],
    }
    returned = CUSTOMERS["returned"](of).order_by().values("pk")
    seconds: Any = (
        _inside(of)
        .filter(customer__in=returned)
        .annotate(
            on=TruncDate("ordered_at", tzinfo=zone),
            previous=Window(Lag(TruncDate("ordered_at", tzinfo=zone)), **line),
            place=Window(RowNumber(), **line),
        )
        .filter(place=2)
        .values_list("previous", "on")
    )
    pairs: list[tuple[date, date]] = list(seconds)
    return [(second - first).days for first, second in pairs]


def median_days_to_second(of: Slice) -> float | None:
    """Half of the newcomers that came back did so within these days; None where nobody did."""
    days = days_to_second(of)
    return float(median(days)) if days else None


# --- orders that a slice by category cannot see


def orders_without_lines(of: Slice) -> int:
    """How many counted orders of the period have no lines, and so belong to no category."""
    return int(_inside(replace(of, category="")).filter(lines=None).count())
