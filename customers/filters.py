"""How customers are narrowed down: one FilterSet for the page and the API."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.forms.utils import flatatt
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from accounts.models import Team, User
from accounts.models.users import team_ids_below
from crm.lib.days import day_bounds
from crm.lib.forms import DayInput
from customers import completeness, divisions
from customers.hierarchy import Tie
from customers.hierarchy import below as below_customer
from customers.models import (
    AssignedFile,
    Assignment,
    Customer,
    CustomerQuerySet,
    DivisionFound,
    Import,
    ImportRow,
    Kind,
    Loyalty,
    RowState,
    Status,
)

#: `abc` takes one or more of these, with commas between them; `none` are the unranked.
ABC_CHOICES = (
    ("", _("any")),
    ("A", _("A")),
    ("B", _("B")),
    ("A,B", _("A and B")),
    ("C", _("C")),
    ("none", _("Unranked")),
)
UNCLEAR = (DivisionFound.AMBIGUOUS, DivisionFound.UNKNOWN)
MOST_ID = 2**63 - 1
YES_NO = (("", _("any")), ("true", _("yes")), ("false", _("no")))
#: A text field that offers the tags in use.
CHOICES_OF_TAGS = {
    "list": "tags",
    "autocomplete": "off",
    "hx-get": reverse_lazy("customers:tags"),
    "hx-trigger": "focus once",
    "hx-target": "#tags",
    "hx-swap": "innerHTML",
    "hx-push-url": "false",
    "hx-sync": "this",
}
TYPED = forms.TextInput(attrs={"placeholder": _("any"), "size": 4})
#: Days and moments outside these years are typing errors, and some overflow in UTC.
DAYS = (MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2199, 12, 31)))
MOMENTS = (
    MinValueValidator(datetime(1900, 1, 1, tzinfo=UTC)),
    MaxValueValidator(datetime(2199, 12, 31, tzinfo=UTC)),
)


def people_in_sight(request: HttpRequest | None) -> QuerySet[User]:
    """Owners of customer files whom the reader may look over the shoulder of."""
    if request is None or not isinstance(request.user, User):
        return cast(QuerySet[User], User._default_manager.none())
    people: Any = User.objects.visible_to(request.user).owners()
    return cast(QuerySet[User], people.order_by("name", "pk"))


def teams_in_sight(request: HttpRequest | None) -> QuerySet[Team]:
    """Teams the reader may narrow a list to: all, or those below a manager; none for others."""
    if request is None or not isinstance(request.user, User):
        return Team.objects.none()
    if request.user.sees_all:
        return Team.objects.all()
    return Team.objects.filter(pk__in=request.user.led_team_ids())


def chips(filters: FilterSet, names: Iterable[str]) -> list[forms.BoundField]:
    """The fields of the filter bar; that of the team only where the reader has teams in sight."""
    return [
        filters.form[name]
        for name in names
        if name != "team" or teams_in_sight(filters.request).exists()
    ]


def below(team: Team) -> frozenset[int]:
    """The ids of `team` and of every team under it."""
    parents: dict[int, int | None] = dict(Team.objects.values_list("pk", "parent_id"))
    return frozenset(team_ids_below({team.pk}, parents))


class YesNo(django_filters.widgets.BooleanWidget):
    """true or false in the address, yes or no on the page."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = YES_NO


class _HasTag(Func):
    """Whether a JSON list holds a text, in SQLite, which has no `contains` for JSON."""

    output_field = BooleanField()
    template = "EXISTS (SELECT 1 FROM json_each(%(expressions)s)"
    arg_joiner = ") WHERE value = "


def tagged(customers: CustomerQuerySet, tag: str) -> CustomerQuerySet:
    """Customers that carry `tag`, exactly as written."""
    if connection.vendor == "postgresql":
        # The index holds files with tags only; the planner cannot conclude that by itself.
        return customers.exclude(tags=[]).filter(tags__contains=[tag])
    return customers.filter(_HasTag(F("tags"), Value(tag)))


class AreaField(forms.CharField):
    """The digits that a division code begins with, or the name of an area (绍兴, 绍兴市 越城区)."""

    def clean(self, value: Any) -> tuple[str, ...]:
        words = super().clean(value)
        if not words:
            return ()
        if words.isdecimal() and words.isascii() and len(words) <= 6:
            return (words,)
        prefixes = divisions.called(words)
        if not prefixes:
            raise ValidationError(
                _("No area is called “%(words)s”."), code="area", params={"words": words}
            )
        return prefixes


