"""What everybody sets for themselves: the settings page and the language."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import OwnForm
from accounts.models import User

A_YEAR = 365 * 24 * 3600


@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def settings_(request: HttpRequest) -> HttpResponse:
    """One's own name, addresses, language and appearance."""
    people = User.objects.select_for_update() if request.method == "POST" else User.objects.all()
    person = get_object_or_404(people, pk=request.user.pk)
    theme = request.COOKIES.get("theme", "")
    form = OwnForm(request.POST or None, instance=person, initial={"theme": theme})
    if request.method == "POST" and form.is_valid():
        form.save()
        with translation.override(person.language):
            messages.success(request, _("Settings saved."))
        response = redirect("accounts:settings")
        remember(response, "theme", form.cleaned_data["theme"])
        remember(response, settings.LANGUAGE_COOKIE_NAME, person.language)
        return response
    return render(request, "accounts/settings.html", {"form": form})


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language of this browser, and of the person who is signed in."""
    wanted = request.POST.get("language", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        back = "/"
    response = redirect(back)
    if wanted in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            person = request.user
            person.language = wanted
            person.save(update_fields=["language"])
        remember(response, settings.LANGUAGE_COOKIE_NAME, wanted)
    return response


def remember(response: HttpResponse, name: str, value: str) -> None:
    """Keep `value` in a cookie for a year; an empty one takes the cookie away."""
    if value:
        response.set_cookie(
            name, value, max_age=A_YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
        )
    else:
        response.delete_cookie(name, samesite="Lax")
