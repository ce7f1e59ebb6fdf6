"""The pages of one customer's file: overview, timeline, fields, edit form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import groupby
from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.models import User
from crm.lib.formats import local_day, month
from crm.lib.forms import begin_at
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import by_id_if_few
from crm.lib.listing import (
    Tab,
)
from customers import completeness, divisions, hierarchy, merging, reads
from customers.actions import change_customer, file_customer
from customers.changes import changes_of
from customers.forms.customer import CustomerForm, reference
from customers.hierarchy import Tie
from customers.models import Customer, CustomerQuerySet, Profile, Supplier
from customers.people import decision_chain
from customers.timeline import Group, M, collect, sources
from customers.views.areas import area_marks
from customers.views.duplicates import warning_for
from customers.views.promises import next_steps


def in_sight(user: User) -> CustomerQuerySet:
    """The files of customers, each with what the pages of a file need beside its row."""
    return Customer.objects.visible_to(user).select_related("owner", "parent", "profile")


@require_safe
@needs("customers:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer at a glance: figures, facts, the latest on the timeline."""
    user = cast(User, request.user)
    customer = in_sight(user).filter(pk=pk).first()
    if customer is None:
        if merge := merging.merged_into(pk, user):
            said = _("“%(name)s” was merged into this file.") % {"name": merge.gone_name}
            messages.info(request, said)
            return redirect("customers:detail", pk=merge.survivor_id)
        raise Http404
    opened(request, customer)
    timeline = collect(customer, before=None, limit=12)
    context = {
        **file_frame(customer, user, "overview"),
        "parent": parent_in_sight(customer, user),
        "days": by_day(timeline.entries),
        "older": timeline.older,
        "kinds": timeline_kinds(customer, ""),
        "last_change": next(iter(changes_of(customer, user, limit=1)), None),
        **filled(customer, user),
        **decision_chain(customer, user, timezone.localdate()),
        **next_steps(customer),
    }
    return render(request, "customers/detail.html", context)


def file_frame(customer: Customer, user: User, tab: str) -> dict[str, object]:
    """What the head of every page of the file needs (customers/file.html)."""
    return {
        "customer": customer,
        "tab": tab,
        "area_name": divisions.name(customer.division),
        "may_write": may(user, "customers:write"),
        "may_people": may(user, "contacts:read"),
        "may_visit": may(user, "visits:write"),
        "may_orders": may(user, "orders:read"),
        "may_stock": may(user, "stock:read"),
    }


def opened(request: HttpRequest, customer: Customer) -> None:
    """Note who opened a page of the file (P6); a part that htmx fetches is no opening."""
    if not wants_part(request):
        user = cast(User, request.user)
        reads.note(customer.pk, reader_id=user.pk, now=timezone.now())


def filled(customer: Customer, user: User) -> dict[str, object]:
    """How complete the file is, what is missing, and how many read it this month."""
    missing = completeness.lacking([customer.pk])[customer.pk]
    first = timezone.localdate().replace(day=1)
    return {
        "percent": completeness.percentage([wanted.name for wanted in missing]),
        "missing": missing,
        "readers": reads.readers_since(customer, first) if may(user, "reads:read") else None,
    }


def listed(words: Iterable[str]) -> str:
    """Words as a list in the reader's language."""
    return pgettext("between the items of a list", ", ").join(words)


def parent_in_sight(customer: Customer, user: User) -> Customer | None:
    """The customer's supplier where the reader may see it."""
    if customer.parent_id is None:
        return None
    return Customer.objects.visible_to(user).filter(pk=customer.parent_id).first()


