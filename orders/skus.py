"""Products by their SKU, as other systems and files name them."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import Product


def ids_by_sku(skus: Collection[str], user: User) -> dict[str, int]:
    """The products in sight of `user` that have these SKUs; one query, none for none."""
    if not skus:
        return {}
    known = Product.objects.visible_to(user).filter(external_id__among=skus)
    return dict(known.values_list("external_id", "pk"))


def skus_of(ids: Collection[int]) -> dict[int, str]:
    """The SKUs of these products, in sight or not; one query, none for none."""
    if not ids:
        return {}
    return dict(Product.objects.filter(pk__among=ids).values_list("pk", "external_id"))


def no_product(sku: str) -> str:
    """The refusal of a SKU that is no product's in sight."""
    return _("No product has external_id '%(value)s'.") % {"value": sku}
