"""Events that webhooks can hear of: which there are, and writing down that one happened.

An app offers its events from `offered()` in its module `events`. Whoever changes something asks
`listeners` first, which costs one query; where nobody listens, nothing more is done. Otherwise the
events are written by `record` in the transaction of the change (an outbox), so that neither is
there without the other, and sending begins when it is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import uuid4

from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from accounts.models.webhooks import Delivery, DeliveryState, Event, Webhook
from crm.lib import bulk
from crm.lib.contributions import contributions
from crm.lib.text import Text

log = logging.getLogger(__name__)

#: An event is given up when it could not be delivered for this long.
GIVE_UP = timedelta(days=3)
PING = "ping"

Payload: TypeAlias = dict[str, Any]
#: The name of an event → the ids of the webhooks that hear of it.
Listeners: TypeAlias = Mapping[str, Sequence[int]]
#: The columns in which records changed, by their ids.
Columns: TypeAlias = Mapping[int, Iterable[str]]
UNCHANGED: Columns = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event as the contract names it, what people call it, and when it happens."""

    name: str
    label: Text
    help: Text


@cache
def kinds() -> Mapping[str, EventKind]:
    """All events that can be subscribed to, by name."""
    return {kind.name: kind for offered in contributions("events", "offered") for kind in offered()}


def label_of(name: str) -> Text:
    """What people call the event; the name itself for one that is no more."""
    if name == PING:
        return _("Test event")
    kind = kinds().get(name)
    return kind.label if kind else name


def api_url(list_name: str, pk: int | str = "") -> str:
    """The address of a record in the API, or what it begins with; `list_name`: `order-list`."""
    return f"{settings.BASE_URL}{reverse(list_name)}{f'{pk}/' if pk else ''}"


def listeners(*names: str) -> dict[str, list[int]]:
    """Of these events, those that somebody listens to, with the webhooks; one query."""
    heard: dict[str, list[int]] = {}
    rows = Webhook.objects.listening().order_by("pk").values_list("pk", "events")
    for pk, events in rows:
        for name in names:
            if name in events:
                heard.setdefault(name, []).append(pk)
    return heard


def record(happened: Mapping[str, Iterable[Payload]], *, to: Listeners, at: datetime) -> None:
    """Write down what happened at `at`, for those who listen; the rest is left out.

    `happened` holds what is told of each event by its name. Two statements for any number of
    events, in the transaction of the change.
    """
    events = [
        (uuid4(), name, data)
        for name, payloads in happened.items()
        if name in to
        for data in payloads
    ]
    if not events:
        return
    rows = ({"id": pk, "name": name, "data": data} for pk, name, data in events)
    bulk.append(Event, rows, same={"occurred_at": at})
    bulk.append(
        Delivery,
        (
            {"webhook_id": webhook, "event_id": pk}
            for pk, name, _data in events
            for webhook in to[name]
        ),
        same=_fresh(at),
    )
    send_later({webhook for _pk, name, _data in events for webhook in to[name]})


def record_written(
    kinds_of: tuple[str, str],
    *,
    created: Collection[int] = (),
    changed: Columns = UNCHANGED,
    named: Callable[[Iterable[str]], list[str]],
    facts: Callable[[Collection[int]], Mapping[int, Payload]],
    at: datetime,
) -> None:
    """Write down that records are new, or changed in some columns, for those who listen.

    `kinds_of` are the events for the one and the other. `named` turns columns into the names of
    the API, and leaves out those that are not told; `facts` are what is told of records by their
    ids. One query where nobody listens, a fixed number otherwise.
    """
    if not (created or changed) or not (heard := listeners(*kinds_of)):
        return
    fields = {pk: named(columns) for pk, columns in changed.items()}
    fields = {pk: names for pk, names in fields.items() if names}
    known = facts([*created, *fields])
    record(
        {
            kinds_of[0]: (known[pk] for pk in created),
            kinds_of[1]: ({**known[pk], "changed": names} for pk, names in fields.items()),
        },
        to=heard,
        at=at,
    )


def record_selected(
    name: str, statement: str, parameters: Sequence[Any], *, to: Listeners, at: datetime
) -> None:
    """Like `record`, for any number of events that the database makes of its own rows.

    `statement` selects one column `data`, in JSON. No other event of this name may have happened
    at exactly the same time.
    """
    if name not in to:
        return
    adapt = connection.ops.adapt_datetimefield_value
    own = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    fresh = {"event_id": None, "webhook_id": None, **_fresh(at)}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_event (id, name, occurred_at, data) "  # noqa: S608  # our own SQL
            f"SELECT {own}, %s, %s, said.data FROM ({statement}) said",
            [name, adapt(at), *parameters],
        )
        for webhook in to[name]:
            values = {n: adapt(v) if isinstance(v, datetime) else v for n, v in fresh.items()}
            values["webhook_id"] = webhook
            places = ", ".join("id" if n == "event_id" else "%s" for n in values)
            cursor.execute(
                f"INSERT INTO accounts_delivery ({', '.join(values)}) "  # noqa: S608  # our own names
                f"SELECT {places} FROM accounts_event WHERE name = %s AND occurred_at = %s",
                [*(v for n, v in values.items() if n != "event_id"), name, adapt(at)],
            )
    send_later(to[name])


def _fresh(at: datetime) -> Payload:
    """The columns of a delivery that nobody has tried yet."""
    return {
        "state": DeliveryState.WAITING.value,
        "attempts": 0,
        "next_attempt_at": at,
        "give_up_at": at + GIVE_UP,
        "error": "",
        "answer": "",
        "signature": "",
    }


def send_later(webhook_ids: Iterable[int], *, first: int | None = None) -> None:
    """Have a worker send what is due to these webhooks once the transaction is committed.

    `first` is a delivery that goes before all others.
    """
    ids = sorted(set(webhook_ids))
    transaction.on_commit(lambda: enqueue(ids, first=first))


def enqueue(webhook_ids: Iterable[int], *, first: int | None = None) -> None:
    """Put a message for each webhook into the queue; the next minute makes up for a lost one."""
    for pk in webhook_ids:
        try:
            current_app.send_task(
                "accounts.tasks.deliver_webhook", kwargs={"webhook_id": pk, "first": first}
            )
        except (OperationalError, OSError):
            log.exception("Sending to webhook %s could not be queued; the next minute does it", pk)
            return
