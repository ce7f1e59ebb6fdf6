"""What is done with a promise: by one tap and taken back, another day, another person (P42)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.access import needs
from accounts.models import AuditEntry, User
from crm.lib.formats import local_day
from crm.lib.htmx import wants_part
from customers.forms.promises import BreakForm, HandOverForm, RenegotiateForm
from customers.models import Promise, PromiseState

#: In which shape a promise stands on the page that acts on it.
SHAPES = {"row": "customers/_promise_row.html", "item": "customers/_promise_item.html"}


@require_POST
@needs("customers:write")
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Kept."""
    now = timezone.now()
    return _settled(request, pk, PromiseState.KEPT, lambda promise: promise.keep(now=now))


@require_POST
@needs("customers:write")
def break_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Broken, with what came of it where somebody wrote that."""
    now = timezone.now()
    form = BreakForm(request.POST)
    outcome = form.cleaned_data["outcome"] if form.is_valid() else ""
    return _settled(
        request,
        pk,
        PromiseState.BROKEN,
        lambda promise: promise.break_off(outcome=outcome, now=now),
    )


@require_POST
@needs("customers:write")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was said today."""
    now = timezone.now()
    return _settled(request, pk, PromiseState.OPEN, lambda promise: promise.reopen(now=now))


@transaction.atomic
def _settled(
    request: HttpRequest, pk: int, state: PromiseState, act: Callable[[Promise], None]
) -> HttpResponse:
    """Bring the promise into `state`, unless somebody changed it since the button was drawn."""
    user = cast(User, request.user)
    promise = _locked(user, pk)
    if promise.state != state:  # otherwise it is the second press of the button
        try:
            _refuse_if_moved(promise, version_sent(request))
            act(promise)
        except ValidationError as refused:
            return _answer(request, promise, " ".join(refused.messages), refused=True)
    return _answer(request, promise, _said(promise), undo=state != PromiseState.OPEN)


def _locked(user: User, pk: int) -> Promise:
    promises = Promise.objects.visible_to(user).select_for_update(of=("self",))
    return get_object_or_404(promises.select_related("customer__owner", "owner"), pk=pk)


def version_sent(request: HttpRequest) -> int:
    """The version that the button was drawn for; -1, which no record has, where it says none."""
    text = request.POST.get("version") or request.GET.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _refuse_if_moved(promise: Promise, version: int) -> None:
    if version == promise.version:
        return
    last = AuditEntry.objects.of(promise).first()
    raise ValidationError(
        _("%(who)s changed this promise meanwhile. It is shown as it is now."),
        code="changed",
        params={"who": (last and last.actor_name) or "–"},
    )


def _said(promise: Promise) -> str:
    if promise.state == PromiseState.OPEN:
        return _("The promise is open again.")
    if promise.state == PromiseState.BROKEN:
        return _("Noted as broken.")
    late = promise.days_late
    if late:
        told = ngettext("Kept, %(days)d day late.", "Kept, %(days)d days late.", late)
        return told % {"days": late}
    return _("Kept in time.")


def _answer(
    request: HttpRequest, promise: Promise, text: str, *, undo: bool = False, refused: bool = False
) -> HttpResponse:
    """The row as it is now with a toast, or without htmx the page where the button stood."""
    undo_url = (
        f"{reverse('customers:promise-reopen', args=[promise.pk])}?version={promise.version}"
        if undo
        else ""
    )
    shape = request.POST.get("shape", "") or request.GET.get("shape", "")
    if not wants_part(request) or shape not in SHAPES:
        level = messages.ERROR if refused else messages.SUCCESS
        messages.add_message(request, level, text, extra_tags=undo_url)
        to = _back(request, promise)
        return HttpResponseClientRedirect(to) if wants_part(request) else redirect(to)
    context = {
        "promise": promise,
        "today": timezone.localdate(),
        "may_write": True,
        "shape": shape,
        "shows_customer": "shows_customer" in request.POST or "shows_customer" in request.GET,
        "shows_owner": "shows_owner" in request.POST or "shows_owner" in request.GET,
    }
    response = render(request, SHAPES[shape], context)
    toast: dict[str, Any] = {"text": text}
    if undo_url:
        shown = "".join(f"&{name}=1" for name in ("shows_customer", "shows_owner") if context[name])
        toast["undo"] = {
            "url": f"{undo_url}&shape={shape}{shown}",
            "label": _("Undo"),
            "target": f"#promise-{promise.pk}",
        }
    return trigger_client_event(response, "toast", toast)


def _back(request: HttpRequest, promise: Promise) -> str:
    """The page where the button stood, else the promise's own."""
    to = request.POST.get("next", "") or request.META.get("HTTP_REFERER", "")
    safe = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if safe else reverse("customers:promise", args=[promise.pk])


# --- another day, another person


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
@transaction.atomic
def renegotiate(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree on another day while the old one has not passed."""
    user = cast(User, request.user)
    now = timezone.now()
    today = local_day(now)
    promise = _locked(user, pk)
    form = RenegotiateForm(request.POST or None, instance=promise, today=today)
    if form.is_valid():
        try:
            promise.renegotiate(
                due_on=form.cleaned_data["new_day"],
                reason=form.cleaned_data["reason"],
                by=user,
                now=now,
            )
        except ValidationError as refused:
            _put_on(form, refused, {"due_on": "new_day"})
        else:
            messages.success(request, _("A new day is agreed."))
            return redirect("customers:promise", pk=pk)
    context = {
        "form": form,
        "promise": promise,
        "customer": promise.customer,
        "title": _("Agree on a new day"),
        "action": _("Save the new day"),
        "refusal": "" if promise.may_be_renegotiated(today) else _why_not(promise),
    }
    return render(request, "customers/promise_form.html", context)


def _why_not(promise: Promise) -> str:
    if promise.is_open:
        return _("Its day has passed: say whether it was kept late or broken.")
    return _("This promise is no longer open.")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
@transaction.atomic
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody else keep it."""
    user = cast(User, request.user)
    promise = _locked(user, pk)
    form = HandOverForm(request.POST or None, instance=promise)
    if form.is_valid():
        try:
            promise.hand_over(to=form.cleaned_data["to"])
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            told = _("%(name)s keeps it from now on.")
            messages.success(request, told % {"name": promise.owner.display_name})
            return redirect("customers:promise", pk=pk)
    context = {
        "form": form,
        "promise": promise,
        "customer": promise.customer,
        "title": _("Hand the promise over"),
        "action": _("Hand over"),
        "refusal": "" if promise.is_open else _why_not(promise),
    }
    return render(request, "customers/promise_form.html", context)


def _put_on(form: Any, refused: ValidationError, names: dict[str, str]) -> None:
    """Show a refusal at the field of the form that it is about."""
    if not hasattr(refused, "error_dict"):
        form.add_error(None, refused)
        return
    for name, errors in refused.error_dict.items():
        form.add_error(names.get(name, name), errors)
