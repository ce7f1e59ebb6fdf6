"""What the tier report shows of one run, for the customers of one scope (P14).

Ranks and tiers are the company's; counts, sums, the curve and the migration are those of the
customers that the reader sees and has picked.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce

from crm.lib.charts import Zone, heat, line_path, per_cent, zones
from crm.lib.days import day_bounds
from customers.models import CustomerQuerySet
from orders.models import Order, OrderStatus
from tiers import history, sql
from tiers.models import LADDER, TierChange, TierChangeQuerySet, TierRun
from tiers.tiering import share_of, window

CURVE_STEPS = 40


@dataclass(frozen=True, slots=True)
class Tally:
    """Customers of one tier, and what those with a net amount above zero bought together."""

    customers: int = 0
    buyers: int = 0
    amount: Decimal = Decimal(0)


def tier_at(run: TierRun, customers: CustomerQuerySet) -> CustomerQuerySet:
    """`customers` as `run` left them: `tier`, and `amount`, the net amount of its window.

    Where nothing was decided since, both are what is stored. Otherwise the tier is that of the
    history; and after another run the amount is counted again over the orders as they are now.
    """
    assert run.finished_at is not None
    decided = TierRun.objects.decisive().filter(finished_at__gt=run.finished_at).exists()
    said = TierChange.objects.filter(run=None, changed_at__gt=run.finished_at).exists()
    if not decided and not said:
        known = customers.exclude(net_amount=None)
        return known.annotate(tier=F("abc"), amount=F("net_amount"))
    then = history.tier_at(run.finished_at, customers)
    if not decided:
        return then.exclude(net_amount=None).annotate(amount=F("net_amount"))
    first_seen = TierChange.objects.decisive().new().filter(customer=OuterRef("pk"))
    bought: Any = (
        Order.objects.netted()
        .between(*day_bounds(*window(run.as_of, run.policy.window_months)))
        .filter(customer=OuterRef("pk"))
        .order_by()
        .values("customer")
        .annotate(
            total=Sum(Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default="amount"))
        )
    )
    return then.exclude(Exists(first_seen.filter(changed_at__gt=run.finished_at))).annotate(
        amount=Coalesce(Subquery(bought.values("total")), Decimal(0))
    )


def standing_at(run: TierRun, customers: CustomerQuerySet) -> tuple[str, tuple[Any, ...]]:
    """The statement that gives id, external_id, tier and amount of `customers` after `run`."""
    rows: Any = tier_at(run, customers).order_by().values
    query = rows("id", "external_id", "tier", "amount").query
    statement, values = query.get_compiler(connection=connection).as_sql()
    return statement, values


@dataclass(frozen=True, slots=True)
class Cell:
    """How many went from one tier to another; `heat` is its class, empty where nobody moved."""

    start: str | None
    end: str | None
    customers: int
    heat: str


@dataclass(frozen=True, slots=True)
class Row:
    start: str | None
    cells: list[Cell]
    total: int


@dataclass(frozen=True, slots=True)
class Migration:
    """From which tier to which, customers new to the tiers apart."""

    rows: list[Row]
    new: list[Cell]
    new_total: int
    totals: list[int]
    total: int
    up: int
    down: int

    @property
    def moved(self) -> int:
        return self.up + self.down + self.new_total

    def before(self) -> dict[str | None, int]:
        """How many each tier had before."""
        return {row.start: row.total for row in self.rows}


def migration(after: dict[str | None, Tally], changes: TierChangeQuerySet) -> Migration:
    """The migration matrix: what `changes` moved, and who stayed among those `after` it."""
    counted: Any = (
        changes.order_by()
        .values("from_tier", "to_tier", is_new=Q(net_before=None))
        .annotate(n=Count("pk"))
    )
    moves: dict[tuple[str | None, str | None], int] = {}
    new: dict[str | None, int] = {}
    for row in counted:
        if row["is_new"]:
            new[row["to_tier"]] = row["n"]
        else:
            moves[row["from_tier"], row["to_tier"]] = row["n"]
    largest = max(moves.values(), default=0)
    for tier in LADDER:
        came = sum(n for (_start, end), n in moves.items() if end == tier)
        moves[tier, tier] = after.get(tier, Tally()).customers - came - new.get(tier, 0)

    def cell(start: str | None, end: str | None) -> Cell:
        n = moves.get((start, end), 0)
        if start == end:
            return Cell(start, end, n, "same")
        way = "up" if LADDER.index(end) < LADDER.index(start) else "dn"
        step = heat(n, largest)
        return Cell(start, end, n, f"{way}-{step}" if step else "")

    rows = []
    for start in LADDER:
        cells = [cell(start, end) for end in LADDER]
        rows.append(Row(start, cells, sum(c.customers for c in cells)))
    totals = [after.get(tier, Tally()).customers for tier in LADDER]
    return Migration(
        rows=rows,
        new=[Cell(None, end, new.get(end, 0), "") for end in LADDER],
        new_total=sum(new.values()),
        totals=totals,
        total=sum(totals),
        up=sum(c.customers for row in rows for c in row.cells if c.heat.startswith("up")),
        down=sum(c.customers for row in rows for c in row.cells if c.heat.startswith("dn")),
    )


def first_fifth(customers: int) -> int:
    """How many customers are the top 20 %: ceil(0.2 × customers) (P14)."""
    return -(-customers // 5)


def places(customers: int, marks: set[int]) -> list[int]:
    """The ranks at which a curve of `customers` is drawn: close together where it bends."""
    steps = {-(-customers * k * k // CURVE_STEPS**2) for k in range(1, CURVE_STEPS + 1)}
    return sorted(place for place in steps | marks if 1 <= place <= customers)


@dataclass(frozen=True, slots=True)
class Pareto:
    """The Pareto curve: customers with a net amount above zero, largest first (P14).

    `points` are shares of 0–1: of the customers, and of the amount they bring.
    """

    customers: int
    amount: Decimal
    points: list[tuple[Decimal, Decimal]]
    top20: Decimal
    top20_x: Decimal
    marks: list[tuple[Decimal, Decimal]]
    zones: list[Zone]

    @property
    def path(self) -> str:
        return line_path(self.points)

    @property
    def dot(self) -> tuple[str, str]:
        """Where the top 20 % stand on the chart: x, y in per cent."""
        return per_cent(self.top20_x), per_cent(1 - self.top20)


def pareto(
    sums: dict[int, Decimal], *, customers: int, amount: Decimal, tiers: tuple[int, int]
) -> Pareto:
    """The curve through `sums` (what the first n bought together); `tiers` are the A's and B's."""
    a, b = tiers
    top = first_fifth(customers)
    points = [(Decimal(0), Decimal(0))]
    points += [(share_of_customers(n, customers), share_of(sums[n], amount)) for n in sorted(sums)]
    shares = {n: share_of(total, amount) for n, total in sums.items()}
    table = sorted({n for n in (a, top, a + b, customers) if n in shares})
    parts = [("A", a), ("B", b), ("C", max(0, customers - a - b))]
    return Pareto(
        customers=customers,
        amount=amount,
        points=points,
        top20=shares[top],
        top20_x=share_of_customers(top, customers),
        marks=[(share_of_customers(n, customers), shares[n]) for n in table],
        zones=zones([(name, share_of_customers(n, customers)) for name, n in parts if n > 0]),
    )


def share_of_customers(part: int, whole: int) -> Decimal:
    return share_of(Decimal(part), Decimal(whole))


@dataclass(frozen=True, slots=True)
class Report:
    """One run for one scope; `pareto` is None where nobody bought anything."""

    tallies: dict[str | None, Tally]
    migration: Migration
    pareto: Pareto | None

    @property
    def tiles(self) -> list[dict[str, Any]]:
        """The tiers, best first: customers, change since the run before, share of the amount."""
        before = self.migration.before()
        total = sum((tally.amount for tally in self.tallies.values()), Decimal(0))
        return [
            {
                "tier": tier,
                "customers": self.tallies.get(tier, Tally()).customers,
                "change": self.tallies.get(tier, Tally()).customers - before[tier],
                "share": share_of(self.tallies.get(tier, Tally()).amount, total),
            }
            for tier in LADDER
        ]


def read(run: TierRun, customers: CustomerQuerySet, changes: TierChangeQuerySet) -> Report:
    """The report of `run` over `customers`; `changes` are those of the run in the same scope."""
    try:
        statement, values = standing_at(run, customers)
    except EmptyResultSet:
        return Report({}, migration({}, changes), None)
    per_one = sql.dialect().per_one
    with connection.cursor() as cursor:
        cursor.execute(sql.tally(statement), values)
        tallies = {
            tier: Tally(number, int(buyers), Decimal(total) / per_one)
            for tier, number, buyers, total in cursor.fetchall()
        }
        buyers = sum(tally.buyers for tally in tallies.values())
        if not buyers:
            return Report(tallies, migration(tallies, changes), None)
        a, b = (tallies.get(tier, Tally()).buyers for tier in ("A", "B"))
        wanted = places(buyers, {first_fifth(buyers), a, a + b, buyers})
        cursor.execute(sql.running(statement, wanted), values)
        sums = {place: Decimal(total) / per_one for place, total in cursor.fetchall()}
    curve = pareto(sums, customers=buyers, amount=sums[buyers], tiers=(a, b))
    return Report(tallies, migration(tallies, changes), curve)
