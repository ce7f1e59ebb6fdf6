"""What a customer's orders come to, for the customer's file."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from crm.lib.days import day_bounds, months_before
from crm.lib.formats import local_day
from customers.models import Customer
from orders.models import COUNTED, Order, OrderStatus

WINDOW_MONTHS = 12


def of_customer(customer: Customer, *, today: date) -> dict[str, Any]:
    """Counts, net amounts and rhythm of the orders up to `today`, from one statement.

    The window is that of the tiers (P8): the days after the same day 12 months ago, up to today.
    """
    window_from = months_before(today, WINDOW_MONTHS) + timedelta(days=1)
    start, end = day_bounds(window_from, today)
    orders: QuerySet[Order] = Order.objects.filter(customer=customer, ordered_at__lt=end).netted()
    counted = Q(status__in=COUNTED)
    in_window = Q(ordered_at__gte=start)
    net = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    day = TruncDate("ordered_at", tzinfo=timezone.get_default_timezone())
    sums = orders.aggregate(
        order_count=Count("pk", filter=counted),
        net_amount=Coalesce(Sum(net), Decimal(0)),
        window_order_count=Count("pk", filter=counted & in_window),
        window_net_amount=Coalesce(Sum(net, filter=in_window), Decimal(0)),
        first=Min("ordered_at", filter=counted),
        last=Max("ordered_at", filter=counted),
        days=Count(day, distinct=True, filter=counted),
    )
    first, last, days = sums.pop("first"), sums.pop("last"), sums.pop("days")
    first_on = local_day(first) if first else None
    last_on = local_day(last) if last else None
    return sums | {
        "window_from": window_from,
        "first_ordered_on": first_on,
        "last_ordered_on": last_on,
        "days_since_last_order": (today - last_on).days if last_on else None,
        "average_interval_days": (
            round((last_on - first_on).days / (days - 1), 1)
            if first_on and last_on and days > 1
            else None
        ),
    }
