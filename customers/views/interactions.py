"""Logging contacts with customers from wherever one is, and looking at one that was (P32)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import (
    HttpResponseClientRedirect,
    HttpResponseClientRefresh,
    reswap,
    retarget,
    trigger_client_event,
)

from accounts.access import may, needs
from accounts.models import User
from crm.lib.contributions import contributions
from crm.lib.htmx import wants_part
from crm.lib.text import Text
from customers import contacting
from customers.forms.interactions import InteractionForm, LogForm
from customers.models import Channel, Customer, CustomerQuerySet, FileRead, Interaction
from customers.timeline.interactions import ICONS
from customers.views.promise_acts import version_sent

FOUND = 6
NEXT_STOP: Text = gettext_lazy("next stop")
LAST_OPENED: Text = gettext_lazy("last opened")
#: The pages of a file that show its timeline: they are drawn anew after logging.
ON_FILE = re.compile(r"^/customers/(\d{1,18})/(?:timeline/)?(?:\?|$)")
ANY_FILE = re.compile(r"^/customers/(\d{1,18})/")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def log(request: HttpRequest) -> HttpResponse:
    """Log a contact: a sheet over the page one is on, or a page of its own.

    With `part` htmx gets the customers that are found, or the one that was chosen.
    """
    user = cast(User, request.user)
    now = timezone.now()
    customer, hint = _customer(request, user, timezone.localdate(now))
    if request.method == "POST" and "go" in request.POST:
        return _lead_on(request, customer)
    sent = request.POST if request.method == "POST" else None
    start = {"channel": request.GET.get("channel") or Channel.CALL}
    form = LogForm(sent, customer=customer, now=now, initial=start)
    if customer is not None and form.is_valid():
        try:
            interaction = contacting.log_interaction(
                customer=customer, by=user, now=now, **_values(form)
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            return _logged(request, interaction)
    elif sent is not None and customer is None:
        form.add_error(None, _("Choose a customer first."))
    words = request.GET.get("q", "")[:200].replace("\x00", "")
    context = {
        "form": form,
        "customer": customer,
        "hint": hint,
        "words": words,
        "icons": ICONS,
        "found": _found(user, words),
        "may_visit": may(user, "visits:write"),
        "sheet": wants_part(request),
    }
    response = render(request, _template(request), context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _template(request: HttpRequest) -> str:
    if not wants_part(request):
        return "customers/note.html"
    if request.method == "POST":
        return "customers/_note_form.html"
    parts = {"found": "customers/_note_found.html", "who": "customers/_note_who.html"}
    return parts.get(request.GET.get("part", ""), "customers/_note_sheet.html")


def _values(form: InteractionForm) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "version"}


def _customer(request: HttpRequest, user: User, today: date) -> tuple[Customer | None, Text]:
    """The customer asked for, else the likeliest: of this page, of the next stop, last opened."""
    asked = request.POST.get("customer", "") or request.GET.get("customer", "")
    customers = Customer.objects.visible_to(user)
    if asked:
        return get_object_or_404(customers, pk=_number(asked)), ""
    if request.method == "POST" or request.GET.get("q"):
        return None, ""
    htmx: Any = getattr(request, "htmx", None)
    here = ANY_FILE.match((htmx and htmx.current_url_abs_path) or "")
    if here and (customer := customers.filter(pk=int(here[1])).first()):
        return customer, ""
    for next_customer in contributions("whereabouts", "next_customer"):
        if (pk := next_customer(user, today=today)) and (
            customer := customers.filter(pk=pk).first()
        ):
            return customer, NEXT_STOP
    last = FileRead.objects.filter(reader=user).order_by("-last_at", "-pk")
    opened = last.values_list("customer_id", flat=True).first()
    return customers.filter(pk=opened).first() if opened else None, LAST_OPENED


def _number(text: str) -> int:
    """A record's number as it came in an address; 0, which nobody has, where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _found(user: User, words: str) -> list[Customer]:
    """The customers to choose from: those that `words` describe, or those last opened."""
    customers: CustomerQuerySet = Customer.objects.visible_to(user)
    if words.strip():
        return list(customers.named_like(words).order_by("name", "pk")[:FOUND])
    reads = FileRead.objects.filter(reader=user).order_by("-last_at", "-pk")
    opened = list(dict.fromkeys(reads.values_list("customer_id", flat=True)[: 4 * FOUND]))[:FOUND]
    if not opened:
        return list(customers.filter(owner=user).order_by("name", "pk")[:FOUND])
    known = customers.in_bulk(opened)
    return [known[pk] for pk in opened if pk in known]


