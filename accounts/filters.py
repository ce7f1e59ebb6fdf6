"""How users and the audit log are narrowed down."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django import forms
from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask
from django_filters.rest_framework import FilterSet

from accounts.audit import Through
from accounts.models import ApiKey, AuditEntry, SyncCall, Team, Tracked, User
from accounts.models.audit import RESOURCES, Action
from accounts.roles import Role
from accounts.sync_api import ENDPOINTS
from crm.lib.days import day_bounds

DAY = forms.DateInput(attrs={"type": "date"})


class UserFilter(FilterSet):
    """Active people only, unless `all` is asked for."""

    q = django_filters.CharFilter(method="search", label=_("Name, username, phone, e-mail"))
    role = django_filters.ChoiceFilter(
        choices=Role.choices, label=_("Role"), empty_label=_("All roles")
    )
    team = django_filters.ModelChoiceFilter(
        queryset=Team.objects.all(), label=_("Team"), empty_label=_("All teams")
    )
    all = django_filters.BooleanFilter(
        method="ignore", label=_("Former users too"), widget=forms.CheckboxInput
    )

    class Meta:
        model = User
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[User]) -> QuerySet[User]:
        found: QuerySet[User] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("all") else found.filter(is_active=True)

    def search(self, queryset: QuerySet[User], name: str, words: str) -> QuerySet[User]:
        return queryset.filter(
            Q(name__icontains=words)
            | Q(username__icontains=words)
            | Q(phone__contains=words)
            | Q(email__icontains=words)
        )

    def ignore(self, queryset: QuerySet[User], name: str, value: Any) -> QuerySet[User]:
        return queryset


class WholeNumberFilter(django_filters.Filter):
    field_class = forms.IntegerField


def kinds() -> list[tuple[str, str]]:
    """The kinds of records the log knows, by name."""
    logged = [m for m in apps.get_models() if issubclass(m, Tracked)] + [PeriodicTask]
    named = [(m._meta.label_lower, capfirst(str(m._meta.verbose_name))) for m in logged]
    return sorted(named, key=lambda kind: kind[1])


def resources() -> list[tuple[str, Any]]:
    """What the bulk sync takes, as the pages call it."""
    return [(name, RESOURCES.get(name, name)) for name in sorted(ENDPOINTS)]


class Days(FilterSet):
    """`since` and `until`, whole days of the company, for rows with a time `at`."""

    since = django_filters.DateFilter(method="from_day", label=_("From"), widget=DAY)
    until = django_filters.DateFilter(method="to_day", label=_("To"), widget=DAY)

    def from_day(self, queryset: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        return queryset.filter(at__gte=day_bounds(day, day)[0])

    def to_day(self, queryset: QuerySet[Any], name: str, day: date) -> QuerySet[Any]:
        return queryset.filter(at__lt=day_bounds(day, day)[1])


class SyncFilter(Days):
    key = django_filters.ModelChoiceFilter(
        queryset=ApiKey.objects.order_by("name", "pk"), label=_("Key"), empty_label=_("any")
    )
    resource = django_filters.ChoiceFilter(
        choices=resources, label=_("Resource"), empty_label=_("any")
    )
    rejected = django_filters.ChoiceFilter(
        method="with_rejected",
        choices=[("true", _("yes")), ("false", _("no"))],
        label=_("With rejected records"),
        empty_label=_("any"),
    )

    class Meta:
        model = SyncCall
        fields: list[str] = []

    def with_rejected(
        self, queryset: QuerySet[SyncCall], name: str, wanted: str
    ) -> QuerySet[SyncCall]:
        some = wanted == "true"
        return queryset.filter(rejected__gt=0) if some else queryset.filter(rejected=0)


class AuditFilter(Days):
    who = django_filters.CharFilter(
        field_name="actor_name", lookup_expr="icontains", label=_("Person or key")
    )
    model = django_filters.ChoiceFilter(
        choices=kinds, label=_("Kind of record"), empty_label=_("All records")
    )
    record = WholeNumberFilter(field_name="object_id", label=_("Record number"))
    action = django_filters.ChoiceFilter(
        choices=Action.choices, label=_("Action"), empty_label=_("All actions")
    )
    through = django_filters.ChoiceFilter(
        choices=Through.choices, label=_("Through"), empty_label=_("All ways")
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []
