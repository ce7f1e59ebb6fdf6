"""The pages of suggestions to customers: the worklist, one, making and changing it, its outcome."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.htmx import wants_part
from crm.lib.keyset import count_up_to
from crm.lib.listing import (
    address,
    found_by,
    list_answer,
    parameters,
    quick_filters,
    shown,
)
from crm.lib.text import Text
from customers.filters import chips
from customers.models import Customer
from customers.views.promise_acts import version_sent
from visits import effects
from visits.actions import make_suggestion
from visits.models import Suggestion, SuggestionQuerySet, SuggestionState, Visit
from visits.suggestion_filters import SuggestionFilter
from visits.suggestion_forms import SettleForm, SuggestionForm

CHIPS = ("by", "made_from", "made_to", "owner", "team")
#: How many the panel of the day shows.
SHOWN = 4
#: Order lines behind a figure that the page names.
MOST_LINES = 50


def in_sight(user: User) -> SuggestionQuerySet:
    return Suggestion.objects.visible_to(user).select_related("customer__owner", "product", "by")


def _filtered(request: HttpRequest) -> SuggestionFilter:
    """Without a state the open ones are shown."""
    asked = request.GET.copy()
    if not asked.get("state"):
        asked["state"] = SuggestionState.OPEN
    return SuggestionFilter(asked, queryset=in_sight(cast(User, request.user)), request=request)


def _ordered(request: HttpRequest) -> tuple[str, str]:
    """Open ones by the day of their follow-up, others by the latest."""
    is_open = request.GET.get("state", "") in ("", SuggestionState.OPEN)
    return ("follow_up_on", "id") if is_open else ("-made_on", "-id")


@require_safe
@needs("customers:read")
def suggestions(request: HttpRequest) -> HttpResponse:
    """Suggestions to customers in sight; open ones first, by the day of their follow-up."""
    user = cast(User, request.user)
    today = timezone.localdate()
    filters = _filtered(request)
    names = parameters(filters)
    tabs: tuple[tuple[Text, dict[str, str]], ...] = (
        (pgettext_lazy("suggestions", "Open"), {}),
        (gettext_lazy("To follow up"), {"due_by": today.isoformat()}),
        (pgettext_lazy("suggestions", "Taken up"), {"state": "taken_up"}),
        (pgettext_lazy("suggestions", "Declined"), {"state": "declined"}),
        (pgettext_lazy("suggestions", "All"), {"state": "all"}),
    )
    context = shown(
        request, filters, found_by(filters), order=_ordered(request), tabs=("state", "due_by")
    )
    context |= {
        "chips": chips(filters, CHIPS),
        "tabs": quick_filters(request, names, tabs),
        "today": today,
        "customer": _asked_for(request, user),
        "without_customer": address(request, names - {"customer", "cursor"}),
        "may_write": may(user, "visits:write"),
    }
    return list_answer(request, "visits/suggestions.html", "visits/_suggestions_list.html", context)


@require_safe
@needs("customers:read")
def suggestions_due(request: HttpRequest) -> HttpResponse:
    """What is to be followed up today, the longest due first: a panel of the day."""
    user = cast(User, request.user)
    today = timezone.localdate()
    every = f"{reverse('visits:suggestions')}?due_by={today.isoformat()}"
    if not wants_part(request):
        return redirect(every)
    due = in_sight(user).due(today)
    context = {
        "suggestions": due.order_by("follow_up_on", "pk")[:SHOWN],
        "count": count_up_to(due),
        "every": every,
        "today": today,
    }
    return render(request, "visits/_suggestions_due.html", context)


def _asked_for(request: HttpRequest, user: User) -> Customer | None:
    """The customer that the address names, if the reader sees it."""
    number = request.GET.get("customer", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    found = Customer.objects.visible_to(user).select_related("owner")
    return found.filter(pk=int(number)).first()


@require_safe
@needs("customers:read")
@table_view
def suggestions_export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    found = found_by(_filtered(request)).order_by(*_ordered(request))
    head = [
        _("Customer"),
        _("Number in the ERP"),
        _("Owner"),
        _("Suggestion"),
        _("Product"),
        _("Expected benefit"),
        pgettext("suggestion", "Made"),
        pgettext("suggestion", "Made by"),
        _("Follow up"),
        _("State"),
        _("In words"),
        _("Outcome on"),
    ]
    name = _("Suggestions %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, map(_cells, found.iterator(chunk_size=1000)), counted=found)


def _cells(row: Suggestion) -> tuple[object, ...]:
    owner = row.customer.owner
    return (
        row.customer.name,
        row.customer.external_id,
        owner and owner.display_name,
        row.text,
        row.product and row.product.name,
        row.expected,
        row.made_on,
        row.by.display_name,
        row.follow_up_on,
        row.get_state_display(),
        row.outcome_words,
        row.outcome_on,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def suggestion_new(request: HttpRequest) -> HttpResponse:
    """Put a suggestion on a customer's file; `visit` names the one it is made in."""
    user = cast(User, request.user)
    customer = _asked_for(request, user)
    if customer is None:
        raise Http404
    visit = _visit_of(request, customer)
    form = SuggestionForm(
        request.POST or None,
        user=user,
        today=timezone.localdate(),
        instance=Suggestion(customer=customer, visit=visit, by=user),
    )
    if request.method == "POST" and form.is_valid():
        suggestion = form.save(commit=False)
        suggestion.product = form.cleaned_data["product"]
        try:
            make_suggestion(suggestion=suggestion, client_id=form.cleaned_data["client_id"])
        except ValidationError as refused:
            form.add_error(None, ValidationError(refused.messages))
        else:
            messages.success(request, _("The suggestion is on the file."))
            return redirect(_after(customer, visit))
    context = {"form": form, "customer": customer, "back": _after(customer, visit)}
    status = 422 if form.errors else 200
    return render(request, "visits/suggestion_form.html", context, status=status)