@require_safe
@needs("customers:read")
def timeline(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that happened, newest first, of one kind or all; htmx gets the older entries."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    kind = request.GET.get("kind", "")
    before = moment(request.GET.get("before", ""))
    opened(request, customer)
    shown = collect(customer, before=before, kind=kind)
    context = {
        **file_frame(customer, user, "timeline"),
        "days": by_day(shown.entries),
        "older": shown.older,
        "kind": kind,
        "kinds": timeline_kinds(customer, kind),
        "begun_on": local_day(before) if before and wants_part(request) else None,
        "before": before,
    }
    return page_or_part(request, "customers/timeline.html", "customers/_timeline.html", context)


def moment(text: str) -> datetime | None:
    """The moment of an "older" link; None for what we did not write."""
    try:
        value = parse_datetime(text)
    except ValueError:
        return None
    if value is None or timezone.is_naive(value) or not 1900 < value.year < 2200:
        return None
    return value.astimezone(UTC)


def by_day(entries: list[M]) -> list[tuple[date, list[M]]]:
    """The entries grouped by the company's days, in their order."""
    return [(day, list(some)) for day, some in groupby(entries, lambda entry: local_day(entry.at))]


def timeline_kinds(customer: Customer, kind: str) -> list[Tab]:
    """The filters of the timeline: everything, then each group that some app has entries for."""
    url = reverse("customers:timeline", args=[customer.pk])
    kinds: dict[Group, set[str]] = {}
    for source in sources():
        kinds.setdefault(source.GROUP, set()).add(source.KIND)
    return [
        Tab(_("All"), url, not kind),
        *(
            Tab(group.label, f"{url}?kind={group.value}", kind in {group.value, *kinds[group]})
            for group in Group
            if group in kinds
        ),
    ]


@require_safe
@needs("customers:read")
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """Every field of the file, what is missing, and the latest changes."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    opened(request, customer)
    profile = getattr(customer, "profile", None) or Profile(customer=customer)
    context = {
        **file_frame(customer, user, "file"),
        **filled(customer, user),
        **area_marks(customer),
        "parent": parent_in_sight(customer, user),
        "group_head": hierarchy.head_in_sight(customer, user),
        "profile": profile,
        "months": listed(month(date(2000, number, 1)) for number in profile.purchase_months),
        "categories": listed(profile.past_categories),
        "suppliers": Supplier.objects.filter(customer=customer),
        "changes": changes_of(customer, user, limit=5),
    }
    return render(request, "customers/file_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def new(request: HttpRequest) -> HttpResponse:
    """Make a customer's file; one made by a rep is hers."""
    user = cast(User, request.user)
    form = CustomerForm(request.POST or None, user=user, initial=_preset(request))
    valid = request.method == "POST" and form.is_valid()
    warning = warning_for(request.POST, user) if valid and "anyway" not in request.POST else None
    if valid and not warning:
        customer = file_customer(customer=form.save(commit=False), by=user)
        messages.success(request, _("%(name)s is on file.") % {"name": customer.name})
        _wonder_at_supplier(request, customer)
        return redirect("customers:detail", pk=customer.pk)
    return render(request, "customers/form.html", {"form": form, "warning": warning})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a customer's file, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    customers = Customer.objects.visible_to(user)
    if request.method == "POST":
        hierarchy.lock()
        customers = customers.select_for_update(of=("self",))
    customer = get_object_or_404(customers, pk=pk)
    name = customer.name
    form = CustomerForm(request.POST or None, instance=customer, user=user)
    if request.method == "POST" and form.is_valid():
        change_customer(customer=form.save(commit=False), now=timezone.now())
        messages.success(request, _("Saved."))
        if "parent" in form.changed_data or "kind" in form.changed_data:
            _wonder_at_supplier(request, customer)
        return redirect("customers:detail", pk=customer.pk)
    if request.method != "POST":
        opened(request, customer)
        begin_at(form, request.GET.get("at", ""))
    context = {"form": form, "customer": customer, "name": name}
    return render(request, "customers/form.html", context)


def _preset(request: HttpRequest) -> dict[str, object]:
    """What the link to a new file says of it: `?parent=12&kind=outlet`."""
    preset: dict[str, object] = {"kind": request.GET["kind"]} if "kind" in request.GET else {}
    for tie in Tie.values:
        if re.fullmatch(r"[0-9]{1,18}", above := request.GET.get(tie, "")):
            preset[tie] = int(above)
    return preset


def _wonder_at_supplier(request: HttpRequest, customer: Customer) -> None:
    """Say so where the supplier is of a kind that supplies nobody; the ERP may know better."""
    above = parent_in_sight(customer, cast(User, request.user))
    if above is not None and hierarchy.is_unusual(above.kind, customer.kind):
        messages.warning(
            request,
            _("%(kind)s %(name)s is an unusual supplier here. Check “Supplied by”.")
            % {"kind": above.get_kind_display(), "name": above.name},
        )


@require_safe
@needs("customers:read")
def suggest(request: HttpRequest) -> HttpResponse:
    """Customers in sight that fit what is being typed as a supplier, as choices of the field."""
    user = cast(User, request.user)
    typed = request.GET.get("parent") or request.GET.get("group_head", "")
    words = typed.replace("\x00", "").strip()
    found = Customer.objects.visible_to(user).known_as(words) if words else Customer.objects.none()
    few, _count = by_id_if_few(found)
    options = [reference(customer) for customer in few.order_by("name", "id")[:10]]
    return render(request, "customers/_options.html", {"options": options})


@require_safe
@needs("customers:read")
def areas(request: HttpRequest) -> HttpResponse:
    """Divisions that fit what is being typed as one, as choices of the field."""
    words = request.GET.get("division", "")
    options = [f"{code.ljust(6, '0')} {divisions.name(code)}" for code in divisions.called(words)]
    return render(request, "customers/_options.html", {"options": options[:20]})
