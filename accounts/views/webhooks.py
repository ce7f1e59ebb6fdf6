"""Webhooks and their deliveries, for who holds `webhooks:write`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from accounts import delivering
from accounts.access import needs
from accounts.exports import table_view
from accounts.models import Delivery, DeliveryState, Pause, User, Webhook
from accounts.webhook_filters import DeliveriesOfWebhook
from accounts.webhook_forms import WebhookForm
from accounts.webhooks import send_later
from crm.lib.export import Table
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import keyset_page
from crm.lib.listing import found_by, list_answer, parameters, quick_filters, shown, turns
from crm.lib.text import Text

#: A delivery that was due for longer waits for its receiver.
SOON = timedelta(minutes=2)
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All deliveries"), {}),
    (gettext_lazy("Waiting"), {"state": DeliveryState.WAITING.value}),
    (gettext_lazy("Given up"), {"state": DeliveryState.DEAD.value}),
)


def _webhook(request: HttpRequest, pk: int, *, lock: bool = False) -> Webhook:
    webhooks = Webhook.objects.visible_to(cast(User, request.user))
    if lock:
        webhooks = webhooks.select_for_update(of=("self",))
    return get_object_or_404(webhooks, pk=pk)


@require_safe
@needs("webhooks:write")
def webhooks(request: HttpRequest) -> HttpResponse:
    """Every webhook, how it goes, and how many events were given up."""
    page = keyset_page(
        Webhook.objects.visible_to(cast(User, request.user)).kept(),
        order=("-id",),
        cursor=request.GET.get("cursor", ""),
        size=50,
    )
    context = {"page": page, "rows": page.rows, **turns(request, ("cursor",), page)}
    return render(request, "accounts/webhooks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("webhooks:write")
@never_cache
@transaction.atomic
def webhook_new(request: HttpRequest) -> HttpResponse:
    """Make one; the answer to the POST is the only place that shows its secret."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        webhook = form.save()
        return render(request, "accounts/webhook_secret.html", {"webhook": webhook})
    status = 422 if form.errors else 200
    return render(request, "accounts/webhook_form.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("webhooks:write")
@transaction.atomic
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    webhook = _webhook(request, pk, lock=request.method == "POST")
    form = WebhookForm(request.POST or None, instance=webhook)
    if request.method == "POST" and form.is_valid():
        form.save(commit=False).store()
        messages.success(request, _("Saved."))
        return redirect("accounts:webhook", pk=pk)
    status = 422 if form.errors else 200
    context = {"form": form, "webhook": webhook}
    return render(request, "accounts/webhook_form.html", context, status=status)


def _filters(request: HttpRequest, webhook: Webhook) -> DeliveriesOfWebhook:
    deliveries = Delivery.objects.visible_to(cast(User, request.user)).filter(webhook=webhook)
    return DeliveriesOfWebhook(
        request.GET, queryset=deliveries.select_related("event"), request=request
    )


@require_safe
@needs("webhooks:write")
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One webhook with its deliveries, newest first; also answers htmx with the rows."""
    one = _webhook(request, pk)
    filters = _filters(request, one)
    context = shown(request, filters, found_by(filters), order=("-id",), tabs=("state",))
    context |= {
        "webhook": one,
        "now": timezone.now(),
        "chips": [filters.form["event"]],
        "tabs": quick_filters(request, parameters(filters), TABS),
        "has_dead": Delivery.objects.dead().filter(webhook=one).exists(),
    }
    return list_answer(request, "accounts/webhook.html", "accounts/_webhook.html", context)


@require_safe
@needs("webhooks:write")
@table_view
def export(request: HttpRequest, pk: int) -> Table:
    """The filtered deliveries as an Excel or CSV file."""
    one = _webhook(request, pk)
    found = found_by(_filters(request, one)).order_by("-id")
    head = [
        _("Time"), _("Event"), _("Event id"), _("State"), _("Attempts"), _("Last attempt"),
        pgettext("webhook", "Answer"), _("Took (ms)"), _("Error"), _("Data"),
    ]  # fmt: skip
    return Table(_("Deliveries to %(name)s") % {"name": one.name}, head, _rows(found), found)


def _rows(found: QuerySet[Delivery]) -> Iterator[list[object]]:
    for one in found.iterator(chunk_size=500):
        data = json.dumps(one.event.data, ensure_ascii=False)
        yield [
            one.event.occurred_at, one.event.name, str(one.event_id), one.get_state_display(),
            one.attempts, one.tried_at, one.status_code, one.duration_ms, str(one.why), data,
        ]  # fmt: skip


@require_safe
@needs("webhooks:write")
@never_cache
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """One delivery: what is sent, with which signature, and what was answered. While it is on its
    way, htmx asks every two seconds what became of it."""
    rows = Delivery.objects.visible_to(cast(User, request.user)).select_related("webhook", "event")
    one = get_object_or_404(rows, pk=pk)
    now = timezone.now()
    headers = {}
    if one.tried_at:
        headers = delivering.headers_of(one, int(one.tried_at.timestamp()), one.signature)
    context: dict[str, Any] = {
        "delivery": one,
        "webhook": one.webhook,
        "headers": headers,
        "body": json.dumps(one.body, ensure_ascii=False, indent=2),
        "on_its_way": one.state == DeliveryState.WAITING
        and one.webhook.is_listening
        and timedelta(0) <= now - one.next_attempt_at < SOON,
    }
    if wants_part(request) and not context["on_its_way"]:
        return HttpResponseClientRefresh()
    return page_or_part(request, "accounts/delivery.html", "accounts/_delivery.html", context)


@require_POST
@needs("webhooks:write")
def ping(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test event, and go where one sees what becomes of it."""
    try:
        sent = delivering.ping(webhook=_webhook(request, pk), now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("accounts:webhook", pk=pk)
    return redirect("accounts:delivery", pk=sent.pk)


@require_POST
@needs("webhooks:write")
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one delivery again."""
    rows = Delivery.objects.visible_to(cast(User, request.user))
    one = get_object_or_404(rows, pk=pk)
    try:
        delivering.replay(delivery=one, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    return redirect("accounts:delivery", pk=pk)


@require_POST
@needs("webhooks:write")
def replay_dead(request: HttpRequest, pk: int) -> HttpResponse:
    """Send all again that was given up; many by a job that one can watch."""
    by, one = cast(User, request.user), _webhook(request, pk)
    try:
        number, job = delivering.replay_dead(webhook=one, by=by, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("accounts:webhook", pk=pk)
    if job:
        return redirect("accounts:run", pk=job.pk)
    told = ngettext("%(n)d delivery is sent again.", "%(n)d deliveries are sent again.", number)
    messages.success(request, told % {"n": number})
    return redirect("accounts:webhook", pk=pk)


@require_POST
@needs("webhooks:write")
@transaction.atomic
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    one = _webhook(request, pk, lock=True)
    one.stop(Pause.BY_HAND, timezone.now())
    undo = reverse("accounts:webhook-resume", args=[pk])
    messages.success(request, _("%(name)s is paused.") % {"name": one}, extra_tags=undo)
    return redirect("accounts:webhook", pk=pk)


@require_POST
@needs("webhooks:write")
@transaction.atomic
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Send again, at once what still waits."""
    one = _webhook(request, pk, lock=True)
    try:
        one.resume()
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        send_later([pk])
        undo = reverse("accounts:webhook-pause", args=[pk])
        messages.success(request, _("%(name)s is active again.") % {"name": one}, extra_tags=undo)
    return redirect("accounts:webhook", pk=pk)


@require_POST
@needs("webhooks:write")
@transaction.atomic
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    one = _webhook(request, pk, lock=True)
    one.remove(timezone.now())
    undo = reverse("accounts:webhook-restore", args=[pk])
    messages.success(request, _("%(name)s is removed.") % {"name": one}, extra_tags=undo)
    return redirect("accounts:webhooks")


@require_POST
@needs("webhooks:write")
@transaction.atomic
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    one = _webhook(request, pk, lock=True)
    one.restore()
    messages.success(request, _("%(name)s is back.") % {"name": one})
    return redirect("accounts:webhook", pk=pk)


@require_POST
@needs("webhooks:write")
@never_cache
@transaction.atomic
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a new secret; the answer is the only place that shows it.

    The page that asks says which version it saw, so that a second press makes no second one: that
    would put an end to the old secret, which still works for a day.
    """
    one = _webhook(request, pk, lock=True)
    if request.POST.get("version") != str(one.version):
        messages.error(request, _("Somebody else has changed this meanwhile; nothing was saved."))
        return redirect("accounts:webhook", pk=pk)
    one.rotate(timezone.now())
    return render(request, "accounts/webhook_secret.html", {"webhook": one})