def _lead_on(request: HttpRequest, customer: Customer | None) -> HttpResponse:
    """To the form of a visit or a promise, which have more to say than a sheet holds."""
    if request.POST["go"] == "promise" and customer is not None:
        to = reverse("customers:promise-new", args=[customer.pk])
    elif request.POST["go"] == "visit":
        to = reverse("visits:new") + (f"?customer={customer.pk}" if customer else "")
    else:
        to = reverse("customers:list")
    return HttpResponseClientRedirect(to) if wants_part(request) else redirect(to)


def _logged(request: HttpRequest, interaction: Interaction) -> HttpResponse:
    """Back to where one was, with the entry on the timeline and a way to take it back."""
    text = _("On the timeline of %(name)s.") % {"name": interaction.customer.name}
    undo = reverse("customers:interaction-delete", args=[interaction.pk])
    undo = f"{undo}?version={interaction.version}"
    if wants_part(request) and not _stands_on(request, interaction.customer_id):
        response = retarget(reswap(HttpResponse(), "delete"), "#log")
        toast = {"text": text, "undo": {"url": undo, "label": _("Undo"), "target": ""}}
        return trigger_client_event(response, "toast", toast)
    messages.success(request, text, extra_tags=undo)
    if wants_part(request):
        return HttpResponseClientRefresh()
    return redirect("customers:timeline", pk=interaction.customer_id)


def _stands_on(request: HttpRequest, customer_id: int) -> bool:
    """Whether the reader looks at a page with the timeline of this customer."""
    here = ON_FILE.match(cast(Any, request).htmx.current_url_abs_path or "")
    return here is not None and int(here[1]) == customer_id


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One contact; who logged it can put it right on the same day."""
    user = cast(User, request.user)
    now = timezone.now()
    interaction = _load(user, pk)
    changeable = may(user, "customers:write") and interaction.may_be_changed(by=user, now=now)
    form = InteractionForm(
        request.POST if request.method == "POST" and changeable else None,
        instance=interaction,
        customer=interaction.customer,
        now=now,
    )
    if form.is_valid():
        try:
            contacting.correct_interaction(interaction=form.save(commit=False), by=user, now=now)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("customers:timeline", pk=interaction.customer_id)
    elif request.method == "POST" and not changeable:
        messages.error(request, _("Only who logged it can change it, and on the same day only."))
        return redirect("customers:interaction", pk=pk)
    context = {
        "form": form if changeable else None,
        "interaction": interaction,
        "customer": interaction.customer,
        "icon_name": ICONS[interaction.channel],
        "icons": ICONS,
    }
    return render(request, "customers/interaction.html", context)


def _load(user: User, pk: int) -> Interaction:
    known = Interaction.objects.visible_to(user).select_related("customer", "by", "contact")
    return get_object_or_404(known, pk=pk)


@require_POST
@needs("customers:write")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take out what was logged by mistake."""
    user = cast(User, request.user)
    interaction = _load(user, pk)
    customer = interaction.customer
    if version_sent(request) != interaction.version:
        messages.error(request, _("It was changed meanwhile. Look at it again."))
        return _on(request, "customers:interaction", pk)
    try:
        contacting.remove_interaction(interaction=interaction, by=user, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return _on(request, "customers:interaction", pk)
    text = _("Taken out of the timeline.")
    undo = reverse("customers:interaction-restore", args=[pk])
    if wants_part(request):
        toast = {"text": text, "undo": {"url": undo, "label": _("Undo"), "target": ""}}
        return trigger_client_event(HttpResponse(status=204), "toast", toast)
    messages.success(request, text, extra_tags=undo)
    return redirect("customers:timeline", pk=customer.pk)


@require_POST
@needs("customers:write")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back what one took out today."""
    user = cast(User, request.user)
    interaction = contacting.restore_interaction(pk=pk, by=user, now=timezone.now())
    if interaction is None:
        raise Http404
    text = _("It is on the timeline again.")
    if wants_part(request):
        return trigger_client_event(HttpResponse(status=204), "toast", {"text": text})
    messages.success(request, text)
    return redirect("customers:timeline", pk=interaction.customer_id)


def _on(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    to = reverse(name, args=[pk])
    return HttpResponseClientRedirect(to) if wants_part(request) else redirect(to)
