"""What the sales of dealers add to the bulk sync (P23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.records import Errors, Key, Moment, Reader, SyncRecord, fixed
from customers import divisions
from customers.aliases import ids_by_number, no_customer
from orders.models import SellOut
from orders.settling import restock_later
from orders.skus import ids_by_sku, no_product
from orders.stock_sync import too_far_ahead


class SellOutRecord(SyncRecord):
    """What a dealer sold, as its system or the ERP sends it; below zero where goods came back."""

    customer: Key | UnsetType | None = UNSET
    product: Key | UnsetType | None = UNSET
    sold_at: Moment | UnsetType | None = UNSET
    quantity: Decimal | UnsetType | None = UNSET
    unit_price: Decimal | UnsetType | None = UNSET
    buyer_division: Annotated[str, Meta(max_length=6)] | UnsetType | None = UNSET


class SellOutSync(SyncResource[SellOutRecord]):
    """Sell-outs refer to the customer that sold, and to the product."""

    name = "sell-outs"
    model = SellOut
    reader = Reader(SellOutRecord)
    columns = (
        *("customer_id", "product_id", "sold_at", "quantity", "unit_price", "buyer_division"),
        "source_updated_at",
    )
    required = ("customer", "product", "sold_at", "quantity")
    fresh: ClassVar[Mapping[str, Any]] = {"client_id": None}
    blank: ClassVar[Mapping[str, Any]] = {
        **dict.fromkeys(columns),
        "buyer_division": "",
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.customers: dict[str, int] = {}
        self.products: dict[str, int] = {}

    def check(self, record: SellOutRecord) -> Errors:
        errors: Errors = {}
        if isinstance(record.quantity, Decimal):
            try:
                record.quantity = fixed(record.quantity, digits=14, places=3)
                if not record.quantity:
                    raise ValueError(_("A quantity is not zero."))
            except ValueError as bad:
                errors["quantity"] = [str(bad)]
        if isinstance(record.unit_price, Decimal):
            try:
                record.unit_price = fixed(record.unit_price, digits=12, places=2)
                if record.unit_price < 0:
                    raise ValueError(_("A price is not negative."))
            except ValueError as bad:
                errors["unit_price"] = [str(bad)]
        if record.buyer_division and not divisions.is_known(record.buyer_division):
            errors["buyer_division"] = [
                _("No division has the code “%(code)s”.") % {"code": record.buyer_division}
            ]
        if ahead := too_far_ahead(record.sold_at, self.now):
            errors["sold_at"] = [ahead]
        return errors

    def gather(self, records: Sequence[SellOutRecord], stored: Mapping[str, Values]) -> None:
        numbers = {r.customer for r in records if isinstance(r.customer, str)}
        if numbers:
            self.customers = ids_by_number(numbers, self.user)
        self.products = ids_by_sku(
            {r.product for r in records if isinstance(r.product, str)}, self.user
        )

    def merge(self, record: SellOutRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        if isinstance(record.customer, str):
            values["customer_id"] = self.customers.get(record.customer)
            if values["customer_id"] is None:
                errors["customer"] = [no_customer(record.customer)]
        if isinstance(record.product, str):
            values["product_id"] = self.products.get(record.product)
            if values["product_id"] is None:
                errors["product"] = [no_product(record.product)]
        for name in ("sold_at", "quantity", "unit_price"):
            if getattr(record, name) is not UNSET:
                values[name] = getattr(record, name)
        if record.buyer_division is not UNSET:
            values["buyer_division"] = record.buyer_division or ""
        if errors:
            raise Rejected(errors)
        return values

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Have the dealers' stock worked out again once this is committed."""
        sides = [side for change in changes for side in (change.before, change.after) if side]
        restock_later({side["customer_id"] for side in sides})
