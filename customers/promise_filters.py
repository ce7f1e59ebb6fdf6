"""How promises are narrowed down: by state, whose they are, and the day they are due."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from accounts.models import User
from accounts.roles import Role
from crm.lib.forms import DayInput
from customers.filters import DAYS, TeamFilter
from customers.models import Promise, PromiseState
from customers.models.promises import PromiseQuerySet
from customers.promising import KEEPERS

STATES = (
    ("open", pgettext_lazy("promise", "Open")),
    ("today", _("Due today")),
    ("late", pgettext_lazy("promise", "Late")),
    ("kept", pgettext_lazy("promise", "Kept")),
    ("in_time", _("Kept in time")),
    ("kept_late", _("Kept late")),
    ("broken", pgettext_lazy("promise", "Broken")),
    ("all", _("All")),
)
WHOSE = (("mine", _("Mine")), ("all", _("Everyone’s")))


def keepers_in_sight(request: HttpRequest | None) -> Any:
    """Colleagues whose promises the reader may look at."""
    if request is None or not isinstance(request.user, User):
        return User._default_manager.none()
    people: Any = User.objects.visible_to(request.user).active().filter(role__in=KEEPERS)
    return people.order_by("name", "pk")


class PromiseFilter(FilterSet):
    """Without a `state` it shows the open ones; a rep or service person begins with their own.

    `today` is the company's day, by which a promise is due or late.
    """

    q = django_filters.CharFilter(method="search_words", label=_("Search"))
    state = django_filters.ChoiceFilter(
        choices=STATES, method="in_state", label=_("State"), empty_label=None
    )
    whose = django_filters.ChoiceFilter(
        choices=WHOSE, method="of_whom", label=pgettext_lazy("promises", "Whose"), empty_label=None
    )
    owner = django_filters.ModelChoiceFilter(
        queryset=keepers_in_sight,
        to_field_name="username",
        label=_("Who keeps it"),
        empty_label=_("any"),
    )
    team = TeamFilter("owner__team")
    due_from = django_filters.DateFilter(
        "due_on", "gte", label=_("Due from"), widget=DayInput(), validators=DAYS
    )
    due_to = django_filters.DateFilter(
        "due_on", "lte", label=_("Due to"), widget=DayInput(), validators=DAYS
    )
    customer = django_filters.NumberFilter(label=_("Customer"), max_value=2**62)

    class Meta:
        model = Promise
        fields: list[str] = []

    def __init__(
        self, data: Any, queryset: PromiseQuerySet, *, request: HttpRequest, today: date
    ) -> None:
        self.today = today
        data = data.copy()
        data["state"] = data.get("state") or "open"
        if not data.get("whose"):
            own = getattr(request.user, "role", "") in (Role.REP, Role.SERVICE)
            named = any(data.get(name) for name in ("owner", "team", "customer"))
            data["whose"] = "mine" if own and not named else "all"
        super().__init__(data, queryset=queryset, request=request)

    def search_words(self, promises: PromiseQuerySet, name: str, words: str) -> PromiseQuerySet:
        return promises.named_like(words)

    def in_state(self, promises: PromiseQuerySet, name: str, state: str) -> PromiseQuerySet:
        if state == "today":
            return promises.due_on(self.today)
        if state == "late":
            return promises.late(self.today)
        if state == "in_time":
            return promises.kept_in_time()
        if state == "kept_late":
            return promises.kept_late()
        return promises.filter(state=state) if state in PromiseState.values else promises

    def of_whom(self, promises: PromiseQuerySet, name: str, whose: str) -> PromiseQuerySet:
        return promises.of(self.request.user) if whose == "mine" else promises
