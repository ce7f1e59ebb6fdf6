"""Taking down what stock was counted in a visit, and filing it as a count of the dealer (P23).

A draft keeps its counts to itself: half of a product's batches would say that the rest is gone.
Closing the visit files them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orders.models import Product, StockSource
from orders.stocktaking import Counted, check_counted, file_count, told
from visits.models import Visit, VisitStatus


def counted_in(visit: Visit) -> list[Counted]:
    """What was counted, by product and batch; what names a product that is gone is left out."""
    skus = {line["product"] for line in visit.counts}
    products = Product.objects.in_bulk(skus, field_name="external_id") if skus else {}
    return [
        Counted(
            products[line["product"]],
            Decimal(line["quantity"]),
            line["batch"],
            date.fromisoformat(line["produced_on"]) if line["produced_on"] else None,
        )
        for line in visit.counts
        if line["product"] in products
    ]


def same_counts(visit: Visit, counted: Sequence[Counted]) -> bool:
    """Whether the visit has noted just this; the order of the lines does not matter."""
    return told(counted) == list(visit.counts)


def note_counted(visit: Visit, counted: Sequence[Counted]) -> None:
    """Let `counted` take the place of what the visit had noted; the caller saves it.

    ValidationError under `stock` where it is no count of the day of the visit.
    """
    if same_counts(visit, counted):
        return
    if visit.status == VisitStatus.PLANNED:
        raise ValidationError(_("Check in before you write."), code="not_checked_in")
    try:
        check_counted(counted, counted_on=visit.visited_on)
    except ValidationError as refused:
        raise ValidationError({"stock": refused.messages}, code="lines") from refused
    visit.counts = told(counted)


def file_counts(visit: Visit, *, now: datetime) -> None:
    """File what the visit counted as a count of the dealer; the caller closes and saves it."""
    visit.stock_report = file_count(
        report=visit.stock_report,
        customer_id=visit.customer_id,
        reported_at=visit.checked_in_at or visit.scheduled_for,
        source=StockSource.VISIT,
        lines=counted_in(visit),
        now=now,
    )