def _visit_of(request: HttpRequest, customer: Customer) -> Visit | None:
    number = request.GET.get("visit", "")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Visit.objects.filter(customer=customer, pk=int(number)).first()


def _after(customer: Customer, visit: Visit | None) -> str:
    if visit is not None:
        return reverse("visits:detail", args=[visit.pk])
    return reverse("customers:detail", args=[customer.pk])


@require_safe
@needs("customers:read")
def suggestion(request: HttpRequest, pk: int) -> HttpResponse:
    """One suggestion, its outcome, and what was bought of the product before and after."""
    user = cast(User, request.user)
    return _page(request, user, get_object_or_404(in_sight(user), pk=pk))


def _page(
    request: HttpRequest, user: User, made: Suggestion, form: SettleForm | None = None
) -> HttpResponse:
    today = timezone.localdate()
    days = _days(request)
    may_orders = may(user, "orders:read")
    context = {
        "suggestion": made,
        "customer": made.customer,
        "form": form
        or SettleForm(
            initial={
                "state": SuggestionState.TAKEN_UP if made.is_open else made.state,
                "words": made.outcome_words,
            }
        ),
        "is_due": made.is_due(today),
        "today": today,
        "effect": effects.of_suggestion(made, days=days, today=today) if may_orders else None,
        "days": days,
        "choices": effects.DAYS,
        "most_lines": MOST_LINES,
        "changes": described(AuditEntry.objects.of(made).order_by("-id")[:20]),
        "may_write": may(user, "visits:write"),
    }
    status = 422 if form is not None else 200
    return render(request, "visits/suggestion.html", context, status=status)


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    known = {str(days): days for days in effects.DAYS}
    return known.get(asked, effects.USUAL_DAYS)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
@transaction.atomic
def suggestion_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change it, or the day of its follow-up, unless somebody else did meanwhile."""
    user = cast(User, request.user)
    locking = request.method == "POST"
    made = _locked(user, pk) if locking else get_object_or_404(in_sight(user), pk=pk)
    form = SuggestionForm(
        request.POST or None, user=user, today=timezone.localdate(), instance=made
    )
    if request.method == "POST" and form.is_valid():
        changed = form.save(commit=False)
        changed.product = form.cleaned_data["product"]
        changed.save()
        messages.success(request, _("Saved."))
        return redirect("visits:suggestion", pk=pk)
    context = {
        "form": form,
        "customer": made.customer,
        "suggestion": made,
        "back": reverse("visits:suggestion", args=[pk]),
    }
    status = 422 if form.errors else 200
    return render(request, "visits/suggestion_form.html", context, status=status)


def _locked(user: User, pk: int) -> Suggestion:
    rows = Suggestion.objects.visible_to(user).select_for_update(of=("self",))
    return get_object_or_404(rows.select_related("customer"), pk=pk)


@require_POST
@needs("visits:write")
@transaction.atomic
def suggestion_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Taken up or declined, with what came of it where somebody wrote that."""
    user = cast(User, request.user)
    made = _locked(user, pk)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _page(request, user, made, form)
    said = form.cleaned_data
    return _changed(request, made, state=said["state"], words=said["words"].strip())


@require_POST
@needs("visits:write")
@transaction.atomic
def suggestion_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what was said of the outcome."""
    made = _locked(cast(User, request.user), pk)
    return _changed(request, made, state=SuggestionState.OPEN, words="")


def _changed(request: HttpRequest, made: Suggestion, *, state: str, words: str) -> HttpResponse:
    """Bring it into `state`, unless somebody changed it since the button was drawn."""
    undo = ""
    if (made.state, made.outcome_words) != (state, words):  # else the second press of the button
        if version_sent(request) != made.version:
            messages.error(request, _("Somebody changed this meanwhile. It is shown as it is now."))
            return redirect(_back(request, made.pk))
        if state == SuggestionState.OPEN:
            made.reopen()
        else:
            made.settle(state=state, words=words, on=timezone.localdate())
            undo = f"{reverse('visits:suggestion-reopen', args=[made.pk])}?version={made.version}"
    said = {
        SuggestionState.OPEN: _("The suggestion is open again."),
        SuggestionState.TAKEN_UP: _("Noted: taken up."),
        SuggestionState.DECLINED: _("Noted: declined."),
    }
    messages.success(request, said[SuggestionState(state)], extra_tags=undo)
    return redirect(_back(request, made.pk))


def _back(request: HttpRequest, pk: int) -> str:
    """The page where the button stood, else the suggestion's own."""
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return to if safe else reverse("visits:suggestion", args=[pk])
