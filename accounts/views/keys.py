"""API keys, for who holds `keys:write`."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actions
from accounts.access import needs
from accounts.forms import KeyForm
from accounts.models import ApiKey
from crm.lib.keyset import keyset_page


@require_safe
@needs("keys:write")
def keys(request: HttpRequest) -> HttpResponse:
    """Every key that was ever made, the newest first; the keys themselves are not kept."""
    page = keyset_page(
        ApiKey.objects.select_related("user"),
        order=("-id",),
        cursor=request.GET.get("cursor", ""),
        size=50,
    )
    now = timezone.now()
    rows = [(key, key.state(now)) for key in page.rows]
    return render(request, "accounts/keys.html", {"page": page, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("keys:write")
@never_cache
@transaction.atomic
def key_new(request: HttpRequest) -> HttpResponse:
    """Make a key; the answer to the POST is the only place that ever shows it."""
    form = KeyForm(request.POST or None, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        try:
            user = form.cleaned_data["user"] or actions.integration_account()
        except ValidationError as refused:
            form.add_error("user", refused)
        else:
            key, secret = ApiKey.issue(
                name=form.cleaned_data["name"],
                user_id=user.pk,
                scopes=form.cleaned_data["scopes"],
                expires_at=form.expires_at,
            )
            return render(request, "accounts/key_shown.html", {"key": key, "secret": secret})
    return render(request, "accounts/key_form.html", {"form": form})


@require_POST
@needs("keys:write")
def key_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    key.revoke(timezone.now())
    messages.success(request, _("%(name)s is revoked.") % {"name": key})
    return redirect("accounts:keys")
