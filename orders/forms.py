"""The form of a product."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.versions import VersionedForm
from orders.models import Product


class ProductForm(VersionedForm[Product]):
    """What we sell and at which prices."""

    class Meta:
        model = Product
        fields = (
            "name", "external_id", "category", "unit", "dealer_price", "retail_price",
            "unit_cost", "launched_on", "active",
        )  # fmt: skip
        error_messages = {"external_id": {"unique": _("Another product has this SKU already.")}}
        widgets = {
            "launched_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "dealer_price": forms.TextInput(attrs={"inputmode": "decimal"}),
            "retail_price": forms.TextInput(attrs={"inputmode": "decimal"}),
            "unit_cost": forms.TextInput(attrs={"inputmode": "decimal"}),
        }
