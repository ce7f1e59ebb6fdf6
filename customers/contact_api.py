"""The contacts resource of the REST API: serializer, filters, viewset, bulk sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.urls import path
from django.utils import timezone
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.sync_api import SyncSchema, SyncView, described
from crm.lib.api import (
    MomentField,
    RecordSerializer,
    RecordViewSet,
    ScopedRelatedField,
    fetch_related,
)
from customers import birthdays, phones
from customers.birthdays import Parts
from customers.contact_sync import ContactSync
from customers.contacts import save_contact
from customers.models import BuyingRole, Contact, Customer

PARTS = ("birth_year", "birth_month", "birth_day")


class BirthdayField(serializers.CharField):
    """What is known of a date of birth, in its own calendar."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=10, allow_blank=True, source="birthday_text", **options)

    def to_internal_value(self, data: Any) -> Any:
        try:
            return birthdays.from_text(super().to_internal_value(data))
        except ValueError as bad:
            raise serializers.ValidationError(str(bad)) from bad


class ContactSerializer(RecordSerializer[Contact]):
    """A person at a customer. `external_id` is the key of the ERP."""

    customer = ScopedRelatedField(
        slug_field="external_id",
        queryset=Customer.objects.all(),
        help_text="external_id of the customer.",
    )
    customer_id = serializers.IntegerField(read_only=True)
    birthday = BirthdayField(
        required=False,
        help_text=(
            "Year, month and day in the calendar that `birthday_calendar` names: `1968-05-03`; "
            "`--05-03` without the year, `1968` where only the year is known, empty for nothing. "
            "A lunar date (`1968-02-30`) need not be a solar one."
        ),
    )
    birthday_leap = serializers.BooleanField(
        required=False, help_text="Whether the month is a leap month of the lunar calendar."
    )
    next_birthday_on = serializers.SerializerMethodField(
        help_text="The next day, today included, on which the birthday is kept: a solar date."
    )
    source_updated_at = MomentField(required=False, allow_null=True)

    class Meta:
        model = Contact
        fields = (
            "id",
            "external_id",
            "customer",
            "customer_id",
            "name",
            "gender",
            "title",
            "phone",
            "email",
            "wechat",
            "birthday",
            "birthday_calendar",
            "birthday_leap",
            "next_birthday_on",
            "buying_role",
            "rapport",
            "likes",
            "has_left",
            "source_updated_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("created_at", "updated_at")

    @extend_schema_field({"type": ["string", "null"], "format": "date"})
    def get_next_birthday_on(self, contact: Contact) -> str | None:
        day = birthdays.next_on(contact.birthday, timezone.localdate())
        return day.isoformat() if day else None

    def validate_phone(self, text: str) -> str:
        """E.164; what is stored unread may be sent back as it was."""
        return text if self.instance and text == self.instance.phone else phones.parse(text)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The birthday in its parts, which are the model's."""
        attrs = dict(attrs)
        if "birthday_text" in attrs:
            parts = attrs.pop("birthday_text") or Parts()
            attrs |= dict(zip(PARTS, parts, strict=True))
            if parts.month is None:
                attrs["birthday_leap"] = False
        try:
            return super().validate(attrs)
        except serializers.ValidationError as refused:
            detail: Any = refused.detail
            said = [text for name in PARTS for text in detail.pop(name, [])]
            if said:
                detail["birthday"] = said
            raise


class ContactFilter(FilterSet):
    """`customer` is the external_id, `customer_id` the number here."""

    customer = django_filters.CharFilter(field_name="customer__external_id")
    customer_id = django_filters.NumberFilter(field_name="customer_id")
    external_id = django_filters.CharFilter()
    buying_role = django_filters.ChoiceFilter(choices=BuyingRole.choices)
    has_left = django_filters.BooleanFilter()

    class Meta:
        model = Contact
        fields: list[str] = []


class ContactViewSet(RecordViewSet):
    """The people at the customers."""

    scope = "contacts"
    queryset = Contact.objects.all()
    serializer_class = ContactSerializer
    filterset_class = ContactFilter
    ordering_fields: ClassVar[Sequence[str]] = ("id", "name", "created_at", "updated_at")

    def prepare(self, rows: Sequence[Any]) -> None:
        fetch_related(rows, "customer")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = save_contact(contact=Contact(**serializer.validated_data))

    def perform_update(self, serializer: Any) -> None:
        if serializer.changes():
            for name, value in serializer.validated_data.items():
                setattr(serializer.instance, name, value)
            save_contact(contact=serializer.instance)


@described
class ContactSyncView(SyncView):
    """Creates and changes contacts by their number in the ERP."""

    scope = "contacts"
    resource = ContactSync
    schema = SyncSchema()


routes: list[tuple[str, Any, str]] = [("contacts", ContactViewSet, "contact")]
urls = [path("contacts/sync/", ContactSyncView.as_view(), name="contact-sync")]
