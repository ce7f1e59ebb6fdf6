"""Who is supplied by whom, and which companies form a group: two forests of customers (P25).

A tie leads from a customer to the one above it. What lies below a customer is walked by one
statement, never deeper than DEEPEST, and only through files that the reader may see: what stands
behind a file out of sight neither shows nor counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import TextChoices
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.lib import bulk
from crm.lib.text import Text
from customers.models import Customer, CustomerQuerySet, Kind

#: No chain from a manufacturer to a shop is longer; also what stops a loop that got in.
DEEPEST = 32
#: Fewer steps away from the manufacturer come first (P25); a supplier stands before whom it serves.
_RANKS: Mapping[str, int] = {
    Kind.DISTRIBUTOR: 0,
    Kind.DEALER: 1,
    Kind.OUTLET: 2,
    Kind.GROUP_BUYER: 2,
}
#: Ids to a statement: SQLite takes no more parameters than 32,766.
MOST_IDS = 30_000
ZERO = Decimal("0.00")


class Tie(TextChoices):
    """The field that leads to the customer above."""

    SUPPLY = "parent", _("supply")
    GROUP = "group_head", _("group of companies")


BELOW_ITSELF: Mapping[str, Text] = {
    Tie.SUPPLY: _("A customer cannot be supplied by itself or by one below it."),
    Tie.GROUP: _("A customer cannot belong to its own group or to one below it."),
}


def lock() -> None:
    """Let one transaction at a time move customers about: two moves at once could make a ring
    that neither of them is. Taken before the rows of customers are locked."""
    bulk.lock("customer ties")


def refuse_rings(customer: Customer) -> None:
    """Raise ValidationError where `customer`, as it would be saved, came to stand below itself."""
    stored = customer.__dict__.get("_loaded", {})
    for tie, refusal in BELOW_ITSELF.items():
        above = getattr(customer, f"{tie}_id")
        if above is None or (customer.pk and above == stored.get(f"{tie}_id")):
            continue
        if customer.pk:
            lock()
        up = ancestors([above], tie)
        if customer.pk in up or nodes_in_loops(up):
            raise ValidationError({tie: ValidationError(str(refusal), code="ring")})


def is_unusual(above: str, below: str) -> bool:
    """Whether a customer of kind `above` would hardly supply one of kind `below`: an outlet or a
    group buyer supplies nobody, a dealer no distributor."""
    return _RANKS[above] > _RANKS[below] or _RANKS[above] == 2


def ancestors(ids: Iterable[int], tie: str) -> dict[int, int | None]:
    """The one above by id, for the customers `ids` and everybody above them, with one query."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    table, column = _names(tie)
    places = ", ".join(["%s"] * len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE above(id, up) AS ("  # noqa: S608  # names of ours
            f"SELECT id, {column} FROM {table} WHERE id IN ({places}) "
            f"UNION SELECT c.id, c.{column} FROM {table} c JOIN above ON c.id = above.up"
            f") SELECT id, up FROM above",
            wanted,
        )
        return dict(cursor.fetchall())


def nodes_in_loops(above: Mapping[Any, Any]) -> set[Any]:
    """The nodes from which, going up by `above` (node → the one above), one comes back."""
    loops: set[Any] = set()
    done: set[Any] = set()
    for start in above:
        path: dict[Any, None] = {}
        node = start
        while node is not None and node not in done and node not in path:
            path[node] = None
            node = above.get(node)
        if node is not None and node in path:
            walked = list(path)
            loops.update(walked[walked.index(node) :])
        done.update(path)
    return loops


def path_to(customer: Customer, reader: User, tie: str = Tie.SUPPLY) -> list[Customer]:
    """The customers above, the topmost first, up to the first one out of the reader's sight."""
    above = getattr(customer, f"{tie}_id")
    if above is None:
        return []
    up = ancestors([above], tie)
    seen: dict[int, Customer] = Customer.objects.visible_to(reader).in_bulk(list(up))
    path: list[Customer] = []
    while above in seen and len(path) < DEEPEST:
        path.append(seen.pop(above))
        above = up.get(above)
    return path[::-1]


def above_in_sight(customers: Iterable[Customer], reader: User) -> set[int]:
    """The ids of those right above `customers`, by either tie, that the reader may see."""
    above = {
        number
        for customer in customers
        for number in (customer.parent_id, customer.group_head_id)
        if number is not None
    }
    if not above or reader.sees_all:
        return above
    seen = Customer.objects.visible_to(reader).filter(pk__in=above)
    return set(seen.values_list("pk", flat=True))


def head_in_sight(customer: Customer, reader: User) -> Customer | None:
    """The head of the customer's group where the reader may see it."""
    if customer.group_head_id is None:
        return None
    return Customer.objects.visible_to(reader).filter(pk=customer.group_head_id).first()


@dataclass(slots=True)
class Total:
    """What some customers come to: how many, their net amount of the tier window, its orders."""

    customers: int = 0
    net_amount: Decimal = ZERO
    orders: int = 0

    def add(self, customers: int, net_amount: Any, orders: int | None) -> None:
        self.customers += customers
        self.net_amount += Decimal(str(net_amount or 0)).quantize(ZERO)
        self.orders += orders or 0


@dataclass(slots=True)
class Totals(Total):
    """A total, and that of each kind."""

    by_kind: dict[str, Total] = field(default_factory=lambda: {kind: Total() for kind in Kind})


def totals(customer_id: int, reader: User, tie: str = Tie.SUPPLY) -> Totals:
    """What the customers below `customer_id` in the reader's sight come to, without itself."""
    found = Totals()
    for _root, kind, *figures in _sums([customer_id], reader, tie):
        found.add(*figures)
        found.by_kind[kind].add(*figures)
    return found


def below(customer_id: int, reader: User, tie: str = Tie.SUPPLY) -> CustomerQuerySet:
    """The customers below `customer_id` in the reader's sight, at any depth, without itself."""
    seen: CustomerQuerySet = Customer.objects.visible_to(reader)
    sql, parameters = _walk([customer_id], reader, tie)
    walked = f"{sql} SELECT id FROM below WHERE depth > 0"  # noqa: S608  # names of ours
    # PostgreSQL knows nothing of how many a walk finds, and would look through it row by row.
    with connection.cursor() as cursor:
        cursor.execute(f"{walked} LIMIT {MOST_IDS + 1}", parameters)
        ids = {pk for (pk,) in cursor.fetchall()} - {customer_id}
    if len(ids) <= MOST_IDS:
        return seen.filter(pk__in=ids)
    return seen.filter(pk__in=RawSQL(walked, parameters)).exclude(pk=customer_id)  # noqa: S611  # as above


def totals_of_many(roots: Sequence[int], reader: User, tie: str = Tie.SUPPLY) -> dict[int, Total]:
    """What stands below each of `roots` in the reader's sight, with one query."""
    found = {root: Total() for root in roots}
    if not roots:
        return found
    for root, _kind, *figures in _sums(roots, reader, tie):
        found[root].add(*figures)
    return found


def _sums(roots: Sequence[int], reader: User, tie: str) -> list[tuple[Any, ...]]:
    """(root, kind, customers, net amount, orders) of what stands below each of `roots`."""
    sql, parameters = _walk(roots, reader, tie)
    table, _column = _names(tie)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{sql} SELECT w.root, c.kind, COUNT(*), SUM(c.net_amount), SUM(c.order_count) FROM "  # noqa: S608  # names of ours
            f"(SELECT DISTINCT root, id FROM below WHERE depth > 0 AND id <> root) w "
            f"JOIN {table} c ON c.id = w.id GROUP BY w.root, c.kind",
            parameters,
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _walk(roots: Sequence[int], reader: User, tie: str) -> tuple[str, list[Any]]:
    """`WITH RECURSIVE below(root, id, depth)`: from `roots` down through what `reader` sees."""
    table, column = _names(tie)
    parameters: list[Any] = [*roots]
    seen = ""
    if not reader.sees_all:
        # As plain ids: a statement inside would be run anew for each customer on the way. Whose
        # files one sees is whom one sees (accounts/access.py).
        owners = list(User.objects.get_queryset().visible_to(reader).values_list("pk", flat=True))
        seen = f"AND c.owner_id IN ({', '.join(['%s'] * len(owners))})" if owners else "AND 1 = 0"
        parameters += owners
    places = ", ".join(["%s"] * len(roots))
    return (
        f"WITH RECURSIVE below(root, id, depth) AS ("  # noqa: S608  # names of ours
        f"SELECT id, id, 0 FROM {table} WHERE id IN ({places}) "
        f"UNION SELECT below.root, c.id, below.depth + 1 FROM {table} c "
        f"JOIN below ON c.{column} = below.id WHERE below.depth < {DEEPEST} {seen})",
        parameters,
    )


def _names(tie: str) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(Customer._meta.db_table), quote(f"{Tie(tie).value}_id")
