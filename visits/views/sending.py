"""Sending market information to the customers it fits, in writing (P26)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import may, needs, require
from accounts.models import User
from crm.lib.keyset import count_up_to
from crm.lib.listing import found_by, list_answer, shown
from customers.filters import CustomerFilter, chips
from customers.models import Contact, Customer, CustomerQuerySet
from visits.actions import send_information, take_back_sendings
from visits.actions.informing import MOST_SENT
from visits.information_forms import LetterForm, SendForm
from visits.informing import fits, letter, whom_it_helps
from visits.models import MarketInformation, Sending
from visits.views.information import one

#: Above this many the number is shown once more before anything is noted.
ASK_ABOVE = 50
UNDO_SECONDS = 900
CHIPS = ("abc", "owner", "team", "kind")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The customers picked on the page, or all that the filter found, in the reader's sight."""

    customers: CustomerQuerySet
    ids: list[int]
    everything: bool
    query: QueryDict
    n: int


def _fitting(request: HttpRequest, information: MarketInformation) -> CustomerQuerySet:
    seen = Customer.objects.visible_to(cast(User, request.user))
    return fits(information, seen, today=timezone.localdate())


def _chosen(request: HttpRequest, information: MarketInformation) -> Chosen:
    query = QueryDict(request.POST.get("query", "")[:2000])
    everything = bool(request.POST.get("all"))
    numbers = [text for text in request.POST.getlist("ids") if text.isascii() and text.isdecimal()]
    ids = sorted({int(text) for text in numbers[:MOST_SENT] if len(text) < 19})
    fitting = _fitting(request, information)
    found: Any = (
        found_by(CustomerFilter(query, queryset=fitting, request=request))
        if everything
        else fitting.filter(pk__in=ids)
    )
    return Chosen(found, ids, everything, query, count_up_to(found, MOST_SENT).n)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def information_send(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose among the customers it fits, and note that they received it."""
    information = one(request, pk)
    now = timezone.now()
    if request.method != "POST":
        return _choose(request, information, SendForm(now=now))
    chosen = _chosen(request, information)
    form = SendForm(request.POST, now=now)
    if not chosen.n:
        messages.info(request, _("Choose customers who have not received it yet; none was noted."))
        return redirect("visits:information-send", pk=pk)
    sure = chosen.n <= ASK_ABOVE or request.POST.get("sure") == str(chosen.n)
    if not form.is_valid():
        return _choose(request, information, form)
    if not sure:
        context = {"information": information, "chosen": chosen, "form": form}
        return render(request, "visits/information_send_sure.html", context)
    try:
        made = send_information(
            information=information,
            customers=chosen.customers,
            by=cast(User, request.user),
            way=form.cleaned_data["way"],
            sent_at=form.sent_at(),
            note=form.cleaned_data["note"],
            now=now,
        )
    except ValidationError as refused:
        form.add_error(None, ValidationError(refused.messages))
        return _choose(request, information, form)
    _say_sent(request, information, made)
    return redirect("visits:information", pk=pk)


def _choose(request: HttpRequest, information: MarketInformation, form: SendForm) -> HttpResponse:
    fitting = _fitting(request, information).select_related("owner")
    filters = CustomerFilter(request.GET, queryset=fitting, request=request)
    context = {
        **shown(request, filters, found_by(filters), order=("name", "id")),
        "information": information,
        "helps": whom_it_helps(information),
        "in_time": information.is_in_time(timezone.localdate()),
        "chips": chips(filters, CHIPS),
        "form": form,
        "query": request.GET.urlencode(),
        "picked": {int(text) for text in request.POST.getlist("ids") if text.isdecimal()},
    }
    page = list_answer(
        request, "visits/information_send.html", "visits/_information_send_results.html", context
    )
    if form.errors:
        page.status_code = 422
    return page


def _say_sent(request: HttpRequest, information: MarketInformation, made: list[Sending]) -> None:
    """What was noted, with a way back, and a warning where it came too late."""
    if not made:
        messages.info(request, _("They had all received it already; nothing was noted."))
        return
    token = secrets.token_urlsafe(16)
    kept = {"user": request.user.pk, "ids": [sending.pk for sending in made]}
    cache.set(f"sending-undo:{token}", kept, UNDO_SECONDS)
    messages.success(
        request,
        ngettext("Noted as sent to %(n)s customer.", "Noted as sent to %(n)s customers.", len(made))
        % {"n": f"{len(made):,}"},
        extra_tags=f"{reverse('visits:sending-undo')}?of={token}",
    )
    if any(not sending.was_in_time for sending in made):
        messages.warning(request, _("It was no longer in time on that day."))


@require_POST
@needs("visits:write")
def sending_undo(request: HttpRequest) -> HttpResponse:
    """Take back what one press of the button noted, where no outcome is known yet."""
    user = cast(User, request.user)
    key = f"sending-undo:{request.GET.get('of', '')[:40]}"
    kept = cache.get(key) if key.isascii() and key.isprintable() and " " not in key else None
    if not kept or kept["user"] != user.pk:
        messages.info(request, _("This can no longer be taken back."))
        return redirect("visits:information-list")
    cache.delete(key)
    gone = take_back_sendings(ids=kept["ids"], by=user)
    messages.success(
        request,
        ngettext("%(n)s sending was taken back.", "%(n)s sendings were taken back.", gone)
        % {"n": f"{gone:,}"},
    )
    return redirect("visits:information-list")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:read")
def information_letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The information in writing, for one customer or anybody: to copy, to print, to mail.

    The product sends nothing to customers by itself; a post notes that this one received it.
    """
    user, now = cast(User, request.user), timezone.now()
    information = one(request, pk)
    customer = _customer_asked_for(request, user)
    contact = _contact_asked_for(request, customer)
    form = None
    if customer is not None:
        form = LetterForm(
            request.POST if request.method == "POST" else None,
            customer=customer,
            now=now,
            initial={"contact": contact},
        )
    if request.method == "POST":
        require(user, "visits:write")
        if customer is None or form is None:
            raise Http404
        if form.is_valid() and _noted(request, information, customer, form):
            return redirect(f"{reverse('visits:information-letter', args=[pk])}"
                            f"?customer={customer.pk}")  # fmt: skip
    name = contact.name if contact else customer.name if customer else _("Dear customer")
    today = timezone.localdate(now)
    text = letter(
        information,
        name=name,
        sender=user.display_name,
        company=settings.COMPANY_NAME,
        today=today,
    )
    email = (contact and contact.email) or (customer and customer.email) or ""
    context = {
        "information": information,
        "customer": customer,
        "contact": contact,
        "letter": text,
        "mailto": text.mailto(email) if email else "",
        "email": email,
        "form": form,
        "in_time": information.is_in_time(today),
        "people": _people(customer, user),
        "sending": customer
        and Sending.objects.filter(information=information, customer=customer)
        .select_related("by", "contact")
        .first(),
        "may_write": may(user, "visits:write"),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "visits/information_letter.html", context, status=status)


def _noted(
    request: HttpRequest, information: MarketInformation, customer: Customer, form: LetterForm
) -> bool:
    """Note that the customer received it; False where the form says why that cannot be."""
    try:
        made = send_information(
            information=information,
            customers=Customer.objects.filter(pk=customer.pk),
            by=cast(User, request.user),
            way=form.cleaned_data["way"],
            sent_at=form.sent_at(),
            note=form.cleaned_data["note"],
            contact=form.cleaned_data["contact"],
            now=form.now,
        )
    except ValidationError as refused:
        form.add_error(None, ValidationError(refused.messages))
        return False
    _say_sent(request, information, made)
    return True


def _customer_asked_for(request: HttpRequest, user: User) -> Customer | None:
    number = request.GET.get("customer", "")
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    return get_object_or_404(Customer.objects.visible_to(user), pk=int(number))


def _contact_asked_for(request: HttpRequest, customer: Customer | None) -> Contact | None:
    """The person the letter is addressed to, where one of the customer's is asked for."""
    number = request.GET.get("contact", "")
    if customer is None or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return Contact.objects.filter(customer=customer, pk=int(number)).first()


def _people(customer: Customer | None, user: User) -> list[Contact]:
    """Whom at the customer it can be addressed to."""
    if customer is None or not may(user, "contacts:read"):
        return []
    return list(Contact.objects.filter(customer=customer).still_there().by_role()[:20])
