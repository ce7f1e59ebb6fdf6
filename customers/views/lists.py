"""The list of customers and its export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.listing import (
    found_by,
    list_answer,
    list_context,
    parameters,
    quick_filters,
    sort_heads,
    sort_of,
)
from crm.lib.text import Text, field_label
from customers import columns, completeness, divisions, phones
from customers.filters import CustomerFilter, chips
from customers.models import Customer, Kind, Loyalty, Status
from customers.views.network import narrowed_to
from customers.views.saved import may_change, plain, tabs

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
#: The list's own columns behind which other apps put theirs.
BEHIND = ("net_amount", "last_visited_on")
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
#: Filters that always stand in the bar; those in use join them, the others are behind a button.
CHIPS = ("abc", "division", "status", "owner", "team", "tag")
MORE_CHIPS = (
    "kind",
    "loyalty",
    "key_account",
    "buyout",
    "area_unclear",
    "missing",
    "filed_from",
    "filed_to",
)


@require_safe
@needs("customers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Customers in sight, filtered, largest net amount first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = CustomerFilter(
        request.GET, queryset=Customer.objects.visible_to(user), request=request
    )
    words = bool(request.GET.get("q") or request.GET.get("search"))
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS, by_words=words)
    rows = context["page"].rows
    kinds = dict(Kind.choices)
    complete = completeness.of([row["id"] for row in rows])
    added = columns.added(rows, user=user, today=timezone.localdate())
    for row in rows:
        row["completeness"] = complete.get(row["id"])
        row["kind_label"] = kinds.get(row["kind"], row["kind"])
        row["place"] = divisions.short_name(row["division"])
        row["added"] = {place: cells_of(row["id"], added, place) for place in BEHIND}
    names = parameters(filters)
    offered = [*TABS, NO_OWNER_TAB] if user.sees_all else TABS
    set_ = [name for name in MORE_CHIPS if request.GET.get(name)]
    shown = tabs(request, user)
    context |= {
        "chips": chips(filters, [*CHIPS, *set_]),
        "network": narrowed_to(request),
        "more_chips": chips(filters, [name for name in MORE_CHIPS if name not in set_]),
        "more_set": sum(1 for name in set_ if request.GET.get(name)),
        "picking": bool(request.GET.get("pick")),
        "added": {place: [one.head for one in added if one.after == place] for place in BEHIND},
        "heads": sort_heads(request, names, context["sort"], SORTABLE),
        "tabs": quick_filters(request, names, offered),
        "may_write": may(user, "customers:write"),
        "may_assign": may(user, "customers:assign"),
        "query": plain(request.GET),
        "saved": shown,
        "counted": all(tab.count is not None for tab in shown),
        "opened": next((tab for tab in shown if tab.current), None),
        "may_change_view": any(tab.current and may_change(user, tab.view) for tab in shown),
    }
    return list_answer(request, "customers/list.html", "customers/_list.html", context)


def cells_of(pk: int, added: list[columns.Column], place: str) -> list[columns.Cell]:
    """What the columns behind the list's column `place` say of one customer."""
    return [one.cells.get(pk, columns.Cell()) for one in added if one.after == place]


@require_safe
@needs("customers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    user = cast(User, request.user)
    filters = CustomerFilter(
        request.GET, queryset=Customer.objects.visible_to(user), request=request
    )
    name = _("Customers %(day)s") % {"day": timezone.localdate().isoformat()}
    found = found_by(filters).order_by(*SORTS[sort_of(request, SORTS)])
    head, rows = export_table(found)
    return Table(name, head, rows, counted=found)


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
        head.append(str(field_label(Customer, own)))
        if field == "division":
            head.append(_("area"))

    def rows() -> Iterator[tuple[object, ...]]:
        for values in customers.values_list(*EXPORTED).iterator(chunk_size=2000):
            row: list[object] = []
            for field, value in zip(EXPORTED, values, strict=True):
                if field in labels:
                    row.append(labels[field].get(value))
                else:  # to Excel a cell that begins with + is a formula, so no E.164
                    row.append(phones.display(value) if field == "phone" else value)
                if field == "division":
                    row.append(divisions.name(value))
            yield tuple(row)

    return head, rows()
