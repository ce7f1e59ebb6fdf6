"""The pages of the people at a customer: the tab, the form, who left, and undo (P3, P50)."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.models import AuditEntry, User
from customers import birthdays, people
from customers.birthdays import Birthday
from customers.contacts import mark_left, remove_contact, restore_contact, save_contact
from customers.forms.contacts import ContactForm
from customers.models import Contact
from customers.views.files import file_frame, in_sight, opened

PAGE_SIZE = 100


@require_safe
@needs("contacts:read")
def contacts(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody at the customer, who decides first; who has left comes last."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    opened(request, customer)
    everybody = Contact.objects.filter(customer=customer).by_role()
    page = Paginator(everybody, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        **file_frame(customer, user, "contacts"),
        "people": people.rows(page.object_list, timezone.localdate()),
        "page": page,
        "unknown_roles": people.unknown_roles(customer),
        "may_contacts": may(user, "contacts:write"),
    }
    return render(request, "customers/contacts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("contacts:write")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Note a person at the customer."""
    customer = get_object_or_404(in_sight(cast(User, request.user)), pk=pk)
    form = ContactForm(
        request.POST or None,
        instance=Contact(customer=customer),
        initial={"buying_role": request.GET.get("role", "")},
        today=timezone.localdate(),
    )
    if request.method == "POST" and form.is_valid():
        contact = save_contact(contact=form.save(commit=False))
        messages.success(request, _("%(name)s is on file.") % {"name": contact.name})
        if "another" in request.POST:
            return redirect("customers:contact-new", pk=customer.pk)
        return redirect("customers:contacts", pk=customer.pk)
    context = {"form": form, "customer": customer, "contact": None}
    return render(request, "customers/contact_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("contacts:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is noted about a person, unless somebody else did since the form was opened."""
    contact = _one(request, pk)
    name = contact.name
    form = ContactForm(request.POST or None, instance=contact, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        save_contact(contact=form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("customers:contacts", pk=contact.customer_id)
    context = {
        "form": form,
        "customer": contact.customer,
        "contact": contact,
        "name": name,
        "version": form["version"].value(),
    }
    return render(request, "customers/contact_form.html", context)


def _one(request: HttpRequest, pk: int) -> Contact:
    """A contact in sight; locked, where it is about to be changed."""
    visible = Contact.objects.visible_to(cast(User, request.user)).select_related("customer")
    if request.method == "POST":
        visible = visible.select_for_update(of=("self",))
    return get_object_or_404(visible, pk=pk)


@require_safe
@needs("contacts:write")
def birthday(request: HttpRequest) -> HttpResponse:
    """What the parts of a birthday come to while they are being typed."""
    asked = request.GET
    parts = [asked.get(name, "") for name in ("birth_year", "birth_month", "birth_day")]
    year, month, day = (
        int(part) if part.isascii() and part.isdigit() and len(part) < 5 else None for part in parts
    )
    context: dict[str, object] = {}
    if month is not None and day is not None:
        calendar, leap = asked.get("birthday_calendar", ""), "birthday_leap" in asked
        given = Birthday(calendar, month, day, leap, year)
        context["fault"] = birthdays.fault(given)
        if not context["fault"]:
            context |= {
                "words": birthdays.in_words(given),
                "on": birthdays.next_on(given, timezone.localdate()),
            }
    return render(request, "customers/_birthday.html", context)


# --- one tap, and taken back by one


@require_POST
@needs("contacts:write")
@transaction.atomic
def left(request: HttpRequest, pk: int) -> HttpResponse:
    """She no longer works there."""
    contact = _one(request, pk)
    mark_left(contact=contact, left=True)
    _done(request, _("%(name)s is marked as left.") % {"name": contact.name}, "back", contact.pk)
    return redirect("customers:contacts", pk=contact.customer_id)


@require_POST
@needs("contacts:write")
@transaction.atomic
def back(request: HttpRequest, pk: int) -> HttpResponse:
    """She works there after all."""
    contact = _one(request, pk)
    mark_left(contact=contact, left=False)
    _done(request, _("%(name)s is there again.") % {"name": contact.name}, "left", contact.pk)
    return redirect("customers:contacts", pk=contact.customer_id)


@require_POST
@needs("contacts:write")
@transaction.atomic
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take out who was noted by mistake, unless the contact was changed since it was shown."""
    contact = _one(request, pk)
    try:
        _refuse_if_moved(contact, request.POST.get("version", ""))
        remove_contact(contact=contact)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("customers:contact-edit", pk=pk)
    _done(request, _("%(name)s is deleted.") % {"name": contact.name}, "restore", pk)
    return redirect("customers:contacts", pk=contact.customer_id)


def _refuse_if_moved(contact: Contact, version: str) -> None:
    if version == str(contact.version):
        return
    last = AuditEntry.objects.of(contact).first()
    raise ValidationError(
        _("%(who)s changed this contact meanwhile. It is shown as it is now."),
        code="changed",
        params={"who": (last and last.actor_name) or "–"},
    )


@require_POST
@needs("contacts:write")
@transaction.atomic
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back whom the reader deleted today."""
    contact = restore_contact(pk=pk, by=cast(User, request.user), now=timezone.now())
    if contact is None:
        raise Http404
    messages.success(request, _("%(name)s is on file again.") % {"name": contact.name})
    return redirect("customers:contacts", pk=contact.customer_id)


def _done(request: HttpRequest, text: str, undo: str, pk: int) -> None:
    """Say what was done, and offer to take it back."""
    url = reverse(f"customers:contact-{undo}", args=[pk])
    messages.success(request, text, extra_tags=url)
