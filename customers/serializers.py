"""The customer file as the API reads and writes it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers

from accounts.models import User
from accounts.roles import Role
from crm.lib.api import MomentField, RecordSerializer, ScopedRelatedField
from customers import divisions, hierarchy, phones
from customers.addresses import Area, settled
from customers.hierarchy import Tie
from customers.models import Customer, Loyalty, Tier

MOST_CUSTOM = 20_000


class TierSerializer(serializers.Serializer[Customer]):
    """The tier and the reason for it; `score` is the key-account score once it is kept (P10)."""

    abc = serializers.ChoiceField(choices=Tier.choices, allow_null=True)
    loyalty = serializers.ChoiceField(choices=Loyalty.choices, allow_null=True)
    score = serializers.IntegerField(source="tier_facts.score", default=None, allow_null=True)
    reason = serializers.CharField(source="tier_facts.reason", default=None, allow_null=True)
    as_of = serializers.DateField(source="tier_facts.as_of", default=None, allow_null=True)


class TieField(ScopedRelatedField):
    """A customer above this one; null where it is out of the caller's sight.

    The customer says which of them are in sight: `above_in_sight`, a set of ids.
    """

    takes_back = False  # what is not shown is not confirmed either

    def get_attribute(self, instance: Any) -> Any:
        above = super().get_attribute(instance)
        return above if above is not None and above.pk in instance.above_in_sight else None


class CustomerSerializer(RecordSerializer[Customer]):
    """One customer's file. `external_id` is the key of the ERP."""

    parent = TieField(  # type: ignore[assignment]  # the contract's name
        slug_field="external_id",
        also="aliases__external_id",
        queryset=Customer.objects.all(),
        required=False,
        allow_null=True,
        help_text="external_id of the customer that supplies this one.",
    )
    group_head = TieField(
        slug_field="external_id",
        also="aliases__external_id",
        queryset=Customer.objects.all(),
        required=False,
        allow_null=True,
        help_text="external_id of the company at the head of the group that this one belongs to.",
    )
    owner = ScopedRelatedField(
        slug_field="username",
        queryset=User.objects.get_queryset().owners(),
        required=False,
        allow_null=True,
        help_text="Username of the rep or manager who answers for the customer.",
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=50, required=False
    )
    custom = serializers.DictField(required=False)
    source_updated_at = MomentField(required=False, allow_null=True)
    tiers = TierSerializer(source="*", read_only=True)
    completeness = serializers.IntegerField(
        read_only=True, min_value=0, max_value=100, help_text="Share of the file, in %."
    )

    class Meta:
        model = Customer
        fields = (
            "id",
            "external_id",
            "name",
            "kind",
            "status",
            "parent",
            "group_head",
            "owner",
            "division",
            "division_found",
            "address",
            "latitude",
            "longitude",
            "phone",
            "email",
            "tax_id",
            "founded_on",
            "buyout",
            "tags",
            "custom",
            "source_updated_at",
            "abc",
            "loyalty",
            "key_account",
            "tiers",
            "completeness",
            "created_at",
            "updated_at",
        )
        read_only_fields = (
            *("division_found", "abc", "loyalty", "key_account"),
            *("created_at", "updated_at"),
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A division that is missing comes from the address; ties out of sight stay."""
        attrs = super().validate(self._without_hidden_ties(attrs))
        if attrs.keys() & {"division", "address"}:
            before = Area.of(self.instance)
            place = settled(
                before,
                division=attrs.get("division"),
                address=attrs.get("address", before.address),
            )
            attrs |= {"division": place.division, "division_found": place.found}
        return attrs

    def _without_hidden_ties(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """`attrs` without the nulls that stand for what the caller may not see."""
        if self.instance is None or not attrs.keys() & set(Tie.values):
            return attrs
        seen = hierarchy.above_in_sight([self.instance], self.context["request"].user)
        hidden = {
            tie
            for tie in Tie.values
            if (above := getattr(self.instance, f"{tie}_id")) is not None and above not in seen
        }
        if replaced := [tie for tie in hidden if attrs.get(tie) is not None]:
            told = _("It has another one, which you may not see: only who sees both may change it.")
            raise serializers.ValidationError({tie: [told] for tie in replaced})
        return {name: value for name, value in attrs.items() if name not in hidden}

    def validate_division(self, code: str) -> str:
        if code and not divisions.is_known(code):
            raise serializers.ValidationError(
                _("No division has the code “%(code)s”.") % {"code": code}
            )
        return code

    def validate_phone(self, text: str) -> str:
        """E.164; what is stored unread may be sent back as it was."""
        return text if self.instance and text == self.instance.phone else phones.parse(text)

    def validate_custom(self, values: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(values)) > MOST_CUSTOM:
            raise serializers.ValidationError(_("Own fields hold at most 20,000 characters."))
        return values

    def validate_owner(self, owner: User | None) -> User | None:
        """Only who may assign customers hands one over; a new one may be given at once."""
        user = self.context["request"].user
        changes = self.instance is not None and owner != self.instance.owner
        if changes and not (user.role == Role.INTEGRATION or user.may("customers:assign")):
            raise exceptions.PermissionDenied(_("Only a manager may hand over a customer."))
        return owner


class MergeSerializer(serializers.Serializer[Any]):
    into = serializers.IntegerField(
        min_value=1, max_value=2**63 - 1, help_text="Id of the file that stays."
    )


class StatsSerializer(serializers.Serializer[Any]):
    """What a customer's orders come to; days are the company's."""

    as_of = serializers.DateField()
    order_count = serializers.IntegerField(help_text="Counted orders, ever.")
    net_amount = serializers.DecimalField(
        max_digits=18, decimal_places=2, help_text="Counted orders less returns, ever."
    )
    window_from = serializers.DateField(help_text="The first day of the last 12 months.")
    window_order_count = serializers.IntegerField()
    window_net_amount = serializers.DecimalField(max_digits=18, decimal_places=2)
    first_ordered_on = serializers.DateField(allow_null=True)
    last_ordered_on = serializers.DateField(allow_null=True)
    days_since_last_order = serializers.IntegerField(allow_null=True)
    average_interval_days = serializers.FloatField(
        allow_null=True, help_text="Mean number of days from one day with an order to the next."
    )


class TimelineEntrySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    words = serializers.CharField(allow_blank=True, help_text="The customer's own words.")
    ref = serializers.CharField(allow_blank=True, help_text="The name of the record.")
    url = serializers.CharField(allow_blank=True, help_text="The page of the record.")


class TimelineSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = TimelineEntrySerializer(many=True)


class RelativeSerializer(serializers.ModelSerializer[Customer]):
    """A customer above another one."""

    class Meta:
        model = Customer
        fields = ("id", "external_id", "name", "kind", "abc")


class TotalSerializer(serializers.Serializer[Any]):
    customers = serializers.IntegerField()
    net_amount = serializers.DecimalField(
        max_digits=18, decimal_places=2, help_text="Net amount of the tier window."
    )
    orders = serializers.IntegerField(help_text="Counted orders of the tier window.")


class TotalsSerializer(TotalSerializer):
    by_kind = serializers.DictField(child=TotalSerializer(), help_text="By kind of customer.")


class TieSerializer(serializers.Serializer[Any]):
    above = RelativeSerializer(many=True, help_text="The topmost first.")
    below = TotalsSerializer(help_text="All customers below, at any depth.")


class NetworkSerializer(serializers.Serializer[Any]):
    """Where a customer stands: in the chain of supply, and in its group of companies."""

    supply = TieSerializer()
    group = TieSerializer()
