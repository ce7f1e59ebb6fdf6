"""What is open of the orders of many customers, with one statement; and the balances kept of it.

The statement follows `orders.ledger.settle`. SQLite counts in whole cents, because its own sums
are in floating point.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, Sum, When
from django.db.models.functions import Coalesce

from crm.lib import bulk
from crm.lib.days import day_bounds
from crm.lib.formats import local_day
from customers.models import Customer
from orders.credit import DSO_DAYS, ZERO, Exposure, Item, exposure, taken_as_paid
from orders.ledger import Bill, Ledger, Money, settle
from orders.models import (
    COUNTED,
    USUAL_TERMS_DAYS,
    Balance,
    Credit,
    Order,
    OrderStatus,
    Payment,
    TradeTerms,
)

#: Customers to a statement.
CHUNK = 1000
LOCK = "credit"

_OPEN = """
WITH named AS (
  SELECT customer_id, order_id, SUM({amount}) AS pool
  FROM orders_payment WHERE customer_id IN ({ids}) GROUP BY customer_id, order_id
), owing AS (
  SELECT o.id, o.customer_id, o.external_id, o.ordered_at, o.status,
    {o_amount} AS amount,
    CASE WHEN n.pool IS NULL OR n.pool < 0 THEN 0
         WHEN n.pool > {o_amount} THEN {o_amount} ELSE n.pool END AS paid
  FROM orders_order o
  LEFT JOIN named n ON n.order_id = o.id AND n.customer_id = o.customer_id
  WHERE o.customer_id IN ({ids}) AND o.status IN ('confirmed', 'shipped', 'completed')
), free AS (
  SELECT customer_id, SUM(x) AS pool FROM (
    SELECT customer_id, pool AS x FROM named
    UNION ALL SELECT customer_id, -paid FROM owing
    UNION ALL SELECT customer_id, {amount} FROM orders_order
      WHERE customer_id IN ({ids}) AND status = 'returned'
  ) AS parts GROUP BY customer_id
), ranked AS (
  SELECT owing.*, amount - paid AS rest, COALESCE(pool, 0) AS pool,
    SUM(amount - paid) OVER (PARTITION BY owing.customer_id
      ORDER BY ordered_at, COALESCE(external_id, '') COLLATE {plain}, id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
  FROM owing LEFT JOIN free ON free.customer_id = owing.customer_id
), opened AS (
  SELECT id, customer_id, external_id, ordered_at, status,
    CASE WHEN pool >= upto THEN 0
         WHEN pool <= upto - rest THEN rest ELSE upto - pool END AS open
  FROM ranked
)
SELECT customer_id, id, status, ordered_at, open, COALESCE(external_id, '') AS number
FROM opened WHERE open > 0
UNION ALL
SELECT free.customer_id, NULL, '', NULL,
  CASE WHEN pool <= 0 THEN pool WHEN pool > owed THEN pool - owed ELSE 0 END, ''
FROM (SELECT free.customer_id, free.pool, COALESCE(SUM(amount - paid), 0) AS owed
  FROM free LEFT JOIN owing ON owing.customer_id = free.customer_id
  GROUP BY free.customer_id, free.pool) AS free
"""


@dataclass(slots=True)
class Account:
    """What is open of one customer's orders, in the queue for money, and what is on account."""

    items: list[Item] = field(default_factory=list)
    on_account: Decimal = ZERO


def keeps_payments(today: date) -> bool:
    """Whether the company keeps its payments here."""
    return TradeTerms.objects.on(today).keeps_payments


def paid_since(today: date) -> date | None:
    """The day of the first payment on file; None without one, and where none are kept."""
    if not keeps_payments(today):
        return None
    first = Payment.objects.order_by("paid_at", "id").values_list("paid_at", flat=True).first()
    return first and local_day(first)


def open_accounts(
    customer_ids: Collection[int], *, today: date, terms: Mapping[int, int]
) -> dict[int, Account]:
    """The accounts of these customers as of `today`; customers without any trade are left out.

    `terms` are the terms in days by customer, the usual ones for the others. Two statements.
    """
    if not customer_ids:
        return {}
    accounts = _recorded(customer_ids)
    if not keeps_payments(today):
        for customer, account in accounts.items():
            days = terms.get(customer, USUAL_TERMS_DAYS)
            account.items = taken_as_paid(account.items, terms_days=days, today=today)
    return accounts


def _recorded(customer_ids: Collection[int]) -> dict[int, Account]:
    """The accounts as the orders and payments on file say."""
    on_sqlite = connection.vendor == "sqlite"
    amount = "CAST(ROUND({}amount * 100) AS INTEGER)" if on_sqlite else "{}amount"
    ids = ", ".join(str(int(pk)) for pk in sorted(customer_ids))
    sql = _OPEN.format(
        amount=amount.format(""),
        o_amount=amount.format("o."),
        ids=ids,
        plain="BINARY" if on_sqlite else '"C"',
    )
    found: dict[int, tuple[list[tuple[Any, ...]], Decimal]] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for customer, order, status, at, value, number in cursor.fetchall():
            money = Decimal(value) / 100 if on_sqlite else Decimal(value)
            money = money.quantize(ZERO)
            rows, on_account = found.get(customer, ([], ZERO))
            if order is None:
                found[customer] = (rows, money)
                continue
            rows.append((_moment(at), number, order, status, money))
            found[customer] = (rows, on_account)
    return {
        customer: Account(
            [
                Item(order, local_day(at), status, money)
                for at, _number, order, status, money in sorted(rows)
            ],
            on_account,
        )
        for customer, (rows, on_account) in found.items()
    }


def _moment(at: datetime | str) -> datetime:
    """A moment as raw SQL gives it: that of SQLite is in UTC, and may be text."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- one customer, as its page shows it


def ledger_of(customer_id: int) -> Ledger:
    """Which orders of a customer are paid how far, from two statements."""
    rows = Order.objects.filter(customer=customer_id).netted()
    bills = [
        Bill(pk, number or "", ordered_at, status, amount)
        for pk, number, ordered_at, status, amount in rows.order_by().values_list(
            "pk", "external_id", "ordered_at", "status", "amount"
        )
    ]
    paid = Payment.objects.filter(customer=customer_id).order_by()
    return settle(bills, [Money(*row) for row in paid.values_list("amount", "order_id")])


def open_orders(ledger: Ledger) -> list[Order]:
    """The orders of which something is open, first ordered first."""
    ids = [pk for pk, rest in ledger.open.items() if rest]
    return sorted(
        Order.objects.in_bulk(ids).values(),
        key=lambda one: (one.ordered_at, one.external_id or "", one.pk),
    )


# --- the balances that lists read


@transaction.atomic
def refresh(customer_ids: Collection[int], *, today: date) -> None:
    """Write the balances of these customers as of `today`; at most CHUNK of them."""
    bulk.lock(LOCK)
    terms = dict(
        Credit.objects.filter(customer__in=customer_ids).values_list("customer_id", "terms_days")
    )
    accounts = open_accounts(customer_ids, today=today, terms=terms)
    rows = [
        _balance(
            customer,
            exposure(
                account.items,
                on_account=account.on_account,
                terms_days=terms.get(customer, USUAL_TERMS_DAYS),
                today=today,
            ),
            today,
        )
        for customer, account in sorted(accounts.items())
    ]
    columns = [f.name for f in Balance._meta.concrete_fields if f.name not in ("id", "customer")]
    Balance.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["customer"], update_fields=columns
    )
    Balance.objects.filter(customer__in=set(customer_ids) - set(accounts)).delete()


def _balance(customer: int, owed: Exposure, today: date) -> Balance:
    first, second, third, last = owed.overdue_by_age
    return Balance(
        customer_id=customer,
        as_of=today,
        ordered=owed.ordered,
        delivered=owed.delivered,
        not_due=owed.not_due,
        overdue_30=first,
        overdue_60=second,
        overdue_90=third,
        overdue_over_90=last,
        overdue=owed.overdue,
        on_account=owed.on_account,
        exposure=owed.total,
    )


def chunks_of_all() -> Iterator[list[int]]:
    """The ids of all customers, CHUNK at a time."""
    last = 0
    while some := list(
        Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        yield some
        last = some[-1]


def in_chunks(ids: Iterable[int]) -> Iterator[Sequence[int]]:
    """These ids, sorted, CHUNK at a time."""
    rest = sorted(set(ids))
    for at in range(0, len(rest), CHUNK):
        yield rest[at : at + CHUNK]


def sales_of(customers: Any, *, today: date) -> Decimal:
    """The net amount that was delivered to `customers` in the DSO_DAYS up to `today`."""
    start, end = day_bounds(date.fromordinal(today.toordinal() - DSO_DAYS + 1), today)
    net = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    delivered = [*(s for s in COUNTED if s != OrderStatus.CONFIRMED), OrderStatus.RETURNED]
    sums = Order.objects.filter(
        Q(customer__in=customers), status__in=delivered, ordered_at__gte=start, ordered_at__lt=end
    ).aggregate(net=Coalesce(Sum(net), ZERO))
    return Decimal(sums["net"])
