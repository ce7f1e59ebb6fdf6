"""Counts of a dealer's stock that people take: what they are asked for, and storing them (P23)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib.formats import local_day
from orders import taking_back
from orders.models import OrderLine, OrderStatus, Product, StockLine, StockReport, StockSource
from orders.settling import restock_later

#: More than a person counts.
MOST_LINES = 200
#: So many of the last counts are looked through for what to count again.
LOOKED_THROUGH = 20
#: So many lines are offered; more are added by hand.
MOST_OFFERED = 40
#: So long back deliveries are offered of what was never counted.
FIRST_LOOK = timedelta(days=180)
#: Goods with these orders have left our house; those of a return have come back.
_LEFT = (OrderStatus.SHIPPED, OrderStatus.COMPLETED)


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a batch of a product was there."""

    product: Product
    quantity: Decimal
    batch: str = ""
    produced_on: date | None = None

    @property
    def key(self) -> tuple[int, str]:
        return self.product.pk, self.batch


@dataclass(frozen=True, slots=True)
class Offered:
    """What there is to count: a batch with its last count, and what was delivered since.

    `last` is None where the product was never counted, `delivered` where nothing came.
    """

    product: Product
    batch: str = ""
    produced_on: date | None = None
    last: Decimal | None = None
    last_on: date | None = None
    delivered: Decimal | None = None


def to_count(*, customer_id: int, at: datetime, besides: int | None = None) -> list[Offered]:
    """What a count at `at` is asked for: what was counted last, and what was delivered since.

    Of each product its last count before `at`, without the batches that were gone; `besides` is a
    count that is being put right. Two queries for the counts, one for the deliveries.
    """
    reports = StockReport.objects.filter(customer=customer_id, reported_at__lte=at)
    others = reports if besides is None else reports.exclude(pk=besides)
    latest = list(others.values_list("pk", flat=True)[:LOOKED_THROUGH])
    lines = (
        StockLine.objects.filter(report__in=latest)
        .select_related("product", "report")
        .order_by("-report__reported_at", "-report_id", "product__name", "product_id", "batch")
    )
    counted_in: dict[int, StockReport] = {}
    last = [
        line
        for line in lines
        if counted_in.setdefault(line.product_id, line.report).pk == line.report_id
    ]
    came = _delivered(customer_id, counted_in, at)
    offered = [
        Offered(
            line.product,
            line.batch,
            line.produced_on,
            line.quantity,
            local_day(line.report.reported_at),
            came.pop((line.product_id, line.batch), (line.product, None))[1],
        )
        for line in last
        if line.quantity or (line.product_id, line.batch) in came
    ]
    offered += [Offered(product, batch, delivered=n) for (_pk, batch), (product, n) in came.items()]
    return _bounded(offered)


def _bounded(offered: list[Offered]) -> list[Offered]:
    """As many products as a person counts, those of which there is most, each with all batches.

    Those that were counted before come first.
    """
    there: dict[int, Decimal] = defaultdict(Decimal)
    lines: dict[int, int] = defaultdict(int)
    for one in offered:
        there[one.product.pk] += (one.last or 0) + (one.delivered or 0)
        lines[one.product.pk] += 1
    kept, room = set(), MOST_OFFERED
    for pk in sorted(there, key=lambda pk: (-there[pk], pk)):
        if lines[pk] <= room:
            kept.add(pk)
            room -= lines[pk]
    chosen = [one for one in offered if one.product.pk in kept]
    before = {one.product.pk for one in offered if one.last is not None}
    return sorted(
        chosen,
        key=lambda one: (
            *(one.product.pk not in before, one.product.name, one.product.pk),
            *(one.last is None, one.batch),
        ),
    )


def _delivered(
    customer_id: int, counted_in: dict[int, StockReport], at: datetime
) -> dict[tuple[int, str], tuple[Product, Decimal | None]]:
    """What came of each batch since its product was counted, where something did.

    Of a product that was never counted all batches are one: many went through since.
    """
    since = min([at - FIRST_LOOK, *(report.reported_at for report in counted_in.values())])
    rows = OrderLine.objects.filter(
        order__customer=customer_id,
        order__ordered_at__gt=since,
        order__ordered_at__lte=at,
        order__status__in=(*_LEFT, OrderStatus.RETURNED),
    ).values_list("product_id", "batch", "order__ordered_at", "order__status", "quantity")
    came: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for product_id, batch, ordered_at, status, quantity in rows:
        counted = counted_in.get(product_id)
        if ordered_at > (counted.reported_at if counted else at - FIRST_LOOK):
            key = product_id, batch if counted else ""
            came[key] += -quantity if status == OrderStatus.RETURNED else quantity
    products = Product.objects.in_bulk([pk for (pk, _batch), n in came.items() if n > 0])
    return {(pk, batch): (products[pk], n) for (pk, batch), n in came.items() if n > 0}


def check_counted(lines: Sequence[Counted], *, counted_on: date) -> None:
    """Raise ValidationError under `lines` where they are no count of that day."""
    seen: set[tuple[int, str]] = set()
    for line in lines:
        name = line.product.name
        if line.key in seen:
            raise _refused(_("%(product)s: this batch is counted twice.") % {"product": name})
        if line.quantity < 0:
            raise _refused(_("%(product)s: nobody has less than nothing.") % {"product": name})
        if line.produced_on and line.produced_on > counted_on:
            raise _refused(
                _("%(product)s: a batch cannot be produced after the day on which it is counted.")
                % {"product": name}
            )
        seen.add(line.key)
    if len(lines) > MOST_LINES:
        raise _refused(_("At most %(n)d lines in one count.") % {"n": MOST_LINES})


def _refused(text: str) -> ValidationError:
    return ValidationError({"lines": ValidationError(text, code="lines")})