class AreaFilter(django_filters.CharFilter):
    """Rows whose 6-digit code lies in an area; ranges of codes serve the index on any database."""

    field_class = AreaField

    def filter(self, qs: Any, value: tuple[str, ...]) -> Any:
        if not value:
            return qs
        inside = Q()
        for prefix in value:
            bounds = (prefix.ljust(6, "0"), prefix.ljust(6, "9"))
            inside |= Q(**{f"{self.field_name}__range": bounds})
        return qs.filter(inside)


class PlainSelect(forms.Select):
    """A select written at once: Django renders a template for each of some hundred people."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (key, mark_safe(" selected") if str(key) in chosen else "", label)
                for key, label in self.choices
            ),
        )
        return format_html(
            "<select{}>{}</select>",
            flatatt(self.build_attrs({**self.attrs, "name": name}, attrs)),
            options,
        )


@extend_schema_field(OpenApiTypes.STR)
class OwnerFilter(django_filters.ModelChoiceFilter):
    """Rows of one owner in the reader's sight, by username."""

    def __init__(self, path: str, **options: Any) -> None:
        options = {
            "label": _("Owner"),
            "empty_label": _("any"),
            "widget": PlainSelect,
            **options,
        }
        super().__init__(path, queryset=people_in_sight, to_field_name="username", **options)


