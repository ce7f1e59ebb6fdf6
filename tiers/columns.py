"""What tiers add to the list of customers: how the window compares with the one before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, Sum, When
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.access import may
from accounts.models import User
from crm.lib.days import day_bounds, months_before
from crm.lib.formats import NBSP, signed
from customers.columns import Cell, Column
from orders.models import Order, OrderStatus
from tiers.models import TierRun

#: Changes smaller than this share are noise and get no colour.
NOISE = Decimal("0.02")


def column(rows: Sequence[Mapping[str, Any]], *, user: User, today: date) -> Column | None:
    """The net amount that the rows carry, from the last tier run, against the window before it."""
    if not may(user, "tiers:read"):
        return None
    run = TierRun.objects.decisive().select_related("policy").first()
    before = _net_before(run, [row["id"] for row in rows]) if run and rows else None
    cells = {}
    if before is not None:
        cells = {row["id"]: judged(row["net_amount"], before.get(row["id"])) for row in rows}
    return Column(pgettext("of the net amount", "Change"), "net_amount", cells)


def _net_before(run: TierRun, customer_ids: list[int]) -> dict[int, Decimal]:
    """Net amounts of these customers in the window that ended where that of `run` began."""
    months = run.policy.window_months
    last = months_before(run.as_of, months)
    first = months_before(run.as_of, 2 * months) + timedelta(days=1)
    net = Case(When(status=OrderStatus.RETURNED, then=-F("amount")), default=F("amount"))
    sums: Any = (
        Order.objects.filter(customer__in=customer_ids)
        .netted()
        .between(*day_bounds(first, last))
        .order_by()
        .values_list("customer_id")
        .annotate(total=Sum(net))
    )
    return dict(sums)


def judged(now: Decimal | None, before: Decimal | None) -> Cell:
    """The change from `before` to `now` as a share of `before`; None is a window without orders."""
    now, before = now or Decimal(0), before or Decimal(0)
    if before <= 0:
        return Cell(_("none before"), brief=_("none before")) if now > 0 else Cell()
    change = (now - before) / before
    tone = "" if abs(change) < NOISE else "good" if change > 0 else "bad"
    text = f"{signed((100 * change).quantize(Decimal('0.1')), 1)}{NBSP}%"
    return Cell(text, tone, brief=text)