@transaction.atomic
def record_count(*, report: StockReport, lines: Sequence[Counted], now: datetime) -> StockReport:
    """Store a count; `lines` take the place of the ones it had, and unchanged ones stay.

    Both are audited together; without any difference nothing is written. ValidationError where
    there is no line, where they contradict each other, or where the moment has not come yet.
    """
    if report.reported_at > now:
        raise ValidationError({"reported_at": _("This moment has not come yet.")}, code="future")
    if not lines:
        raise ValidationError(
            _("A count names at least one product; one that is gone is counted with 0."),
            code="no_lines",
        )
    check_counted(lines, counted_on=local_day(report.reported_at))
    report.clean_fields(exclude=["customer"])
    stored = list(report.lines.select_related("product")) if report.pk else []
    before, after = told(_as_counted(line) for line in stored), told(lines)
    loaded: dict[str, Any] = getattr(report, "_loaded", {})
    if before == after and all(getattr(report, name) == was for name, was in loaded.items()):
        return report
    report.tell_also("lines", before or None, after)
    report.save()
    _write_lines(report, stored, lines)
    restock_later([report.customer_id])
    return report


def _write_lines(report: StockReport, stored: list[StockLine], lines: Sequence[Counted]) -> None:
    there = {(line.product_id, line.batch): line for line in stored}
    wanted = {line.key: line for line in lines}
    gone = [line.pk for key, line in there.items() if key not in wanted]
    if gone:
        StockLine.objects.filter(pk__in=gone).delete()
    changed = []
    for key, line in wanted.items():
        row = there.get(key)
        if row and (row.produced_on, row.quantity) != (line.produced_on, line.quantity):
            row.produced_on, row.quantity = line.produced_on, line.quantity
            changed.append(row)
    StockLine.objects.bulk_update(changed, ["produced_on", "quantity"])
    StockLine.objects.bulk_create(
        StockLine(
            report=report,
            product=line.product,
            batch=line.batch,
            produced_on=line.produced_on,
            quantity=line.quantity,
        )
        for key, line in wanted.items()
        if key not in there
    )


def _as_counted(line: StockLine) -> Counted:
    return Counted(line.product, line.quantity, line.batch, line.produced_on)


def counted_in(report: StockReport) -> list[Counted]:
    """What the count holds, by product and batch."""
    lines = report.lines.select_related("product").order_by("product__name", "product_id", "batch")
    return [_as_counted(line) for line in lines]


def told(lines: Iterable[Counted]) -> list[dict[str, Any]]:
    """The lines as the audit log holds them, by product and batch."""
    return [
        {
            "product": line.product.external_id,
            "batch": line.batch,
            "produced_on": line.produced_on and line.produced_on.isoformat(),
            "quantity": f"{line.quantity:.3f}",
        }
        for line in sorted(lines, key=lambda line: line.key)
    ]


def enter_count(
    *,
    report: StockReport,
    lines: Sequence[Counted],
    client_id: UUID | None,
    now: datetime,
) -> StockReport:
    """Store a count that a person wrote; the same `client_id` again leads to the same one.

    ValidationError where another system keeps it, and as `record_count` says.
    """
    if client_id is not None and (there := _made_as(client_id, report)):
        return there
    if not report.by_hand:
        raise ValidationError(_("This count is not changed by hand."), code="not_by_hand")
    report.client_id = report.client_id or client_id
    try:
        with transaction.atomic():
            return record_count(report=report, lines=lines, now=now)
    except IntegrityError:  # the other press of the button came first
        there = _made_as(client_id, report) if client_id else None
        if there is None:
            raise
        return there


def _made_as(client_id: UUID, report: StockReport) -> StockReport | None:
    return StockReport.objects.filter(client_id=client_id, customer=report.customer_id).first()


@transaction.atomic
def file_count(
    *,
    report: StockReport | None,
    customer_id: int,
    reported_at: datetime,
    source: StockSource,
    lines: Sequence[Counted],
    now: datetime,
) -> StockReport | None:
    """Store what was counted elsewhere, in a visit say, in place of `report`, its earlier count.

    None where nothing was counted: an earlier count goes, and the audit log keeps its lines.
    """
    if not lines:
        if report is not None:
            report.tell_also("lines", told(counted_in(report)), None)
            report.delete()
            restock_later([customer_id])
        return None
    if report is None:
        report = StockReport(customer_id=customer_id, reported_at=reported_at, source=source)
    return record_count(report=report, lines=lines, now=now)


@transaction.atomic
def take_back_count(*, report: StockReport, by: User, today: date) -> None:
    """Take out a count that `by` entered today by hand; the audit log keeps it with its lines."""
    if not report.by_hand:
        raise ValidationError(_("This count is not changed by hand."), code="not_by_hand")
    report.tell_also("lines", told(counted_in(report)), None)
    taking_back.take_back(report, by=by, today=today)
    restock_later([report.customer_id])


@transaction.atomic
def restore_count(*, pk: int, by: User, today: date) -> StockReport | None:
    """Bring back a count that `by` took out today; None where there is none such."""
    restored = taking_back.restore(StockReport, pk, by=by, today=today)
    if restored is None or not restored.fresh:
        return restored.record if restored else None
    lines = restored.beside.get("lines") or []
    products = Product.objects.in_bulk(
        {line["product"] for line in lines}, field_name="external_id"
    )
    _write_lines(
        restored.record,
        [],
        [
            Counted(
                products[line["product"]],
                Decimal(line["quantity"]),
                line["batch"],
                date.fromisoformat(line["produced_on"]) if line["produced_on"] else None,
            )
            for line in lines
            if line["product"] in products
        ],
    )
    restock_later([restored.record.customer_id])
    return restored.record