@extend_schema_field(OpenApiTypes.INT)
class TeamFilter(django_filters.ModelChoiceFilter):
    """Rows of one team in the reader's sight and of the teams below it; `path` leads to a team."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path, queryset=teams_in_sight, label=_("Team"), empty_label=_("any"), widget=PlainSelect
        )

    def filter(self, qs: Any, value: Team | None) -> Any:
        return qs.filter(**{f"{self.field_name}__in": below(value)}) if value else qs


class CustomerFilter(FilterSet):
    """`q` and `search` look in names, pinyin, initials, numbers, phones, contacts and addresses."""

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    search = django_filters.CharFilter(method="search_words", label=_("Search"))
    external_id = django_filters.CharFilter(method="with_number", label=_("Number in the ERP"))
    abc = django_filters.CharFilter(
        method="in_tiers",
        label=_("Tier"),
        widget=forms.Select(choices=ABC_CHOICES),
        validators=[RegexValidator(r"^(A|B|C|none)(,(A|B|C|none))*$")],
    )
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label=_("Kind"), empty_label=_("any"))
    status = django_filters.ChoiceFilter(
        choices=Status.choices, label=_("Status"), empty_label=_("any")
    )
    loyalty = django_filters.ChoiceFilter(
        choices=Loyalty.choices, label=_("Loyalty class"), empty_label=_("any")
    )
    owner = OwnerFilter("owner")
    no_owner = django_filters.BooleanFilter(
        field_name="owner", lookup_expr="isnull", label=_("Without an owner"), widget=YesNo
    )
    team = TeamFilter("owner__team")
    division = AreaFilter(label=_("Area"), widget=TYPED)
    tag = django_filters.CharFilter(
        method="with_tag",
        label=_("Tag"),
        widget=forms.TextInput(attrs={**CHOICES_OF_TAGS, "placeholder": _("any"), "size": 4}),
    )
    buyout = django_filters.BooleanFilter(label=_("Buyout"), widget=YesNo)
    key_account = django_filters.BooleanFilter(label=_("Key account"), widget=YesNo)
    parent = django_filters.CharFilter(method="right_below", label=_("Number of the supplier"))
    group_head = django_filters.CharFilter(
        method="right_below", label=_("Number of the head of the group")
    )
    under = django_filters.NumberFilter(method="below_one", label=_("In the network of"))
    in_group = django_filters.NumberFilter(method="below_one", label=_("In the group of"))
    area_unclear = django_filters.BooleanFilter(
        method="with_unclear_area", label=_("Area unclear"), widget=YesNo
    )
    missing = django_filters.ChoiceFilter(
        method="lacking",
        choices=[(wanted.name, wanted.label) for wanted in completeness.WANTED],
        label=_("Missing"),
        empty_label=_("any"),
    )
    filed_from = django_filters.DateFilter(
        method="filed", label=_("On file from"), validators=DAYS, widget=DayInput
    )
    filed_to = django_filters.DateFilter(
        method="filed", label=_("On file until"), validators=DAYS, widget=DayInput
    )
    updated_since = django_filters.IsoDateTimeFilter(
        field_name="updated_at", lookup_expr="gte", label=_("Changed since"), validators=MOMENTS
    )

    imported = django_filters.CharFilter(
        method="from_import", label=_("Import"), validators=[RegexValidator(r"^[0-9]{1,15}$")]
    )
    assigned = django_filters.CharFilter(
        method="of_assignment",
        label=_("Gap to fill"),
        validators=[RegexValidator(r"^[0-9]{1,15}$")],
    )

    class Meta:
        model = Customer
        fields: list[str] = []

    def search_words(self, customers: CustomerQuerySet, name: str, words: str) -> CustomerQuerySet:
        return customers.named_like(words)

    def in_tiers(self, customers: CustomerQuerySet, name: str, tiers: str) -> CustomerQuerySet:
        wanted = set(tiers.split(","))
        unranked = Q(abc=None) if "none" in wanted else Q(pk__in=[])
        return customers.filter(Q(abc__in=wanted - {"none"}) | unranked)

    def right_below(self, customers: CustomerQuerySet, tie: str, number: str) -> CustomerQuerySet:
        """The customers right below the one of this number, if the reader sees it."""
        reader = self.request.user if self.request is not None else None
        above = Customer.objects.filter(external_id=number)
        if not isinstance(reader, User) or not (seen := above.visible_to(reader).first()):
            return customers.none()
        return customers.filter(**{tie: seen})

    def below_one(
        self, customers: CustomerQuerySet, name: str, customer_id: Decimal
    ) -> CustomerQuerySet:
        """Everything below one customer, at any depth, that the reader sees."""
        reader = self.request.user if self.request is not None else None
        above = Customer.objects.filter(pk=int(min(customer_id, Decimal(MOST_ID))))
        if not isinstance(reader, User) or not above.visible_to(reader).exists():
            return customers.none()
        tie = Tie.GROUP if name == "in_group" else Tie.SUPPLY
        return customers.filter(pk__in=below_customer(int(customer_id), reader, tie).values("pk"))

    def lacking(self, customers: CustomerQuerySet, name: str, wanted: str) -> CustomerQuerySet:
        """Files that lack something they should hold (P4)."""
        return completeness.without(customers, wanted)

    def filed(self, customers: CustomerQuerySet, name: str, day: date) -> CustomerQuerySet:
        """Files made on or after a day of the company, or on or before it."""
        start, end = day_bounds(day, day)
        if name == "filed_from":
            return customers.filter(created_at__gte=start)
        return customers.filter(created_at__lt=end)

    def with_unclear_area(
        self, customers: CustomerQuerySet, name: str, unclear: bool
    ) -> CustomerQuerySet:
        """Files whose address fits no area, or more than one (or those with a clear one)."""
        found = Q(division_found__in=UNCLEAR)
        return customers.filter(found if unclear else ~found)

    def with_number(self, customers: CustomerQuerySet, name: str, number: str) -> CustomerQuerySet:
        return customers.numbered(number)

    def from_import(self, customers: CustomerQuerySet, name: str, run: str) -> CustomerQuerySet:
        """Customers that an import in the reader's sight put on file or changed."""
        runs = Import.objects.visible_to(self.request.user).filter(pk=int(run))
        rows = ImportRow.objects.filter(run__in=runs, state=RowState.WRITTEN)
        return customers.filter(pk__in=rows.values("customer_id"))

    def of_assignment(
        self, customers: CustomerQuerySet, name: str, number: str
    ) -> CustomerQuerySet:
        """Customers of a gap that somebody in the reader's sight is asked to fill."""
        seen = Assignment.objects.visible_to(self.request.user).filter(pk=int(number))
        return customers.filter(
            pk__in=AssignedFile.objects.filter(assignment__in=seen).values("customer")
        )

    def with_tag(self, customers: CustomerQuerySet, name: str, tag: str) -> CustomerQuerySet:
        return tagged(customers, tag)
