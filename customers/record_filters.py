"""How pairs of files, merges, hand-overs and gaps to fill are narrowed down: whose, and when."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

import django_filters
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters.rest_framework import FilterSet

from accounts.models import Team, User
from crm.lib.days import day_bounds
from crm.lib.forms import DayInput
from customers import completeness
from customers.filters import DAYS, OwnerFilter, TeamFilter, below
from customers.models import Assignment, DuplicatePair, HandOver, Merge, PairState


class OfEither:
    """Rows that one of two people stands in, at the ends of `paths`."""

    paths: tuple[str, str]

    def either(self, rows: Any, lookup: str, value: Any) -> Any:
        first, second = self.paths
        return rows.filter(Q(**{f"{first}{lookup}": value}) | Q(**{f"{second}{lookup}": value}))


class EitherOwnerFilter(OfEither, OwnerFilter):
    """Rows in which one person stands on either side."""

    def __init__(self, *paths: str, **options: Any) -> None:
        self.paths = (paths[0], paths[1])
        super().__init__(paths[0], **options)

    def filter(self, qs: Any, value: User | None) -> Any:
        return self.either(qs, "", value) if value else qs


class EitherTeamFilter(OfEither, TeamFilter):
    """Rows in which somebody of one team, or of the teams below it, stands on either side."""

    def __init__(self, *paths: str) -> None:
        self.paths = (paths[0], paths[1])
        super().__init__(paths[0])

    def filter(self, qs: Any, value: Team | None) -> Any:
        return self.either(qs, "__in", below(value)) if value else qs


def everybody_in_sight(request: HttpRequest | None) -> Any:
    """People whom the reader may look over the shoulder of, those who have left too."""
    if request is None or not isinstance(request.user, User):
        return User._default_manager.none()
    return User.objects.get_queryset().visible_to(request.user).order_by("name", "pk")


class PartyFilter(EitherOwnerFilter):
    """Rows in which one person stands on either side, whether or not still in the house."""

    def __init__(self, *paths: str, **options: Any) -> None:
        super().__init__(*paths, **options)
        self.queryset = everybody_in_sight


class DayRangeFilterSet(FilterSet):
    """Rows whose moment `MOMENT` lies on the days from `on_from` to `on_to`, both inclusive."""

    MOMENT: ClassVar[str] = "at"

    on_from = django_filters.DateFilter(
        method="from_day", label=_("From"), widget=DayInput, validators=DAYS
    )
    on_to = django_filters.DateFilter(
        method="to_day", label=_("To"), widget=DayInput, validators=DAYS
    )

    def from_day(self, rows: Any, name: str, first: date) -> Any:
        return rows.filter(**{f"{self.MOMENT}__gte": day_bounds(first, first)[0]})

    def to_day(self, rows: Any, name: str, last: date) -> Any:
        return rows.filter(**{f"{self.MOMENT}__lt": day_bounds(last, last)[1]})


class PairFilter(DayRangeFilterSet):
    """Without a `state` it shows the pairs that somebody is to look at; days are those of the
    search that found them."""

    MOMENT = "found_at"

    state = django_filters.ChoiceFilter(choices=PairState.choices, method="in_state")
    owner = EitherOwnerFilter("first__owner", "second__owner")
    team = EitherTeamFilter("first__owner__team", "second__owner__team")

    class Meta:
        model = DuplicatePair
        fields: list[str] = []

    def __init__(self, data: Any, *args: Any, **kwargs: Any) -> None:
        data = data.copy()
        if data.get("state") not in PairState.values:
            data["state"] = PairState.OPEN.value
        super().__init__(data, *args, **kwargs)

    def in_state(self, pairs: Any, name: str, state: str) -> Any:
        return pairs.filter(state=state)


class MergeFilter(DayRangeFilterSet):
    """Merges by the owner of the file that stayed."""

    state = django_filters.ChoiceFilter(
        choices=(("merged", _("merged")), ("undone", _("taken back"))),
        method="in_state",
        label=_("State"),
        empty_label=_("any"),
    )
    owner = OwnerFilter("survivor__owner")
    team = TeamFilter("survivor__owner__team")

    class Meta:
        model = Merge
        fields: list[str] = []

    def in_state(self, merges: Any, name: str, state: str) -> Any:
        return merges.filter(undone_at__isnull=state == "merged")


class HandOverFilter(DayRangeFilterSet):
    """Hand-overs by who gave or got, and by their teams."""

    state = django_filters.ChoiceFilter(
        choices=(("stands", pgettext_lazy("hand-over", "Stands")), ("undone", _("taken back"))),
        method="in_state",
        label=_("State"),
        empty_label=_("any"),
    )
    person = PartyFilter("giver", "successor", label=_("From or to"))
    team = EitherTeamFilter("giver__team", "successor__team")

    class Meta:
        model = HandOver
        fields: list[str] = []

    def in_state(self, handed: Any, name: str, state: str) -> Any:
        return handed.filter(undone_at__isnull=state == "stands")


#: States of a gap to fill; a filter without one shows the open ones.
ASSIGNMENT_STATES = (
    ("open", pgettext_lazy("gap to fill", "Open")),
    ("late", pgettext_lazy("gap to fill", "Late")),
    ("filled", _("Filled")),
    ("withdrawn", _("Withdrawn")),
)


class AssignmentFilter(FilterSet):
    """`today` is the company's day, by which a gap is late."""

    state = django_filters.ChoiceFilter(choices=ASSIGNMENT_STATES, method="in_state")
    wanted = django_filters.ChoiceFilter(
        choices=[(wanted.name, wanted.label) for wanted in completeness.WANTED],
        label=pgettext_lazy("of a file", "Field"),
        empty_label=_("any"),
    )
    owner = OwnerFilter("owner", label=_("Who fills it"))
    team = TeamFilter("owner__team")
    due_from = django_filters.DateFilter(
        "due_on", "gte", label=_("Due from"), widget=DayInput, validators=DAYS
    )
    due_to = django_filters.DateFilter(
        "due_on", "lte", label=_("Due to"), widget=DayInput, validators=DAYS
    )

    class Meta:
        model = Assignment
        fields: list[str] = []

    def __init__(self, data: Any, *args: Any, today: date, **kwargs: Any) -> None:
        self.today = today
        data = data.copy()
        if data.get("state") not in dict(ASSIGNMENT_STATES):
            data["state"] = "open"
        super().__init__(data, *args, **kwargs)

    @property
    def shows_open(self) -> bool:
        return self.data["state"] in ("open", "late")

    def in_state(self, assignments: Any, name: str, state: str) -> Any:
        if state == "late":
            return assignments.late(self.today)
        if state == "filled":
            return assignments.filter(settled_at__isnull=False, withdrawn_at=None)
        if state == "withdrawn":
            return assignments.filter(withdrawn_at__isnull=False)
        return assignments.open()
