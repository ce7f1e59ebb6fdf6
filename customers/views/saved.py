"""Saved views: filters of the list of customers that people keep under a name, and share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import django_filters
from django import forms
from django.contrib import messages
from django.core import signing
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.models import Team, User
from accounts.models.users import team_ids_below
from accounts.roles import Role
from crm.lib.keyset import Count, count_many
from crm.lib.listing import found_by
from customers.filters import CustomerFilter
from customers.models import Customer, SavedView

#: As many tabs as people read; the most one person keeps.
MOST_VIEWS = 20
SHOWN = 30
#: How long the figures of the tabs may be old while one filters, seconds.
FRESH = 60
PARAMETERS = {*CustomerFilter.base_filters, "sort"} - {"search", "updated_since"}


@dataclass(slots=True)
class ViewTab:
    """A saved view as a tab: where it leads, whether it is what the page shows, how many fit."""

    view: SavedView
    url: str
    current: bool
    mine: bool
    count: Count | None = None


class CountedFilter(CustomerFilter):
    """The filter of the list without questions to the database before its rows are wanted.

    People and teams out of sight own nothing in sight, so they need not be looked up.
    """

    owner = django_filters.CharFilter(field_name="owner__username")
    team = django_filters.NumberFilter(method="of_team")

    def of_team(self, customers: Any, name: str, team: Any) -> Any:
        return customers.filter(owner__team__in=team_ids_below({int(team)}, _teams(self.request)))


def _teams(request: Any) -> dict[int, int | None]:
    """Team → the team above, read once for all views of a request."""
    if not hasattr(request, "team_parents"):
        request.team_parents = dict(Team.objects.values_list("pk", "parent_id"))
    parents: dict[int, int | None] = request.team_parents
    return parents


def views_of(user: User) -> QuerySet[SavedView]:
    """The views `user` may open: the own ones and those that others share."""
    return SavedView.objects.filter(Q(owner=user) | Q(shared=True))


def may_change(user: User, view: SavedView) -> bool:
    return view.owner_id == user.pk or user.is_superuser or user.role == Role.ADMINISTRATOR


def plain(query: QueryDict) -> str:
    """The parameters of the list that say which customers, in what order; always the same way."""
    said = {name: str(query[name]) for name in sorted(query) if name in PARAMETERS and query[name]}
    if said.get("sort") == "-net_amount":
        del said["sort"]
    plain_query = QueryDict(mutable=True)
    plain_query.update(said)
    return plain_query.urlencode()


def tabs(request: HttpRequest, user: User) -> list[ViewTab]:
    """The saved views as tabs, with the figures where they were counted a moment ago."""
    now = plain(request.GET)
    found = sorted(
        views_of(user).select_related("owner").order_by("name", "pk")[: SHOWN + MOST_VIEWS],
        key=lambda view: view.owner_id != user.pk,
    )
    counts: dict[int, Count | None] = (cache.get(_key(user)) or {}) if found else {}
    return [
        ViewTab(
            view,
            f"{reverse('customers:list')}?{view.query}",
            current=bool(now) and view.query == now,
            mine=view.owner_id == user.pk,
            count=counts.get(view.pk),
        )
        for view in found[:SHOWN]
    ]


def _key(user: User) -> str:
    return f"view-counts:{user.pk}"


def forget_counts(user: User) -> None:
    """Count anew when the tabs are shown next."""
    cache.delete(_key(user))


@require_safe
@needs("customers:read")
def counts(request: HttpRequest) -> HttpResponse:
    """The tabs with their figures, counted now with one statement, each up to 1,000."""
    user = cast(User, request.user)
    request.GET = QueryDict(request.GET.get("of", "")[:2000])
    shown = tabs(request, user)
    visible = Customer.objects.visible_to(user)
    found = [
        found_by(CountedFilter(QueryDict(tab.view.query), queryset=visible, request=request))
        for tab in shown
    ]
    for tab, count in zip(shown, count_many([visible, *found])[1:], strict=True):
        tab.count = count
    cache.set(_key(user), {tab.view.pk: tab.count for tab in shown}, FRESH)
    return render(request, "customers/_saved.html", {"saved": shown, "counted": True})


class ViewForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """The name of a view, and whether everybody may open it."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")
        labels = {"name": gettext_lazy("Name"), "shared": gettext_lazy("Share with everybody")}

    def _get_validation_exclusions(self) -> set[str]:
        """Nobody types the owner, and yet the name must be new among the owner's views."""
        return set(super()._get_validation_exclusions()) - {"owner"}  # type: ignore[misc]  # not in the stubs


