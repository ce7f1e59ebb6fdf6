"""Users and teams, for who holds `users:write`."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions
from accounts.access import needs
from accounts.adapter import AccountAdapter
from accounts.filters import UserFilter
from accounts.forms import NewUserForm, TeamForm, UserForm
from accounts.models import Team, User
from accounts.models.users import tree
from crm.lib.keyset import count_up_to, keyset_page


@require_safe
@needs("users:write")
def users(request: HttpRequest) -> HttpResponse:
    """Everybody with an account, by name."""
    person = cast(User, request.user)
    people = User.objects.visible_to(person).select_related("team")
    found = UserFilter(request.GET, queryset=people, request=request)
    context = {
        "filter": found,
        "count": count_up_to(found.qs),
        "page": keyset_page(
            found.qs, order=("name", "id"), cursor=request.GET.get("cursor", ""), size=50
        ),
    }
    template = "accounts/_users.html" if cast(Any, request).htmx else "accounts/users.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs("users:write")
@never_cache
def user_new(request: HttpRequest) -> HttpResponse:
    """A new account, let in by a mailed link or by a password shown once."""
    form = NewUserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.save(commit=False)
        user.set_unusable_password()
        if form.cleaned_data["entry"] == NewUserForm.PASSWORD:
            password = actions.set_temporary_password(user=user)
            return render(
                request, "accounts/password_shown.html", {"person": user, "password": password}
            )
        user.save()
        _send_link(request, user)
        return redirect("accounts:users")
    return render(request, "accounts/user_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("users:write")
@transaction.atomic
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: what it may do and how it is reached."""
    user = _person(request, pk)
    form = UserForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_user(user=form.save(commit=False), by=cast(User, request.user))
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _("%(name)s saved.") % {"name": user})
            return redirect("accounts:users")
    stored = User.objects.select_related("team").get(pk=pk)
    context = {"form": form, "person": stored, "owned": stored.customers.count()}
    return render(request, "accounts/user_form.html", context)


@require_POST
@needs("users:write")
@never_cache
@transaction.atomic
def user_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A mailed link for a new password, or a temporary password shown once."""
    user = _person(request, pk)
    if request.POST.get("how") == NewUserForm.LINK:
        _send_link(request, user)
        return redirect("accounts:user-edit", pk)
    if request.POST.get("version") != str(user.version):
        # A reload of the page that showed the last password comes by here.
        messages.warning(request, _("Somebody else has changed this meanwhile; nothing was saved."))
        return redirect("accounts:user-edit", pk)
    password = actions.set_temporary_password(user=user)
    AccountAdapter(request).unlock(request, user.username)
    return render(request, "accounts/password_shown.html", {"person": user, "password": password})


@require_POST
@needs("users:write")
@transaction.atomic
def user_active(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in again, or not any more."""
    user = _person(request, pk)
    active = request.POST.get("active") == "1"
    try:
        actions.let_in(user=user, by=cast(User, request.user), active=active)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("accounts:user-edit", pk)
    said = _("%(name)s may sign in.") if active else _("%(name)s may not sign in any more.")
    messages.success(request, said % {"name": user})
    return redirect("accounts:user-edit", pk)


@require_safe
@needs("users:write")
def teams(request: HttpRequest) -> HttpResponse:
    """The tree of teams, each with its manager and how many people are in it."""
    rows = tree(Team.objects.with_sizes().select_related("manager").order_by("name"))
    return render(request, "accounts/teams.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("users:write")
@transaction.atomic
def team_new(request: HttpRequest) -> HttpResponse:
    return _team_page(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("users:write")
@transaction.atomic
def team_edit(request: HttpRequest, pk: int) -> HttpResponse:
    # The whole tree is locked: two moves at once could make a ring that neither of them is.
    found = Team.objects.select_for_update() if request.method == "POST" else Team.objects.all()
    everything = {team.pk: team for team in found}
    return _team_page(request, everything.get(pk) or get_object_or_404(Team, pk=pk))


def _team_page(request: HttpRequest, team: Team | None) -> HttpResponse:
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(name)s saved.") % {"name": saved})
        return redirect("accounts:teams")
    return render(request, "accounts/team_form.html", {"form": form, "team": team})


def _person(request: HttpRequest, pk: int) -> User:
    """The account to be changed; only a superuser changes a superuser."""
    by = cast(User, request.user)
    people = User.objects.visible_to(by)
    if request.method == "POST":
        people = people.select_for_update()
    user: User = get_object_or_404(people, pk=pk)
    if user.is_superuser and not by.is_superuser:
        raise PermissionDenied
    return user


def _send_link(request: HttpRequest, user: User) -> None:
    if not user.email or not user.is_active:
        messages.error(request, _("There is no address, or the account is closed: no link sent."))
    elif actions.send_password_link(user=user):
        messages.success(request, _("A link was sent to %(email)s.") % {"email": user.email})
    else:
        messages.error(request, _("The mail could not be sent. Show a temporary password instead."))
