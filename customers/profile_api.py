"""The profile of a customer in the REST API: `customers/{id}/profile/`."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, cast

from django.db import transaction
from django.urls import re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from crm.lib.api import ReadViewSet, RecordSerializer
from crm.lib.etag import check_if_match, etag
from customers import reads
from customers.actions import save_profile
from customers.forms.profile import MOST_SUPPLIERS
from customers.models import Customer, Profile, Supplier


class SupplierSerializer(RecordSerializer[Supplier]):
    """Another firm that supplies the customer. An `id` names one that is on file already."""

    id = serializers.IntegerField(required=False, min_value=1)

    class Meta:
        model = Supplier
        fields = ("id", "name", "supplies", "satisfaction")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The line on its own; that its id is one of the customer's is the profile's business."""
        line = {name: value for name, value in attrs.items() if name != "id"}
        return {**attrs, **super().validate(line)}


class ProfileSerializer(RecordSerializer[Profile]):
    """What was found out about a customer. Money in the company's currency, marks from 1 to 10.

    `suppliers`, where sent, take the place of those on file.
    """

    purchase_months = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=12), max_length=12, required=False
    )
    past_categories = serializers.ListField(
        child=serializers.CharField(max_length=50), max_length=20, required=False
    )
    suppliers = SupplierSerializer(many=True, required=False)

    class Meta:
        model = Profile
        fields = (
            "capital", "staff_count", "yearly_sales", "credit_standing", "buys", "yearly_purchase",
            "purchase_rhythm", "purchase_months", "favourites", "past_categories",
            "promotion_attitude", "suggestions", "product_satisfaction", "service_satisfaction",
            "suppliers", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = ("created_at", "updated_at")

    def validate_suppliers(self, lines: list[dict[str, Any]]) -> list[Supplier]:
        """The lines as suppliers; ids must be those of this customer, each at most once."""
        assert self.instance is not None
        if len(lines) > MOST_SUPPLIERS:
            raise serializers.ValidationError(
                _("At most %(limit)d suppliers, now %(number)d.")
                % {"limit": MOST_SUPPLIERS, "number": len(lines)}
            )
        stored = {one.pk: copy(one) for one in suppliers_of(self.instance)}
        suppliers = []
        for line in lines:
            pk = line.pop("id", None)
            supplier = Supplier() if pk is None else stored.pop(pk, None)
            if supplier is None:
                raise serializers.ValidationError(
                    _("This customer has no supplier %(id)d, or it is there twice.") % {"id": pk}
                )
            for name, value in {"supplies": "", "satisfaction": None, **line}.items():
                setattr(supplier, name, value)
            suppliers.append(supplier)
        return suppliers


def suppliers_of(profile: Profile) -> list[Supplier]:
    """The suppliers on file, read once for a request."""
    known: list[Supplier] | None = profile.__dict__.get("suppliers")
    if known is None:
        known = list(Supplier.objects.filter(customer=profile.customer_id))
        profile.__dict__["suppliers"] = known
    return known


class ProfileViewSet(ReadViewSet):
    """The profiles of customers, one for each; a customer without one has an empty one."""

    scope = "customers"
    queryset = Customer.objects.all()
    serializer_class = ProfileSerializer
    http_method_names = ("get", "head", "patch")

    def profile_of(self, customer: Customer) -> Profile:
        profile = Profile.objects.filter(customer=customer).first() or Profile(customer=customer)
        profile.customer = customer
        return profile

    @extend_schema(responses=OpenApiResponse(ProfileSerializer))
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What was found out about the customer."""
        customer = self.get_object()
        user = cast(User, request.user)
        reads.note(customer.pk, reader_id=user.pk, now=timezone.now())
        return self.answer(self.profile_of(customer))

    @extend_schema(responses=OpenApiResponse(ProfileSerializer))
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is sent."""
        with transaction.atomic():
            customers = self.get_queryset().select_for_update(of=("self",))
            customer = get_object_or_404(customers, pk=kwargs["pk"])
            profile = self.profile_of(customer)
            check_if_match(request, profile.version)
            serializer = self.get_serializer(profile, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            if not changes(profile, serializer.validated_data):
                return self.answer(profile)
            for name, value in serializer.validated_data.items():
                setattr(profile, name, value)
            save_profile(profile=profile, suppliers=serializer.validated_data.get("suppliers"))
            return self.answer(self.profile_of(customer))

    def answer(self, record: Any, status: int = 200) -> Response:
        suppliers_of(record)
        headers = {"ETag": etag(record.version)}
        return Response(self.get_serializer(record).data, status=status, headers=headers)


def changes(profile: Profile, values: Mapping[str, Any]) -> bool:
    """Whether `values` differ from what is on file; what is sent again is not written."""
    suppliers = [one.in_words for one in suppliers_of(profile)]
    return any(
        [one.in_words for one in value] != suppliers
        if name == "suppliers"
        else getattr(profile, name) != value
        for name, value in values.items()
    )


urls = [
    re_path(
        r"^customers/(?P<pk>[0-9]{1,18})/profile/$",
        ProfileViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="customer-profile",
    )
]
