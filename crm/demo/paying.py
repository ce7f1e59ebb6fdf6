"""What the customers of the small demo paid, what they may owe, and the orders that wait."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from random import Random

from django.db.models import Q, Sum
from django.utils import timezone

from crm.demo.writing import Writer
from crm.lib.formats import local_day
from customers.models import Customer
from orders import crediting
from orders.models import COUNTED, Credit, HoldAt, Order, OrderStatus, Payment

METHODS = ("银行转账", "银行转账", "银行转账", "承兑汇票", "微信支付")
REASONS = {"A": "重点客户，长期合作", "B": "回款稳定", "C": "交易额较小"}
#: How much of what it needs a customer may owe, by tier.
SHARES = {"A": Decimal("1.2"), "B": Decimal(1)}
USUAL_SHARE = Decimal("0.8")
STEP = Decimal(1000)


def write_payments(writer: Writer, rng: Random, *, today: date, now: datetime) -> str:
    """Terms for everybody, limits for those who buy, payments as each one pays; what that makes."""
    habits = _write_credits(writer, rng, today=today)
    payments: list[tuple[object, ...]] = []
    orders = Order.objects.filter(status__in=COUNTED).exclude(status=OrderStatus.CONFIRMED)
    rows = orders.order_by("ordered_at", "id").values_list(
        "id", "external_id", "customer_id", "ordered_at", "amount"
    )
    first = writer.next_id(Payment)
    for pk, number, customer, ordered_at, amount in rows:
        terms, lateness = habits[customer]
        days = max(0, round(rng.gauss(terms - 12 + lateness, 5)))
        paid_on = local_day(ordered_at) + timedelta(days=days)
        if paid_on >= today or rng.random() < 0.004:
            continue
        # What was paid in part was made up for within two months.
        part = rng.random() < 0.05 and (today - paid_on).days < 60
        paid = (amount / 2).quantize(Decimal(1), ROUND_CEILING) if part else amount
        clock = time(rng.choice((9, 10, 14, 16)), rng.randrange(60))
        at = timezone.make_aware(datetime.combine(paid_on, clock), timezone.get_default_timezone())
        named = pk if rng.random() < 0.6 else None
        payments.append(
            (first + len(payments), f"HK-{str(number)[3:]}", customer, named, at, paid,
             rng.choice(METHODS))
        )  # fmt: skip
    writer.write(
        Payment,
        ("id", "external_id", "customer_id", "order_id", "paid_at", "amount", "method"),
        (row for row in payments if row[5]),
    )
    writer.settle()
    crediting.settle_all(today=today, now=now)
    held = Order.objects.filter(held=True).count()
    return f"{len(payments):,} payments, {held} orders wait"


def _write_credits(writer: Writer, rng: Random, *, today: date) -> dict[int, tuple[int, int]]:
    """The terms of every customer, and how many days later than agreed it usually pays."""
    since = timezone.make_aware(
        datetime.combine(today - timedelta(days=365), time.min), timezone.get_default_timezone()
    )
    bought = Sum(
        "orders__amount", filter=Q(orders__status__in=COUNTED, orders__ordered_at__gte=since)
    )
    habits, rows = {}, []
    customers = Customer.objects.annotate(bought=bought).order_by("id")
    for pk, abc, amount in customers.values_list("id", "abc", "bought"):
        terms = {"A": 60, "B": 45}.get(abc or "", 30)
        habits[pk] = (terms, rng.choices((0, 8, 25, 70), (70, 17, 9, 4))[0])
        if not amount:
            continue
        need = amount * Decimal(terms + 25) / 365 * SHARES.get(abc or "", USUAL_SHARE)
        # One in six was agreed long ago, when the customer bought more or less.
        need *= rng.choices((Decimal(1), Decimal("0.7"), Decimal("1.5")), (84, 8, 8))[0]
        limit = max((need / STEP).quantize(Decimal(1), ROUND_HALF_UP), Decimal(1)) * STEP
        at = rng.choices((HoldAt.ORDER, HoldAt.DELIVERY, HoldAt.NEVER), (60, 25, 15))[0]
        rows.append((pk, limit, terms, at, 60, REASONS[abc or "C"]))
    first = writer.next_id(Credit)
    writer.write(
        Credit,
        ("id", "customer_id", "limit", "terms_days", "hold_at", "hold_overdue_days", "reason"),
        ((first + n, *row) for n, row in enumerate(rows)),
    )
    return habits
