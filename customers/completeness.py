"""How complete a customer's file is (P4): what it should hold, and what it lacks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text, field_label
from customers.models import BuyingRole, Contact, Customer, CustomerQuerySet, Profile, Supplier

#: The form in which a gap is filled.
Form: TypeAlias = Literal["customer", "profile", "contact"]


EVERY = Q()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something a file should hold: what it weighs, why it is wanted, and who lacks it.

    Where it is a row of another table that is wanted, `rows` are those of the table that count,
    and `that` says which of them will do.
    """

    name: str
    label: Text
    weight: int
    why: Text
    form: Form
    empty: Q
    rows: Any = None
    that: Q = EVERY


def _column(name: str, weight: int, why: Text, nothing: Any = "") -> Wanted:
    """A column of the customer."""
    label = field_label(Customer, name)
    return Wanted(name, label, weight, why, "customer", Q(**{name: nothing}))


def _noted(name: str, weight: int, why: Text, nothing: Any = None) -> Wanted:
    """A column of the profile, which is missing altogether until somebody fills it."""
    label = field_label(Profile, name)
    empty = Q(**{f"profile__{name}": nothing})
    if nothing is not None:
        empty |= Q(profile=None)
    return Wanted(name, label, weight, why, "profile", empty)


def _rows(name: str, label: Text, weight: int, why: Text, rows: Any, *, that: Q = EVERY) -> Wanted:
    """At least one of `rows` that belongs to the file, and is as `that` says."""
    form: Form = "contact" if rows.model is Contact else "profile"
    found = Exists(rows.filter(that, customer=OuterRef("pk")))
    return Wanted(name, label, weight, why, form, ~Q(found), rows, that)


_SUPPLIERS = Supplier.objects.all()
_PEOPLE = Contact.objects.filter(has_left=False)

#: What a file should hold. 3: nobody can work without it; 2: a tier, a route or a price rests on
#: it; 1: good to know. Name and kind are always there. Not wanted, since rightly empty for many:
#: the number in the ERP, the distributor, the group, tags and suggestions.
WANTED: tuple[Wanted, ...] = (
    _column("owner", 3, _("Nobody answers for a file without an owner."), None),
    _column("phone", 3, _("Visits and calls begin with it.")),
    _column("address", 2, _("Visits and deliveries go there.")),
    replace(_column("division", 2, _("Territories and routes go by area.")), label=_("area")),
    replace(
        _column("latitude", 1, _("A check-in is measured from there."), None),
        label=_("coordinates"),
    ),
    _column("email", 1, _("Letters and offers go there.")),
    _column("tax_id", 1, _("It tells two firms of one name apart.")),
    _column("founded_on", 1, _("The anniversary is an occasion to call."), None),
    _noted("capital", 1, _("The credit limit rests on it.")),
    _noted("staff_count", 1, _("It shows how large the business is.")),
    _noted("yearly_sales", 2, _("The credit limit and the targets rest on it.")),
    _noted("credit_standing", 1, _("The credit limit rests on it."), ""),
    _noted("buys", 1, _("It shows what to offer."), ""),
    _noted("yearly_purchase", 2, _("The wallet share is measured against it.")),
    _noted("purchase_rhythm", 1, _("The visit should come before the order."), ""),
    _noted("purchase_months", 1, _("The visit should come before the season."), []),
    _noted("favourites", 1, _("It shows what to offer."), ""),
    _noted("past_categories", 1, _("It shows what could be won back."), []),
    _rows(
        "suppliers",
        _("main suppliers"),
        2,
        _("Whoever knows the rivals knows the price to beat."),
        _SUPPLIERS,
    ),
    _rows(
        "supplier_satisfaction",
        _("satisfaction with suppliers"),
        1,
        _("An unhappy customer of a rival can be won."),
        _SUPPLIERS,
        that=Q(satisfaction__isnull=False),
    ),
    _noted("promotion_attitude", 1, _("It shows whom to invite to a promotion."), ""),
    _noted("product_satisfaction", 1, _("Who is unhappy leaves silently.")),
    _noted("service_satisfaction", 1, _("Who is unhappy leaves silently.")),
    _rows("contact", _("a contact"), 3, _("Somebody has to pick up."), _PEOPLE),
    _rows(
        "decision_maker",
        _("the decision maker"),
        2,
        _("Nobody else can say yes."),
        _PEOPLE,
        that=Q(buying_role=BuyingRole.DECISION_MAKER),
    ),
    _rows(
        "contact_birthday",
        _("a contact’s birthday"),
        1,
        _("A birthday is an occasion to call."),
        _PEOPLE,
        that=Q(birth_month__isnull=False),
    ),
)
BY_NAME = {wanted.name: wanted for wanted in WANTED}
TOTAL = sum(wanted.weight for wanted in WANTED)


def percentage(lacking: Collection[str]) -> int:
    """0–100 for a file that lacks these of WANTED, rounded down: 100 means nothing is missing."""
    return 100 * (TOTAL - sum(BY_NAME[name].weight for name in lacking)) // TOTAL


def lacking(customer_ids: Collection[int]) -> dict[int, list[Wanted]]:
    """What each of these files lacks, in the order of WANTED, from one statement."""
    flags: dict[str, Any] = {
        f"no_{wanted.name}": ExpressionWrapper(wanted.empty, output_field=BooleanField())
        for wanted in WANTED
    }
    if not customer_ids:
        return {}
    rows: Any = Customer.objects.filter(pk__in=customer_ids).order_by()
    return {
        pk: [wanted for wanted, empty in zip(WANTED, empties, strict=True) if empty]
        for pk, *empties in rows.annotate(**flags).values_list("pk", *flags)
    }


def of(customer_ids: Collection[int]) -> dict[int, int]:
    """How complete these files are, in per cent, by customer id; one statement for all."""
    return {
        pk: percentage([wanted.name for wanted in missing])
        for pk, missing in lacking(customer_ids).items()
    }


def without(customers: CustomerQuerySet, name: str) -> CustomerQuerySet:
    """Those of `customers` whose files lack what is called `name` in WANTED."""
    return customers.filter(BY_NAME[name].empty)
