"""The people at a customer as pages show them: who decides, and when to congratulate (P3, P50)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from accounts.access import may
from accounts.models import User
from customers import birthdays
from customers.birthdays import BirthdayCalendar
from customers.models import BuyingRole, Contact, Customer

#: How many people the overview shows.
SHOWN = 5
#: Roles that a sale can hang on: the page says when nobody is known in them.
WANTED = (BuyingRole.DECISION_MAKER, BuyingRole.INFLUENCER, BuyingRole.PURCHASER)


#: A birthday within so many days is soon.
SOON = timedelta(days=30)


class Person(NamedTuple):
    """A contact, the day of the next birthday, whether it is soon, and how old one is then.

    The age is left open (None) for lunar birthdays: people count those years in more ways than one.
    """

    contact: Contact
    birthday_on: date | None
    is_soon: bool
    turns: int | None


def rows(contacts: Iterable[Contact], today: date) -> list[Person]:
    """`contacts` with their next birthdays; nobody congratulates who has left."""
    found = []
    for contact in contacts:
        on = None if contact.has_left else birthdays.next_on(contact.birthday, today)
        turns = None
        if on and contact.birth_year and contact.birthday_calendar == BirthdayCalendar.SOLAR:
            turns = on.year - contact.birth_year
        found.append(Person(contact, on, on is not None and on - today <= SOON, turns))
    return found


def decision_chain(customer: Customer, user: User, today: date) -> dict[str, object]:
    """The panel of the overview: the first few who are still there, and whether there are more."""
    found = list(Contact.objects.filter(customer=customer).still_there().by_role()[: SHOWN + 1])
    return {
        "people": rows(found[:SHOWN], today),
        "more_people": len(found) > SHOWN,
        "may_contacts": may(user, "contacts:write"),
    }


def unknown_roles(customer: Customer) -> list[BuyingRole]:
    """The roles that nobody still there is known in."""
    known = set(
        Contact.objects.filter(customer=customer)
        .still_there()
        .order_by()
        .values_list("buying_role", flat=True)
        .distinct()
    )
    return [role for role in WANTED if role not in known]
