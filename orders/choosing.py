"""Choosing a product in a form by what people know of it: its SKU, or a part of its name."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext as _

from orders.models import Product, ProductQuerySet

#: So many products are suggested while somebody types.
SUGGESTED = 20
#: The list of suggestions that every field of a page shares.
OPTIONS = "product-options"


def suggested(products: ProductQuerySet, words: str) -> ProductQuerySet:
    """The products on sale whose SKU begins with `words`, or whose name has them."""
    found = products.active().filter(_fits(words.strip()))
    return found.order_by("name", "pk")[:SUGGESTED]


def _fits(words: str) -> Q:
    return Q(external_id__istartswith=words) | Q(name__icontains=words)


class ProductField(forms.CharField):
    """A product, typed; `products` are those that may be chosen."""

    products: ProductQuerySet

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=200,
            widget=forms.TextInput(
                attrs={
                    "list": OPTIONS,
                    "autocomplete": "off",
                    "hx-get": reverse_lazy("orders:product-options"),
                    "hx-trigger": "input changed delay:250ms",
                    "hx-target": f"#{OPTIONS}",
                    "hx-push-url": "false",
                }
            ),
            **options,
        )

    def prepare_value(self, value: Any) -> Any:
        return value.external_id if isinstance(value, Product) else value

    def clean(self, value: Any) -> Any:
        words = super().clean(value)
        if not words:
            return None
        named = self.products.filter(Q(external_id__iexact=words) | Q(name__iexact=words))
        found = list(named.order_by("pk")[:2]) or list(
            self.products.filter(_fits(words)).order_by("name", "pk")[:SUGGESTED]
        )
        exact = [one for one in found if one.external_id == words]
        if exact:
            return exact[0]
        if not found:
            raise ValidationError(
                _("No product is called “%(words)s”."), code="unknown", params={"words": words}
            )
        if len(found) > 1:
            raise ValidationError(
                _("Several products fit; type the SKU: %(skus)s."),
                code="several",
                params={"skus": ", ".join(one.external_id for one in found[:5])},
            )
        return found[0]
