"""Where a person goes next, for pages of apps below that offer it first."""

from __future__ import annotations

from datetime import date

from accounts.models import User
from visits.models import Visit
from visits.route import route_of


def next_customer(user: User, *, today: date) -> int | None:
    """The customer of the next stop on the route of `user` today, by its id."""
    visits = Visit.objects.filter(rep=user).select_related("customer")
    following = route_of(visits.of_days(today, today)).next
    return following.customer_id if following else None
