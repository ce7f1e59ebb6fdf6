"""What prices add to the bulk sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.records import Errors, Key, Reader, SyncRecord, fixed
from orders import prices
from orders.models import Price
from orders.prices import Period
from orders.skus import ids_by_sku, no_product

MONEY = ("dealer_price", "retail_price")


class PriceRecord(SyncRecord):
    """A price as the ERP sends it."""

    product: Key | UnsetType | None = UNSET
    dealer_price: Decimal | UnsetType | None = UNSET
    retail_price: Decimal | UnsetType | None = UNSET
    valid_from: date | UnsetType | None = UNSET
    valid_to: date | UnsetType | None = UNSET


class PriceSync(SyncResource[PriceRecord]):
    """Prices refer to products, and share no day with another price of theirs."""

    name = "prices"
    model = Price
    reader = Reader(PriceRecord)
    columns = ("product_id", *MONEY, "valid_from", "valid_to", "source_updated_at")
    required = ("product", "dealer_price", "valid_from")

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.products: dict[str, int] = {}
        #: What is stored of the products in the body, by external_id, or by id where none is set.
        self.periods: dict[str | int, Period] = {}

    def check(self, record: PriceRecord) -> Errors:
        errors: Errors = {}
        for name in MONEY:
            value = getattr(record, name)
            if isinstance(value, Decimal):
                try:
                    price = fixed(value, digits=12, places=2)
                    if price < 0:
                        raise ValueError(_("A price is not negative."))
                    setattr(record, name, price)
                except ValueError as bad:
                    errors[name] = [str(bad)]
        if isinstance(record.product, str):
            record.product = record.product.strip()
        return errors

    def gather(self, records: Sequence[PriceRecord], stored: Mapping[str, Values]) -> None:
        skus = {record.product for record in records if isinstance(record.product, str)}
        self.products = ids_by_sku(skus, self.user)
        touched = {*self.products.values(), *(row["product_id"] for row in stored.values())}
        found = Price.objects.filter(product__in=touched).only(
            "external_id", "product_id", "valid_from", "valid_to"
        )
        self.periods = {price.external_id or price.pk: prices.period(price) for price in found}

    def merge(self, record: PriceRecord, stored: Values | None) -> Values:
        values = dict.fromkeys(self.columns) if stored is None else dict(stored)
        errors: Errors = {}
        if isinstance(record.product, str):
            values["product_id"] = self.products.get(record.product)
            if values["product_id"] is None:
                errors["product"] = [no_product(record.product)]
        for name in (*MONEY, "valid_from", "valid_to"):
            value = getattr(record, name)
            if value is not UNSET:
                values[name] = value
        if values["valid_to"] and values["valid_to"] < values["valid_from"]:
            errors["valid_to"] = [_("A price does not end before it begins.")]
        if errors:
            raise Rejected(errors)
        return values

    def reconsider(self, changes: Mapping[str, Change]) -> dict[str, Errors]:
        """A price that would share a day with one that stands, stored or earlier in the body."""
        kept = [one for name, one in self.periods.items() if name not in changes]
        changed = {
            name: Period(*(change.after[c] for c in ("product_id", "valid_from", "valid_to")))
            for name, change in changes.items()
        }
        return {
            name: {"valid_from": [prices.taken(other)]}
            for name, other in prices.clashing(changed, kept).items()
        }
