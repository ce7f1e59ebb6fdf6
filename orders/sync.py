"""What products and orders add to the bulk sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.records import Errors, Key, Moment, Reader, SyncRecord, fixed
from customers import divisions
from customers.aliases import ids_by_number, no_customer
from orders.amounts import check_amount, lines_amount
from orders.events import tell_orders
from orders.models import Order, OrderLine, OrderStatus, Product
from orders.settling import settle_later
from orders.skus import ids_by_sku, no_product, skus_of
from orders.synced_lines import SyncedLines

Text20: TypeAlias = Annotated[str, Meta(max_length=20)]
Text50: TypeAlias = Annotated[str, Meta(max_length=50)]
Text100: TypeAlias = Annotated[str, Meta(max_length=100)]
Text200: TypeAlias = Annotated[str, Meta(max_length=200)]
Text300: TypeAlias = Annotated[str, Meta(max_length=300)]
#: The columns of a line, in this order.
_LINE_COLUMNS = ("line_no", "product_id", "quantity", "unit_price", "batch")
Line: TypeAlias = tuple[int, int, Decimal, Decimal, str]
_LINES = SyncedLines(OrderLine, "order_id", _LINE_COLUMNS, key=itemgetter(0))

MOST_LINES = 1000


class ProductRecord(SyncRecord):
    """A product as the ERP sends it."""

    name: Text200 | UnsetType | None = UNSET
    category: Text100 | UnsetType | None = UNSET
    unit: Text20 | UnsetType | None = UNSET
    dealer_price: Decimal | UnsetType | None = UNSET
    retail_price: Decimal | UnsetType | None = UNSET
    unit_cost: Decimal | UnsetType | None = UNSET
    launched_on: date | UnsetType | None = UNSET
    active: bool | UnsetType | None = UNSET


class ProductSync(SyncResource[ProductRecord]):
    """Products need nothing but their own columns."""

    name = "products"
    model = Product
    reader = Reader(ProductRecord)
    columns = (
        "name",
        "category",
        "unit",
        "dealer_price",
        "retail_price",
        "unit_cost",
        "launched_on",
        "active",
        "source_updated_at",
    )
    required = ("name",)

    #: What a column holds where a record empties it or never mentions it.
    blank: ClassVar[Mapping[str, Any]] = {
        "name": "",
        "category": "",
        "unit": "",
        "dealer_price": None,
        "retail_price": None,
        "unit_cost": None,
        "launched_on": None,
        "active": True,
        "source_updated_at": None,
    }

    def check(self, record: ProductRecord) -> Errors:
        errors: Errors = {}
        for name in ("dealer_price", "retail_price", "unit_cost"):
            value = getattr(record, name)
            if isinstance(value, Decimal):
                try:
                    price = fixed(value, digits=12, places=2)
                    if price < 0:
                        raise ValueError(_("A price is not negative."))
                    setattr(record, name, price)
                except ValueError as bad:
                    errors[name] = [str(bad)]
        return errors

    def merge(self, record: ProductRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        for name, empty in self.blank.items():
            value = getattr(record, name)
            if value is not UNSET:
                values[name] = empty if value is None else value
        return values


class LineRecord(msgspec.Struct, kw_only=True):
    """A line of an order. Without a number it takes that of its place."""

    product: Key
    quantity: Decimal
    unit_price: Decimal
    line_no: Annotated[int, Meta(ge=1, le=2_147_483_647)] | UnsetType = UNSET
    batch: Text50 | UnsetType | None = UNSET


class OrderRecord(SyncRecord):
    """An order as the ERP sends it."""

    customer: Key | UnsetType | None = UNSET
    ordered_at: Moment | UnsetType | None = UNSET
    status: Annotated[str, Meta(max_length=20)] | UnsetType | None = UNSET
    delivery_address: Text300 | UnsetType | None = UNSET
    delivery_division: Annotated[str, Meta(max_length=6)] | UnsetType | None = UNSET
    payment_method: Text50 | UnsetType | None = UNSET
    promotion: Text50 | UnsetType | None = UNSET
    amount: Decimal | UnsetType | None = UNSET
    lines: Annotated[list[LineRecord], Meta(max_length=MOST_LINES)] | UnsetType | None = UNSET


_STATUSES = tuple(OrderStatus.values)
_TEXTS = ("delivery_address", "delivery_division", "payment_method", "promotion")


class OrderSync(SyncResource[OrderRecord]):
    """Orders refer to customers and products, and keep their lines.

    The values of an order carry its lines under "lines", sorted by number.
    """

    name = "orders"
    model = Order
    reader = Reader(OrderRecord)
    columns = (
        "customer_id",
        "ordered_at",
        "status",
        *_TEXTS,
        "amount",
        "source_updated_at",
    )
    required = ("customer", "ordered_at")
    in_parts = True
    fresh: ClassVar[Mapping[str, Any]] = {"held": False}
    blank: ClassVar[Mapping[str, Any]] = {
        "customer_id": None,
        "ordered_at": None,
        "status": OrderStatus.CONFIRMED.value,
        **dict.fromkeys(_TEXTS, ""),
        "amount": None,
        "source_updated_at": None,
        "lines": (),
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.customers: dict[str, int] = {}
        self.products: dict[str, int] = {}
        #: The products of all lines, sent and stored, for the audit log.
        self.skus: dict[int, str] = {}
        #: The ids of the stored lines, by order and number.
        self.line_ids: dict[tuple[int, int], int] = {}

    # --- before the transaction

    def check(self, record: OrderRecord) -> Errors:
        errors: Errors = {}
        status = record.status
        if isinstance(status, str) and status not in _STATUSES:
            errors["status"] = [
                _("“%(value)s” is not one of: %(choices)s.")
                % {"value": status, "choices": ", ".join(_STATUSES)}
            ]
        division = record.delivery_division
        if division and not divisions.is_known(division):
            errors["delivery_division"] = [
                _("No division has the code “%(code)s”.") % {"code": division}
            ]
        if isinstance(record.amount, Decimal):
            try:
                record.amount = fixed(record.amount, digits=14, places=2)
            except ValueError as bad:
                errors["amount"] = [str(bad)]
        if record.lines:
            self._check_lines(record.lines, errors)
        return errors

    def _check_lines(self, lines: Sequence[LineRecord], errors: Errors) -> None:
        numbers = set()
        for at, line in enumerate(lines):
            try:
                line.quantity = fixed(line.quantity, digits=14, places=3)
                if not line.quantity:
                    raise ValueError(_("A quantity is not zero."))
            except ValueError as bad:
                errors[f"lines.{at}.quantity"] = [str(bad)]
            try:
                line.unit_price = fixed(line.unit_price, digits=12, places=2)
                if line.unit_price < 0:
                    raise ValueError(_("A price is not negative."))
            except ValueError as bad:
                errors[f"lines.{at}.unit_price"] = [str(bad)]
            if line.line_no is UNSET:
                line.line_no = at + 1
            if line.line_no in numbers:
                errors[f"lines.{at}.line_no"] = [
                    _("Line %(number)d stands twice.") % {"number": line.line_no}
                ]
            numbers.add(line.line_no)
            line.product = line.product.strip()
            if line.batch:
                line.batch = line.batch.strip()

    # --- against what is stored

    def gather(self, records: Sequence[OrderRecord], stored: Mapping[str, Values]) -> None:
        customers = {r.customer for r in records if isinstance(r.customer, str)}
        products = {line.product for r in records if r.lines for line in r.lines}
        if customers:
            self.customers = ids_by_number(customers, self.user)
        if products:
            self.products = ids_by_sku(products, self.user)
            self.skus = {pk: sku for sku, pk in self.products.items()}
        self.line_ids = {}
        if stored:
            self._add_lines(stored)

    def _add_lines(self, stored: Mapping[str, Values]) -> None:
        lines: dict[int, list[Line]] = {}
        products: set[int] = set()
        rows = (
            OrderLine.objects.filter(order__id__among=[row["id"] for row in stored.values()])
            .order_by("order_id", "line_no")
            .values_list("id", "order_id", *_LINE_COLUMNS)
        )
        for pk, order_id, *line in rows:
            self.line_ids[order_id, line[0]] = pk
            lines.setdefault(order_id, []).append(tuple(line))
            products.add(line[1])
        self.skus |= skus_of(products - self.skus.keys())
        for values in stored.values():
            values["lines"] = tuple(lines.get(values["id"], ()))

    def merge(self, record: OrderRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        if isinstance(record.customer, str):
            customer = self.customers.get(record.customer)
            if customer is None:
                errors["customer"] = [no_customer(record.customer)]
            values["customer_id"] = customer
        if record.ordered_at is not UNSET:
            values["ordered_at"] = record.ordered_at
        if record.status is not UNSET:
            values["status"] = record.status or self.blank["status"]
        for name in _TEXTS:
            text = getattr(record, name)
            if text is not UNSET:
                values[name] = text or ""
        self._merge_amount(record, values, errors)
        if errors:
            raise Rejected(errors)
        return values

    def _merge_amount(self, record: OrderRecord, values: Values, errors: Errors) -> None:
        """The lines and the amount, which must agree; a return is kept without its minus."""
        given = record.amount if isinstance(record.amount, Decimal) else None
        # null empties the amount, unless lines say what it is
        kept = values["amount"] if record.amount is UNSET or values["lines"] else None
        returned = values["status"] == OrderStatus.RETURNED
        if record.lines is not UNSET:
            had_lines = bool(values["lines"])
            values["lines"] = self._lines(record.lines or (), returned=returned, errors=errors)
            if given is None and not values["lines"] and not had_lines:
                given = kept
        elif given is None:
            given = kept
        elif values["lines"] and abs(given) != values["amount"]:
            errors["amount"] = [
                _("The stored lines come to %(total)s; send the new lines with the new amount.")
                % {"total": f"{lines_amount([line[2:4] for line in values['lines']]):.2f}"}
            ]
        if errors:
            return
        try:
            values["amount"] = check_amount(
                status=values["status"],
                amount=given,
                lines=[line[2:4] for line in values["lines"]],
            )
        except ValidationError as bad:
            errors.update(bad.message_dict)

    def _lines(
        self, records: Sequence[LineRecord], *, returned: bool, errors: Errors
    ) -> tuple[Line, ...]:
        lines: list[Line] = []
        negative = bool(records) and records[0].quantity < 0
        for at, line in enumerate(records):
            product = self.products.get(line.product)
            if product is None:
                errors[f"lines.{at}.product"] = [no_product(line.product)]
                continue
            quantity = line.quantity
            if quantity < 0 and not returned:
                errors[f"lines.{at}.quantity"] = [
                    _("A quantity is above zero; a return has its status.")
                ]
            elif returned and (quantity < 0) != negative:
                errors[f"lines.{at}.quantity"] = [
                    _("The lines of a return are all negative or all positive.")
                ]
            assert line.line_no is not UNSET
            lines.append((line.line_no, product, abs(quantity), line.unit_price, line.batch or ""))
        lines.sort()
        return tuple(lines)

    # --- after the orders are written

    def shown(self, name: str, value: Any) -> Any:
        return [self._shown_line(line) for line in value] if name == "lines" else value

    def shown_change(self, name: str, before: Any, after: Any) -> tuple[Any, Any]:
        """Of lines, those that differ: an order may have hundreds."""
        if name != "lines":
            return before, after
        before, after = _LINES.differing(before, after)
        return self.shown(name, before), self.shown(name, after)

    def _shown_line(self, line: Line) -> dict[str, Any]:
        number, product, quantity, price, batch = line
        shown = {
            "line_no": number,
            "product": self.skus[product],
            "quantity": quantity,
            "unit_price": price,
        }
        if batch:
            shown["batch"] = batch
        return shown

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Write the lines, have the customers worked out, and tell who listens."""
        _LINES.write(changes, self.line_ids)
        sides = [side for change in changes for side in (change.before, change.after) if side]
        settle_later({side["customer_id"] for side in sides}, stock=True)
        tell_orders(
            created=[change.pk for change in changes if change.before is None],
            changed={change.pk: change.moved() for change in changes if change.before is not None},
            at=now,
        )
