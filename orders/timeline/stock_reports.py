"""What counts of its stock tell on the customer's timeline (P23); those of visits tell it there."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.lib.formats import quantity
from customers.models import Customer
from customers.timeline import Entry, Group
from orders.models import StockLine, StockReport, StockSource

KIND = "stock_report"
GROUP = Group.TRADE
#: So many products are named.
NAMED = 3


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The counts of a customer before `before`, newest first."""
    lines = StockLine.objects.select_related("product").order_by("product__name", "product_id")
    reports = (
        StockReport.objects.filter(customer=customer)
        .exclude(source=StockSource.VISIT)
        .prefetch_related(Prefetch("lines", queryset=lines))
    )
    if before is not None:
        reports = reports.filter(reported_at__lt=before)
    return [_entry(one) for one in reports.order_by("-reported_at", "-pk")[:limit]]


def _entry(report: StockReport) -> Entry:
    counted: dict[int, Decimal] = defaultdict(Decimal)
    products = {}
    for line in report.lines.all():
        counted[line.product_id] += line.quantity
        products[line.product_id] = line.product
    title = ngettext("%(n)d product counted", "%(n)d products counted", len(counted))
    named = [
        f"{product.name} {quantity(counted[pk])} {product.unit}".strip()
        for pk, product in list(products.items())[:NAMED]
    ]
    if len(counted) > NAMED:
        named.append("…")
    return Entry(
        at=report.reported_at,
        kind=KIND,
        icon="clipboard-document-list",
        title=title % {"n": len(counted)},
        text=" · ".join(
            part for part in (report.get_source_display(), ", ".join(named), report.note) if part
        ),
        url=reverse("orders:stock-report", args=[report.pk]),
        ref=_("Report"),
    )
