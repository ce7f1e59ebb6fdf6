"""The pages of customers: list, file, timeline, edit form, export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.formats import local_day
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.listing import (
    Tab,
    found_by,
    list_answer,
    list_context,
    parameters,
    quick_filters,
    sort_heads,
    sort_of,
)
from crm.lib.text import Text
from customers import divisions
from customers.actions import file_customer
from customers.changes import changes_of
from customers.filters import CustomerFilter, chips
from customers.forms import CustomerForm, reference
from customers.models import Customer, CustomerQuerySet, Kind, Loyalty, Status
from customers.timeline import Entry, collect, sources

#: Fields of a row of the list. Plain values: half the time of objects.
COLUMNS = (
    "id",
    "name",
    "kind",
    "abc",
    "key_account",
    "division",
    "net_amount",
    "last_ordered_on",
    "last_visited_on",
    "owner__name",
    "owner__username",
)
SORTS = {
    "-net_amount": ("-net_amount", "-id"),
    "net_amount": ("net_amount", "id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
    "-last_ordered_on": ("-last_ordered_on", "-id"),
    "last_ordered_on": ("last_ordered_on", "id"),
    "-last_visited_on": ("-last_visited_on", "-id"),
    "last_visited_on": ("last_visited_on", "id"),
}
#: The columns that one can sort by, in the direction they begin with.
SORTABLE = ("name", "-net_amount", "-last_ordered_on", "-last_visited_on")
#: Columns of the export; the name of the area stands beside its code.
EXPORTED = (
    *("external_id", "name", "kind", "status", "abc", "loyalty", "key_account", "buyout"),
    *("owner__name", "division", "address", "phone", "email", "tax_id", "founded_on"),
    *("net_amount", "order_count", "last_ordered_on", "last_visited_on", "tags"),
)
#: The quick filters above the list: what they say and the filter they set.
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    ("A", {"abc": "A"}),
    ("B", {"abc": "B"}),
    ("C", {"abc": "C"}),
    (gettext_lazy("Unranked"), {"abc": "none"}),
)
NO_OWNER_TAB = (gettext_lazy("Without an owner"), {"no_owner": "true"})
CHIPS = ("abc", "division", "status", "kind", "owner", "team", "tag", "buyout")


@require_safe
@needs("customers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Customers in sight, filtered, largest net amount first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = CustomerFilter(
        request.GET, queryset=Customer.objects.visible_to(user), request=request
    )
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    kinds = dict(Kind.choices)
    for row in context["page"].rows:
        row["kind_label"] = kinds.get(row["kind"], row["kind"])
        row["place"] = divisions.short_name(row["division"])
    names = parameters(filters)
    offered = [*TABS, NO_OWNER_TAB] if user.sees_all else TABS
    context |= {
        "chips": chips(filters, CHIPS),
        "heads": sort_heads(request, names, context["sort"], SORTABLE),
        "tabs": quick_filters(request, names, offered),
        "may_write": may(user, "customers:write"),
    }
    return list_answer(request, "customers/list.html", "customers/_list.html", context)


@require_safe
@needs("customers:read")
def export(request: HttpRequest) -> HttpResponse:
    """The filtered list as an Excel or CSV file."""
    user = cast(User, request.user)
    filters = CustomerFilter(
        request.GET, queryset=Customer.objects.visible_to(user), request=request
    )
    name = _("Customers %(day)s") % {"day": timezone.localdate().isoformat()}
    head, rows = export_table(found_by(filters).order_by(*SORTS[sort_of(request, SORTS)]))
    return stream_table(name, head, rows, request.GET.get("format", "xlsx"))


def export_table(customers: QuerySet[Customer]) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    """Titles and rows of the export, read from the database as they are written."""
    labels: dict[str, dict[Any, Any]] = {
        "kind": dict(Kind.choices),
        "status": dict(Status.choices),
        "loyalty": dict(Loyalty.choices),
    }
    head = []
    for field in EXPORTED:
        own = field.removesuffix("__name")
        head.append(str(Customer._meta.get_field(own).verbose_name))  # type: ignore[union-attr]
        if field == "division":
            head.append(_("area"))

    def rows() -> Iterator[tuple[object, ...]]:
        for values in customers.values_list(*EXPORTED).iterator(chunk_size=2000):
            row: list[object] = []
            for field, value in zip(EXPORTED, values, strict=True):
                row.append(labels[field].get(value) if field in labels else value)
                if field == "division":
                    row.append(divisions.name(value))
            yield tuple(row)

    return head, rows()


def in_sight(user: User) -> CustomerQuerySet:
    return Customer.objects.visible_to(user).select_related("owner", "parent")


@require_safe
@needs("customers:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer at a glance: figures, facts, the latest on the timeline."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    timeline = collect(customer, before=None, limit=12)
    context = {
        **file_frame(customer, user, "overview"),
        "parent": parent_in_sight(customer, user),
        "days": by_day(timeline.entries),
        "older": timeline.older,
        "kinds": timeline_kinds(customer, ""),
        "last_change": next(iter(changes_of(customer, user, limit=1)), None),
    }
    return render(request, "customers/detail.html", context)


def file_frame(customer: Customer, user: User, tab: str) -> dict[str, object]:
    """What the head of every page of the file needs (customers/file.html)."""
    return {
        "customer": customer,
        "tab": tab,
        "area_name": divisions.name(customer.division),
        "may_write": may(user, "customers:write"),
        "may_visit": may(user, "visits:write"),
        "may_orders": may(user, "orders:read"),
    }


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


def by_day(entries: list[Entry]) -> list[tuple[date, list[Entry]]]:
    """The entries grouped by the company's days, in their order."""
    return [(day, list(some)) for day, some in groupby(entries, lambda entry: local_day(entry.at))]


