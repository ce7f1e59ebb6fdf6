"""What contacts add to the bulk sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from msgspec import UNSET, Meta, UnsetType

from accounts.models import User
from accounts.sync_resource import Change, Rejected, SyncResource, Values
from crm.lib.records import Errors, Key, Reader, SyncRecord
from customers import aliases, birthdays, cards, phones
from customers.birthdays import Birthday, BirthdayCalendar
from customers.models import BuyingRole, Contact, Gender

Text20: TypeAlias = Annotated[str, Meta(max_length=20)]
Text32: TypeAlias = Annotated[str, Meta(max_length=32)]
Text100: TypeAlias = Annotated[str, Meta(max_length=100)]


class ContactRecord(SyncRecord):
    """A contact as the ERP sends it."""

    customer: Key | UnsetType | None = UNSET
    name: Text100 | UnsetType | None = UNSET
    gender: Text20 | UnsetType | None = UNSET
    title: Text100 | UnsetType | None = UNSET
    phone: Text32 | UnsetType | None = UNSET
    email: Annotated[str, Meta(max_length=254)] | UnsetType | None = UNSET
    wechat: Annotated[str, Meta(max_length=64)] | UnsetType | None = UNSET
    birthday: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    birthday_calendar: Text20 | UnsetType | None = UNSET
    birthday_leap: bool | UnsetType | None = UNSET
    buying_role: Text20 | UnsetType | None = UNSET
    rapport: Annotated[int, Meta(ge=0, le=100)] | UnsetType | None = UNSET
    likes: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET
    has_left: bool | UnsetType | None = UNSET


_CHOICES = {
    "gender": Gender.values,
    "birthday_calendar": BirthdayCalendar.values,
    "buying_role": BuyingRole.values,
}
_PLAIN = (
    "name", "gender", "title", "phone", "email", "wechat", "birthday_calendar", "birthday_leap",
    "buying_role", "rapport", "likes", "has_left",
)  # fmt: skip
_PARTS = ("birth_year", "birth_month", "birth_day")


class ContactSync(SyncResource[ContactRecord]):
    """Contacts refer to their customer."""

    name = "contacts"
    model = Contact
    reader = Reader(ContactRecord)
    columns = ("customer_id", *_PLAIN, *_PARTS, "source_updated_at")
    required = ("customer", "name")
    blank: ClassVar[Mapping[str, Any]] = {
        "customer_id": None,
        "name": "",
        "gender": "",
        "title": "",
        "phone": "",
        "email": "",
        "wechat": "",
        "birthday_calendar": BirthdayCalendar.SOLAR.value,
        "birthday_leap": False,
        "buying_role": "",
        "rapport": None,
        "likes": "",
        "has_left": False,
        **dict.fromkeys(_PARTS),
        "source_updated_at": None,
    }

    def __init__(self, user: User) -> None:
        super().__init__(user)
        self.customers: dict[str, int] = {}

    # --- before the transaction

    def check(self, record: ContactRecord) -> Errors:
        errors: Errors = {}
        for name, choices in _CHOICES.items():
            value = getattr(record, name)
            if isinstance(value, str) and value and value not in choices:
                errors[name] = [
                    _("“%(value)s” is not one of: %(choices)s.")
                    % {"value": value, "choices": ", ".join(choices)}
                ]
        if record.phone:
            record.phone = phones.stored(record.phone)  # what nobody can read stays as it came
        if record.email:
            try:
                validate_email(record.email)
            except ValidationError as bad:
                errors["email"] = bad.messages
        if isinstance(record.birthday, str):
            try:
                birthdays.from_text(record.birthday)
            except ValueError as bad:
                errors["birthday"] = [str(bad)]
        return errors

    # --- against what is stored

    def gather(self, records: Sequence[ContactRecord], stored: Mapping[str, Values]) -> None:
        numbers = {record.customer for record in records if isinstance(record.customer, str)}
        self.customers = aliases.ids_by_number(numbers, self.user)

    def merge(self, record: ContactRecord, stored: Values | None) -> Values:
        values = dict(self.blank if stored is None else stored)
        errors: Errors = {}
        if isinstance(record.customer, str):
            customer = self.customers.get(record.customer)
            if customer is None:
                errors["customer"] = [aliases.no_customer(record.customer)]
            values["customer_id"] = customer
        for name in _PLAIN:
            value = getattr(record, name)
            if value is not UNSET:
                values[name] = self.blank[name] if value in (None, "") else value
        if record.birthday is not UNSET:
            values |= zip(_PARTS, birthdays.from_text(record.birthday or ""), strict=True)
        if fault := _birthday_fault(values):
            errors["birthday"] = [fault]
        if errors:
            raise Rejected(errors)
        return values

    # --- after the contacts are written

    def settle(self, changes: Sequence[Change], *, now: datetime) -> None:
        """Let their customers be found by them."""
        sides = [side for change in changes for side in (change.before, change.after) if side]
        cards.refresh({side["customer_id"] for side in sides})


def _birthday_fault(values: Values) -> str:
    """What is wrong with the merged birthday; a leap month without a month is left out."""
    year, month, day = (values[name] for name in _PARTS)
    if month is None or day is None:
        values["birthday_leap"] = False
        if year is not None and year not in birthdays.YEARS:
            return birthdays.fault(Birthday(BirthdayCalendar.SOLAR, 1, 1, year=year))
        return ""
    calendar, leap = values["birthday_calendar"], values["birthday_leap"]
    return birthdays.fault(Birthday(calendar, month, day, leap, year))
