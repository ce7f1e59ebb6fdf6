"""Saying that a customer is not leaving, and taking it back."""

from __future__ import annotations

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib.formats import day, local_day
from customers.models import Customer
from tiers.models import Staying


@transaction.atomic
def say_staying(
    *, customer: Customer, reason: str, until: date, by: User, now: datetime
) -> Staying:
    """Hide the customer from the list of those who leave, up to and with the day `until`.

    Raises ValidationError where somebody has said so already and it still holds (code `said`),
    and for a day that is over (code `past`).
    """
    today = local_day(now)
    if until < today:
        raise ValidationError({"until": _("This day is over.")}, code="past")
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    word = Staying.objects.select_related("by").filter(customer=customer).first()
    if word is not None and word.until >= today:
        raise ValidationError(
            _("%(who)s has said so already, until %(day)s: %(reason)s"),
            code="said",
            params={"who": word.by.display_name, "day": day(word.until), "reason": word.reason},
        )
    word = word or Staying(customer=customer)
    word.say(reason=reason, until=until, by=by)
    return word


def take_back(*, customer: Customer) -> None:
    """The customer is on the list again, if it is likely to leave."""
    for word in Staying.objects.filter(customer=customer):
        word.delete()
