"""What counts of dealers' stock add to the bulk sync (P23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.fields import check_day
from crm.lib.formats import local_day
from crm.lib.records import Errors, Key, Moment, Reader, SyncRecord, fixed
from customers.aliases import ids_by_number, no_customer
from orders.models import StockLine, StockReport, StockSource
from orders.settling import restock_later
from orders.skus import ids_by_sku, no_product, skus_of
from orders.synced_lines import SyncedLines

Text50: TypeAlias = Annotated[str, Meta(max_length=50)]
#: The columns of a line, in this order; the first two name it within its report.
_LINE_COLUMNS = ("product_id", "batch", "produced_on", "quantity")
Line: TypeAlias = tuple[int, str, date | None, Decimal]
LineKey: TypeAlias = tuple[int, str]
_key = itemgetter(0, 1)
_LINES = SyncedLines(StockLine, "report_id", _LINE_COLUMNS, key=_key)

MOST_LINES = 1000
#: So far may the clock of another system, or its idea of the time zone, be ahead of ours.
AHEAD = timedelta(days=1)


class StockLineRecord(msgspec.Struct, kw_only=True):
    """How much there is of a batch of a product; 0 where it is gone."""

    product: Key
    quantity: Decimal
    batch: Text50 | UnsetType | None = UNSET
    produced_on: date | UnsetType | None = UNSET


class StockReportRecord(SyncRecord):
    """A count as another system sends it; its lines take the place of those stored."""

    customer: Key | UnsetType | None = UNSET
    reported_at: Moment | UnsetType | None = UNSET
    lines: Annotated[list[StockLineRecord], Meta(max_length=MOST_LINES)] | UnsetType | None = UNSET


class StockReportSync(SyncResource[StockReportRecord]):
    """Counts refer to their customer and to products, and keep their lines.

    The values of a count carry its lines under "lines", sorted by product and batch.
    """

    name = "stock-reports"
    model = StockReport
    reader = Reader(StockReportRecord)
    columns = ("customer_id", "reported_at", "source_updated_at")
    required = ("customer", "reported_at", "lines")
    in_parts = True
    fresh: ClassVar[Mapping[str, Any]] = {
        "source": StockSource.API.value,
        "note": "",
        "client_id": None,
    }
    blank: ClassVar[Mapping[str, Any]] = {
        "customer_id": None,
        "reported_at": None,
        "source_updated_at": None,
        "lines": (),
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.customers: dict[str, int] = {}
        self.products: dict[str, int] = {}
        #: The products of all lines, sent and stored, for the audit log.
        self.skus: dict[int, str] = {}
        #: The ids of the stored lines.
        self.line_ids: dict[tuple[int, LineKey], int] = {}

    # --- before the transaction

    def check(self, record: StockReportRecord) -> Errors:
        errors: Errors = {}
        if ahead := too_far_ahead(record.reported_at, self.now):
            errors["reported_at"] = [ahead]
        if record.lines == []:
            errors["lines"] = [
                _("A count names at least one product; one that is gone is counted with 0.")
            ]
        elif record.lines:
            self._check_lines(record.lines, errors)
        return errors

    def _check_lines(self, lines: Sequence[StockLineRecord], errors: Errors) -> None:
        for at, line in enumerate(lines):
            try:
                line.quantity = fixed(line.quantity, digits=14, places=3)
                if line.quantity < 0:
                    raise ValueError(_("Nobody has less than nothing of a product."))
            except ValueError as bad:
                errors[f"lines.{at}.quantity"] = [str(bad)]
            if isinstance(line.produced_on, date):
                try:
                    check_day(line.produced_on)
                except ValueError as bad:
                    errors[f"lines.{at}.produced_on"] = [str(bad)]
            line.product = line.product.strip()
            line.batch = line.batch.strip() if isinstance(line.batch, str) else ""

    # --- against what is stored

    def gather(self, records: Sequence[StockReportRecord], stored: Mapping[str, Values]) -> None:
        numbers = {r.customer for r in records if isinstance(r.customer, str)}
        if numbers:
            self.customers = ids_by_number(numbers, self.user)
        self.products = ids_by_sku(
            {line.product for r in records if r.lines for line in r.lines}, self.user
        )
        self.skus = {pk: sku for sku, pk in self.products.items()}
        self.line_ids = {}
        if stored:
            self._add_lines(stored)

    def _add_lines(self, stored: Mapping[str, Values]) -> None:
        lines: dict[int, list[Line]] = {}
        products: set[int] = set()
        rows = StockLine.objects.filter(
            report__id__among=[row["id"] for row in stored.values()]
        ).values_list("id", "report_id", *_LINE_COLUMNS)
        for pk, report_id, *line in rows:
            self.line_ids[report_id, (line[0], line[1])] = pk
            lines.setdefault(report_id, []).append(tuple(line))
            products.add(line[0])
        self.skus |= skus_of(products - self.skus.keys())
        for values in stored.values():
            values["lines"] = tuple(sorted(lines.get(values["id"], ()), key=_key))

    def merge(self, record: StockReportRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        if isinstance(record.customer, str):
            values["customer_id"] = self.customers.get(record.customer)
            if values["customer_id"] is None:
                errors["customer"] = [no_customer(record.customer)]
        if isinstance(record.reported_at, datetime):
            values["reported_at"] = record.reported_at
        counted_on = local_day(values["reported_at"])
        if isinstance(record.lines, list):
            values["lines"] = self._lines(record.lines, counted_on, errors)
        elif any(made and made > counted_on for _product, _batch, made, _n in values["lines"]):
            errors["reported_at"] = [_("A batch was produced after this day.")]
        if errors:
            raise Rejected(errors)
        return values

    def _lines(
        self, records: Sequence[StockLineRecord], counted_on: date, errors: Errors
    ) -> tuple[Line, ...]:
        lines: list[Line] = []
        seen: set[LineKey] = set()
        for at, line in enumerate(records):
            product = self.products.get(line.product)
            if product is None:
                errors[f"lines.{at}.product"] = [no_product(line.product)]
                continue
            key = product, line.batch or ""
            if key in seen:
                errors[f"lines.{at}.batch"] = [_("This batch of the product is counted twice.")]
            seen.add(key)
            made = line.produced_on if isinstance(line.produced_on, date) else None
            if made and made > counted_on:
                errors[f"lines.{at}.produced_on"] = [
                    _("A batch cannot be produced after the day on which it is counted.")
                ]
            lines.append((product, line.batch or "", made, line.quantity))
        return tuple(sorted(lines, key=_key))

    # --- after the reports are written

    def shown(self, name: str, value: Any) -> Any:
        if name != "lines":
            return value
        return [
            {"product": self.skus[product], "batch": batch, "produced_on": made, "quantity": number}
            for product, batch, made, number in value
        ]

    def shown_change(self, name: str, before: Any, after: Any) -> tuple[Any, Any]:
        """Of lines, those that differ."""
        if name != "lines":
            return before, after
        before, after = _LINES.differing(before, after)
        return self.shown(name, before), self.shown(name, after)

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Write the lines, and have the dealers' stock worked out."""
        _LINES.write(changes, self.line_ids)
        sides = [side for change in changes for side in (change.before, change.after) if side]
        restock_later({side["customer_id"] for side in sides})


def too_far_ahead(moment: object, now: datetime) -> str:
    """Why another system's `moment` cannot be; "" where it can, or is no moment."""
    if isinstance(moment, datetime) and moment > now + AHEAD:
        return _("This moment has not come yet.")
    return ""
