"""What webhooks hear of customers: numbers, kinds, and which fields changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.webhooks import EventKind, Payload, api_url, listeners, record, record_written
from customers.models import Customer

CREATED, UPDATED = "customer.created", "customer.updated"
MERGED, DELETED = "customer.merged", "customer.deleted"
#: What the API calls the columns that it calls otherwise.
_NAMES = {
    "division_found": "division",
    "group_head_id": "group_head",
    "owner_id": "owner",
    "parent_id": "parent",
}
#: Columns that the API does not tell, or that have an event of their own.
_SILENT = frozenset(
    {
        *("id", "version", "created_at", "updated_at", "source_updated_at", "abc", "loyalty"),
        *("net_amount", "order_count", "last_ordered_on", "last_visited_on"),
    }
)


def offered() -> list[EventKind]:
    return [
        EventKind(CREATED, _("Customer created"), _("A customer is put on file.")),
        EventKind(
            UPDATED,
            _("Customer changed"),
            _("A file was changed; “changed” names the fields, the API has their values."),
        ),
        EventKind(
            MERGED,
            _("Customer merged"),
            _("A file went into another; its number stays good. Undone, it is created anew."),
        ),
        EventKind(DELETED, _("Customer deleted"), _("An import that made the file was undone.")),
    ]


def changed_columns(customer: Customer) -> list[str]:
    """The columns in which `customer` differs from what is stored, before it is saved."""
    return [
        field.attname
        for field in Customer._meta.concrete_fields
        if field.attname in customer._loaded
        and customer._loaded[field.attname] != getattr(customer, field.attname)
    ]


def tell_merged(gone: Customer, into: Customer, *, at: datetime) -> None:
    """Let webhooks know that the file `gone` went into `into`."""
    heard = listeners(MERGED)
    told = {
        "id": gone.pk,
        "external_id": gone.external_id,
        "into_id": into.pk,
        "into": into.external_id,
        "url": api_url("customer-list", into.pk),
    }
    record({MERGED: [told]}, to=heard, at=at)


def tell_deleted(gone: Iterable[tuple[int, str | None]], *, at: datetime) -> None:
    """Let webhooks know of files that are no more, by their ids and numbers."""
    heard = listeners(DELETED)
    told = ({"id": pk, "external_id": number} for pk, number in gone)
    record({DELETED: told}, to=heard, at=at)


def _api_names(columns: Iterable[str]) -> list[str]:
    return sorted({_NAMES.get(name, name) for name in columns if name not in _SILENT})


def facts_of(ids: Collection[int]) -> dict[int, Payload]:
    """What is told of these customers, by their ids."""
    base = api_url("customer-list")
    columns = ("id", "external_id", "kind", "status")
    found: dict[int, dict[str, Any]] = {}
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), 10_000):
        rows = Customer.objects.filter(pk__in=wanted[start : start + 10_000])
        for row in rows.order_by("pk").values(*columns):
            found[row["id"]] = {**row, "url": f"{base}{row['id']}/"}
    return found


#: Let webhooks know of new customers, and of changed ones by the columns that changed.
tell = partial(record_written, (CREATED, UPDATED), named=_api_names, facts=facts_of)