@require_POST
@needs("customers:read")
def save(request: HttpRequest) -> HttpResponse:
    """Keep the filter and order of the list under a name."""
    user = cast(User, request.user)
    query = plain(QueryDict(request.POST.get("query", "")[:2000]))
    view = SavedView(owner=user, query=query)
    form = ViewForm(request.POST, instance=view)
    fault = ""
    if SavedView.objects.filter(owner=user).count() >= MOST_VIEWS:
        fault = _("You have %(most)d views already; delete one first.") % {"most": MOST_VIEWS}
    elif not CustomerFilter(
        QueryDict(query), queryset=Customer.objects.none(), request=request
    ).is_valid():
        fault = _("This filter makes no sense as it stands; nothing was saved.")
    if fault or not form.is_valid():
        messages.error(request, fault or _first_error(form))
        return redirect(f"{reverse('customers:list')}?{query}")
    form.save()
    forget_counts(user)
    messages.success(request, _("Saved as “%(name)s”.") % {"name": view.name})
    return redirect(f"{reverse('customers:list')}?{query}")


def _first_error(form: ViewForm) -> str:
    return str(next(iter(form.errors.values()))[0])


@require_POST
@needs("customers:read")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view, or share it with everybody, or keep it to oneself."""
    user = cast(User, request.user)
    view = _changeable(user, pk)
    form = ViewForm(request.POST, instance=view)
    if not form.is_valid():
        messages.error(request, _first_error(form))
    else:
        form.save()
        messages.success(request, _("Saved."))
    return redirect(f"{reverse('customers:list')}?{view.query}")


@require_POST
@needs("customers:read")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view; for a while it can be brought back."""
    user = cast(User, request.user)
    view = _changeable(user, pk)
    kept = signing.dumps([view.owner_id, view.name, view.query, view.shared], salt="saved view")
    view.delete()
    undo = QueryDict(mutable=True)
    undo["of"] = kept
    messages.success(
        request,
        _("The view “%(name)s” is gone.") % {"name": view.name},
        extra_tags=f"{reverse('customers:view-restore')}?{undo.urlencode()}",
    )
    return redirect("customers:list")


@require_POST
@needs("customers:read")
def restore(request: HttpRequest) -> HttpResponse:
    """Bring back a view that the reader has just deleted."""
    user = cast(User, request.user)
    try:
        owner_id, name, query, shared = signing.loads(
            request.GET.get("of", ""), salt="saved view", max_age=3600
        )
    except signing.BadSignature as bad:
        raise Http404 from bad
    view = SavedView(owner_id=owner_id, name=name, query=query, shared=shared)
    if not may_change(user, view):
        raise Http404
    try:
        with transaction.atomic():
            view.full_clean()
            view.save()
    except (ValidationError, IntegrityError):
        messages.info(request, _("There is a view of this name again already."))
    else:
        messages.success(request, _("The view “%(name)s” is back.") % {"name": name})
    return redirect(f"{reverse('customers:list')}?{query}")


def _changeable(user: User, pk: int) -> SavedView:
    """The view, where the reader owns it or administers; 404 for private ones of others."""
    view = get_object_or_404(views_of(user), pk=pk)
    if not may_change(user, view):
        raise PermissionDenied
    return view
