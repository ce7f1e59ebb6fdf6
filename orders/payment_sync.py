"""What payments add to the bulk sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeAlias

from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.records import Errors, Key, Moment, Reader, SyncRecord, fixed
from customers.aliases import ids_by_number, no_customer
from orders.events import tell_payments
from orders.models import Order, Payment
from orders.settling import settle_later

Text50: TypeAlias = Annotated[str, Meta(max_length=50)]


class PaymentRecord(SyncRecord):
    """A payment as the ERP sends it; below zero where money went back."""

    customer: Key | UnsetType | None = UNSET
    order: Key | UnsetType | None = UNSET
    paid_at: Moment | UnsetType | None = UNSET
    amount: Decimal | UnsetType | None = UNSET
    method: Text50 | UnsetType | None = UNSET


class PaymentSync(SyncResource[PaymentRecord]):
    """Payments refer to their customer, and to one of its orders where they name one."""

    name = "payments"
    model = Payment
    reader = Reader(PaymentRecord)
    columns = ("customer_id", "order_id", "paid_at", "amount", "method", "source_updated_at")
    required = ("customer", "paid_at", "amount")
    fresh: ClassVar[Mapping[str, Any]] = {"note": "", "reverses_id": None, "client_id": None}
    blank: ClassVar[Mapping[str, Any]] = {
        "customer_id": None,
        "order_id": None,
        "paid_at": None,
        "amount": None,
        "method": "",
        "source_updated_at": None,
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.customers: dict[str, int] = {}
        #: Orders in sight: number → (id, customer).
        self.orders: dict[str, tuple[int, int]] = {}
        #: The customers of the orders that stored payments name.
        self.owners: dict[int, int] = {}
        #: Stored payments that somebody took back here.
        self.reversed: set[int] = set()

    def check(self, record: PaymentRecord) -> Errors:
        if isinstance(record.amount, Decimal):
            try:
                record.amount = fixed(record.amount, digits=14, places=2)
                if not record.amount:
                    raise ValueError(_("A payment is not zero."))
            except ValueError as bad:
                return {"amount": [str(bad)]}
        return {}

    def gather(self, records: Sequence[PaymentRecord], stored: Mapping[str, Values]) -> None:
        numbers = {record.customer for record in records if isinstance(record.customer, str)}
        self.customers = ids_by_number(numbers, self.user)
        orders = Order.objects.visible_to(self.user)
        named = {record.order for record in records if isinstance(record.order, str)}
        if named:
            self.orders = {
                number: (pk, customer)
                for number, pk, customer in orders.filter(external_id__among=named).values_list(
                    "external_id", "pk", "customer_id"
                )
                if number
            }
        if stored:
            ids = [row["order_id"] for row in stored.values() if row["order_id"]]
            self.owners = dict(Order.objects.filter(pk__among=ids).values_list("pk", "customer_id"))
            taken_back = Payment.objects.filter(
                reverses__id__among=[row["id"] for row in stored.values()]
            )
            self.reversed = set(taken_back.values_list("reverses_id", flat=True))

    def merge(self, record: PaymentRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        if isinstance(record.customer, str):
            customer = self.customers.get(record.customer)
            if customer is None:
                errors["customer"] = [no_customer(record.customer)]
            values["customer_id"] = customer
        if record.paid_at is not UNSET:
            values["paid_at"] = record.paid_at
        if record.amount is not UNSET:
            values["amount"] = record.amount
        if record.method is not UNSET:
            values["method"] = record.method or ""
        self._merge_order(record, values, errors)
        if stored is not None and stored["id"] in self.reversed:
            for column, name in (("amount", "amount"), ("customer_id", "customer"),
                                 ("order_id", "order")):  # fmt: skip
                if values[column] != stored[column]:
                    errors[name] = [_("This payment was taken back here; it stays as it is.")]
        if errors:
            raise Rejected(errors)
        return values

    def _merge_order(self, record: PaymentRecord, values: Values, errors: Errors) -> None:
        """The order that is named; it must be the customer's own."""
        owner = self.owners.get(values["order_id"]) if values["order_id"] else None
        if record.order is None or record.order == "":
            values["order_id"], owner = None, None
        elif isinstance(record.order, str):
            if record.order not in self.orders:
                errors["order"] = [
                    _("No order has external_id '%(value)s'.") % {"value": record.order}
                ]
                return
            values["order_id"], owner = self.orders[record.order]
        if owner is not None and "customer" not in errors and owner != values["customer_id"]:
            moved = not isinstance(record.order, str)
            if moved and record.customer is UNSET:
                return  # the order went to another customer since; the ledger bears that
            errors["order"] = [_("This order is another customer’s.")]

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Have the customers' balances worked out again once this is committed."""
        sides = [side for change in changes for side in (change.before, change.after) if side]
        settle_later({side["customer_id"] for side in sides})
        tell_payments(
            created=[change.pk for change in changes if change.before is None],
            changed={change.pk: change.moved() for change in changes if change.before is not None},
            at=now,
        )
