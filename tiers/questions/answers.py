"""The answers to the eight questions of one slice, each worked out when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.db.models import Count, Sum

from customers.models import CustomerQuerySet
from tiers import churn
from tiers.models import ChurnRun, OutlookQuerySet
from tiers.questions import purchases
from tiers.questions.cohorts import Cohort, cohorts
from tiers.questions.purchases import Purchases, share
from tiers.questions.slices import Slice, never_contacted


def untouched(of: Slice) -> CustomerQuerySet:
    """Customers never contacted up to the end of the period."""
    return never_contacted(of.population(), of.period.bounds[1])


def unseen(of: Slice) -> CustomerQuerySet:
    """Newcomers without a second order whom nobody ever contacted."""
    return never_contacted(purchases.CUSTOMERS["unreturned"](of), of.period.bounds[1])


def last_churn_run() -> ChurnRun | None:
    """The run that says who is leaving; None before the first."""
    return ChurnRun.objects.order_by("-id").first()


def outlooks(of: Slice, run: ChurnRun | None) -> OutlookQuerySet:
    """Who is leaving silently as of today, most value at risk first (see `tiers.churn`)."""
    return churn.leaving(of.population(), run=run, today=of.today)


def leaving(of: Slice) -> CustomerQuerySet:
    found = outlooks(of, last_churn_run())
    return of.customers.filter(pk__in=found.order_by().values("customer"))


#: By the name of a figure: the customers that it counts.
CUSTOMERS = {
    **purchases.CUSTOMERS,
    "untouched": untouched,
    "unseen": unseen,
    "leaving": leaving,
}


@dataclass(frozen=True)
class Answers:
    """The figures of a slice, and those of the period before."""

    of: Slice

    @cached_property
    def customers(self) -> int:
        """How many customers the slice has, buyers or not."""
        return self.of.population().order_by().count()

    @cached_property
    def _tallies(self) -> tuple[Purchases, Purchases]:
        return purchases.tally(self.of)

    @property
    def now(self) -> Purchases:
        return self._tallies[0]

    @property
    def before(self) -> Purchases:
        return self._tallies[1]

    @property
    def idle(self) -> int:
        """Customers of the slice that bought nothing in the period."""
        return self.customers - self.now.buyers

    @cached_property
    def untouched(self) -> int:
        return untouched(self.of).order_by().count()

    @cached_property
    def untouched_before(self) -> int:
        return untouched(self.of.earlier()).order_by().count()

    @cached_property
    def unseen(self) -> int:
        return unseen(self.of).order_by().count()

    @cached_property
    def median_days(self) -> float | None:
        return purchases.median_days_to_second(self.of)

    @cached_property
    def median_days_before(self) -> float | None:
        return purchases.median_days_to_second(self.of.earlier())

    @cached_property
    def churn_run(self) -> ChurnRun | None:
        return last_churn_run()

    @property
    def outlooks(self) -> OutlookQuerySet:
        """Who is leaving silently as of today, most value at risk first."""
        return outlooks(self.of, self.churn_run)

    @cached_property
    def _at_risk(self) -> tuple[int, Decimal]:
        found = self.outlooks.order_by().aggregate(n=Count("pk"), value=Sum("value_at_risk"))
        return found["n"], Decimal(found["value"] or 0)

    @property
    def leaving(self) -> int:
        return self._at_risk[0]

    @property
    def value_at_risk(self) -> Decimal:
        """What the silence of those who are leaving costs in the coming 90 days."""
        return self._at_risk[1]

    @cached_property
    def cohorts(self) -> list[Cohort]:
        return cohorts(self.of)

    @cached_property
    def without_lines(self) -> int:
        """Orders of the period that a slice by category leaves out, whatever they were for."""
        return purchases.orders_without_lines(self.of) if self.of.category else 0

    @property
    def buyers_share(self) -> float | None:
        """The share (0–1) of the customers that bought."""
        return share(self.now.buyers, self.customers)

    @property
    def repeat_share(self) -> float | None:
        """The share (0–1) of the buyers that bought twice or more."""
        return share(self.now.repeat, self.now.buyers)

    @property
    def untouched_share(self) -> float | None:
        return share(self.untouched, self.customers)
