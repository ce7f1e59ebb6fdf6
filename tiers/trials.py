"""What a trial run would change for the customers of one scope: tiers, who moves, visits (P13)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Subquery, Sum, When

from accounts.models import User
from crm.lib.days import day_bounds
from crm.lib.text import Text, field_label
from customers.models import CustomerQuerySet, Loyalty
from orders.models import Order
from tiers import report, workload
from tiers.models import LADDER, TierChange, TierChangeQuerySet, TierRun
from tiers.tiering import window
from tiers.workload import Load, Tier


@dataclass(frozen=True, slots=True)
class Share:
    """One owner's line: None owns what nobody owns."""

    owner: User | None
    load: Load


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the tiers stand, and how they would; `affected` is the net amount of who would move."""

    now: dict[Tier, int]
    then: dict[Tier, int]
    migration: report.Migration
    affected: Decimal
    shares: list[Share]
    load: Load

    @property
    def moved(self) -> int:
        """How many would move, whether or not a run had seen them before."""
        return self.load.moved

    @property
    def tiles(self) -> list[dict[str, Any]]:
        return [
            {
                "tier": tier,
                "now": self.now.get(tier, 0),
                "then": self.then.get(tier, 0),
                "change": self.then.get(tier, 0) - self.now.get(tier, 0),
            }
            for tier in LADDER
        ]


def standing_at(run: TierRun, customers: CustomerQuerySet) -> CustomerQuerySet:
    """`customers` that were on file when `run` ended, with the tier that they had then."""
    known = customers.filter(created_at__lte=run.finished_at)
    assert run.finished_at is not None
    later = TierChange.objects.decisive().own().after(run.finished_at)
    if not later.exists():
        return known.annotate(tier=F("abc"))
    later = later.filter(customer=OuterRef("pk"))
    first = Subquery(later.values("from_tier")[:1])
    return known.annotate(tier=Case(When(Exists(later), then=first), default="abc"))


def newer_than(run: TierRun) -> TierRun | None:
    """The run that has decided since `run` ended, if one has."""
    return TierRun.objects.decisive().filter(finished_at__gt=run.finished_at).first()


def compare(run: TierRun, customers: CustomerQuerySet, changes: TierChangeQuerySet) -> Comparison:
    """What `run` (a finished trial) would change for `customers`; `changes` are its moves there."""
    standing: Any = standing_at(run, customers).order_by()
    standings = list(standing.values_list("owner", "tier").annotate(n=Count("pk")))
    counted: Any = changes.order_by()
    moves = list(
        counted.values_list("customer__owner", "from_tier", "to_tier").annotate(n=Count("pk"))
    )
    now: dict[Tier, int] = {}
    for _owner, tier, number in standings:
        now[tier] = now.get(tier, 0) + number
    then = dict(now)
    for _owner, start, end, number in moves:
        then[start] = then.get(start, 0) - number
        then[end] = then.get(end, 0) + number
    loads = workload.loads(standings, moves, workload.cadences())
    people = User.objects.in_bulk([owner for owner in loads if owner])
    shares = [Share(people.get(owner) if owner else None, load) for owner, load in loads.items()]
    tallies = {tier: report.Tally(customers=number) for tier, number in then.items()}
    return Comparison(
        now=now,
        then=then,
        migration=report.migration(tallies, changes),
        affected=counted.aggregate(total=Sum("net_amount"))["total"] or Decimal(0),
        shares=sorted(shares, key=_most_changed),
        load=workload.total(loads.values()),
    )


def _most_changed(share: Share) -> tuple[Any, ...]:
    name = share.owner.display_name if share.owner else ""
    return -abs(share.load.change), -share.load.moved, share.owner is None, name


def beside(run: TierRun, base: TierRun | None) -> list[tuple[Text, int | None, int]]:
    """What the whole company's trial says beside the tiers: label, by `base` (None: unknown), then.

    Numbers of customers by loyalty class, proposed as key accounts, and with a downgrade held.
    """
    before = base.loyalty_counts if base else {}
    found: list[tuple[Text, int | None, int]] = [
        (label, before.get(value), run.loyalty_counts.get(value, 0))
        for value, label in Loyalty.choices
        if run.loyalty_counts
    ]
    for name in ("proposed", "held"):
        now = getattr(base, name) if base and base.loyalty_counts else None
        found.append((field_label(TierRun, name), now, getattr(run, name)))
    return found


def visits(number: Fraction) -> Decimal:
    """Visits a month with one decimal, a half rounded away from nothing."""
    exact = Decimal(number.numerator) / Decimal(number.denominator)
    return exact.quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Caveats:
    """Why the moves of a trial may not be the policy's alone."""

    #: The run that the trial stands beside, and one that has decided since.
    base: TierRun | None
    newer: TierRun | None
    #: The trial looks at another day than that run.
    other_day: bool
    #: Orders of the window that came in or changed between that run and the trial.
    orders_moved: bool

    def __bool__(self) -> bool:
        return self.base is None or bool(self.newer) or self.other_day or self.orders_moved


def caveats(run: TierRun) -> Caveats:
    """What has moved on beside the policy, between the last run that decided and this trial."""
    base = TierRun.objects.before(run).select_related("policy").first()
    moved = False
    if base is not None:
        start, end = day_bounds(*window(run.as_of, run.policy.window_months))
        moved = Order.objects.filter(
            updated_at__gt=base.finished_at,
            updated_at__lte=run.finished_at,
            ordered_at__gte=start,
            ordered_at__lt=end,
        ).exists()
    return Caveats(
        base=base,
        newer=newer_than(run),
        other_day=base is not None and base.as_of != run.as_of,
        orders_moved=moved,
    )