def timeline_kinds(customer: Customer, kind: str) -> list[Tab]:
    """The filters of the timeline: everything, then each app's kind."""
    url = reverse("customers:timeline", args=[customer.pk])
    kinds = [("", _("All")), *((source.KIND, source.LABEL) for source in sources())]
    return [
        Tab(label, f"{url}?kind={name}" if name else url, name == kind) for name, label in kinds
    ]


@require_safe
@needs("customers:read")
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """Every field of the file, and who changed what."""
    user = cast(User, request.user)
    customer = get_object_or_404(in_sight(user), pk=pk)
    context = {
        **file_frame(customer, user, "file"),
        "parent": parent_in_sight(customer, user),
        "changes": changes_of(customer, user, limit=30),
    }
    return render(request, "customers/file_page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def new(request: HttpRequest) -> HttpResponse:
    """Make a customer's file; one made by a rep is hers."""
    user = cast(User, request.user)
    form = CustomerForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        customer = file_customer(customer=form.save(commit=False), by=user)
        messages.success(request, _("%(name)s is on file.") % {"name": customer.name})
        return redirect("customers:detail", pk=customer.pk)
    return render(request, "customers/form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a customer's file, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    customers = Customer.objects.visible_to(user)
    if request.method == "POST":
        customers = customers.select_for_update(of=("self",))
    customer = get_object_or_404(customers, pk=pk)
    name = customer.name
    form = CustomerForm(request.POST or None, instance=customer, user=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("customers:detail", pk=customer.pk)
    context = {"form": form, "customer": customer, "name": name}
    return render(request, "customers/form.html", context)


@require_safe
@needs("customers:read")
def suggest(request: HttpRequest) -> HttpResponse:
    """Customers in sight that fit what is being typed as a supplier, as choices of the field."""
    user = cast(User, request.user)
    words = request.GET.get("parent", "").replace("\x00", "").strip()
    found = (
        Customer.objects.visible_to(user).named_like(words) if words else Customer.objects.none()
    )
    options = [reference(customer) for customer in found.order_by("name", "id")[:10]]
    return render(request, "customers/_options.html", {"options": options})


@require_safe
@needs("customers:read")
def areas(request: HttpRequest) -> HttpResponse:
    """Divisions that fit what is being typed as one, as choices of the field."""
    words = request.GET.get("division", "")
    options = [f"{code.ljust(6, '0')} {divisions.name(code)}" for code in divisions.called(words)]
    return render(request, "customers/_options.html", {"options": options[:20]})
