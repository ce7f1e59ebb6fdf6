"""Numbers in the ERP, also those of files that were merged into others (P5)."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _

from accounts.models import User
from customers.models import Alias, Customer


def ids_by_number(numbers: Collection[str], user: User) -> dict[str, int]:
    """The customers in sight of `user` that have these numbers, or took them over in a merge.

    One query, and a second one only where a number is nobody's own.
    """
    known = Customer.objects.visible_to(user).filter(external_id__among=numbers)
    found = {str(number): pk for number, pk in known.values_list("external_id", "pk")}
    if missing := [number for number in numbers if number not in found]:
        taken = Alias.objects.filter(
            external_id__among=missing, customer__in=Customer.objects.visible_to(user)
        )
        found |= dict(taken.values_list("external_id", "customer_id"))
    return found


def own_numbers(numbers: Collection[str]) -> dict[str, str | None]:
    """Numbers of merged files → the number of the file that survived (None: it has none)."""
    if not numbers:
        return {}
    taken = Alias.objects.filter(external_id__among=numbers)
    return dict(taken.values_list("external_id", "customer__external_id"))


def no_customer(number: str) -> str:
    """The refusal of a number that is nobody's in sight."""
    return _("No customer has external_id '%(value)s'.") % {"value": number}
