"""Sending events to webhooks: one worker to a receiver, back-off, giving up, sending again.

Delivery is at least once: who dies between the answer and writing it down leaves a delivery that
is sent again, under the same id. A receiver that fails keeps nobody waiting but itself: after one
failure, all that is due to it waits.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import jobs, sending
from accounts.destinations import Resolver, resolve
from accounts.models import AuditEntry, JobRun, User
from accounts.models.audit import Action
from accounts.models.webhooks import Delivery, DeliveryState, Event, Pause, Webhook
from accounts.webhooks import GIVE_UP, PING, enqueue, send_later
from crm.lib.days import clock_from
from crm.lib.keyset import count_up_to

#: How long an event waits after its first, second … failure; from then on, LATER.
WAITS = tuple(timedelta(minutes=n) for n in (1, 5, 30, 120, 360))
LATER = timedelta(hours=12)
#: A receiver that fails is tried at least this often, with one event.
PROBE = timedelta(hours=1)
#: A receiver that fails for this long is paused.
PAUSE_AFTER = timedelta(days=7)
#: A worker that does not say otherwise is taken for dead after this long. An attempt ends after
#: 10 s, beside the look-up of the host's name.
CLAIM = timedelta(seconds=90)
#: After this long in a row the next receiver has its turn.
TURN = timedelta(seconds=20)
#: More deliveries than these are sent again by a job.
MOST_AT_ONCE = 5000
REPLAY = "webhook_replay"


def wait(failures: int, *, jitter: float) -> timedelta:
    """How long to wait after so many failures; `jitter` (0–1) adds up to a fifth, so that what
    failed together does not come back together."""
    base = WAITS[failures - 1] if failures <= len(WAITS) else LATER
    return base * (1 + jitter / 5)


# --- sending


def deliver_due(*, now: datetime) -> None:
    """Put every webhook into the queue that has something due; done every minute."""
    enqueue(list(Webhook.objects.ready(now).order_by("pk").values_list("pk", flat=True)))


def deliver(
    *, webhook_id: int, now: datetime, first: int | None = None, resolver: Resolver = resolve
) -> int:
    """Send what is due to one webhook, for TURN at most and up to the first failure; how many
    attempts that were. Does nothing while another worker is at it.

    `first` is the delivery to begin with, also where the webhook waits after a failure.
    """
    clock, claim, attempts = clock_from(now), uuid4().hex, 0
    free = Webhook.objects.listening().free(now).filter(pk=webhook_id)
    if not free.update(claim=claim, claimed_until=now + CLAIM):
        return 0
    mine = Webhook.objects.filter(pk=webhook_id, claim=claim)
    try:
        while delivery := _next(webhook_id, first, clock()):
            first, attempts = None, attempts + 1
            if not _attempt(delivery, clock(), resolver) or clock() > now + TURN:
                break
            if not mine.update(claimed_until=clock() + CLAIM):
                return attempts  # so late that another worker took over
    finally:
        mine.update(claim="", claimed_until=None)
    # Written while we held the claim: the message of that found us at it.
    if Webhook.objects.ready(clock()).filter(pk=webhook_id).exists():
        enqueue([webhook_id])
    return attempts


def _next(webhook_id: int, first: int | None, now: datetime) -> Delivery | None:
    rows = Delivery.objects.waiting().select_related("webhook", "event")
    rows = rows.filter(webhook=webhook_id, webhook__pause="", webhook__removed_at=None)
    if first and (found := rows.filter(pk=first).first()):
        return found
    rested = Q(webhook__waits_until=None) | Q(webhook__waits_until__lte=now)
    return rows.due(now).filter(rested).first()


def headers_of(delivery: Delivery, timestamp: int, signature: str) -> dict[str, str]:
    """What stands beside the body."""
    return {
        "Kehu-Event": delivery.event.name,
        "Kehu-Event-Id": str(delivery.event_id),
        "Kehu-Timestamp": str(timestamp),
        "Kehu-Signature": signature,
    }


def _attempt(delivery: Delivery, now: datetime, resolver: Resolver) -> bool:
    """Send one, and write down what came of it; whether it was delivered."""
    webhook, timestamp = delivery.webhook, int(now.timestamp())
    body = sending.encode(delivery.body)
    signature = sending.sign(body, secrets=webhook.secrets(now), timestamp=timestamp)
    headers = headers_of(delivery, timestamp, signature)
    answer = sending.post(webhook.url, body, headers, resolver=resolver)
    after = now + timedelta(milliseconds=answer.duration_ms)
    told: dict[str, Any] = {
        "attempts": delivery.attempts + 1,
        "tried_at": now,
        "status_code": answer.status,
        "duration_ms": answer.duration_ms,
        "error": answer.error,
        "answer": answer.text,
        "signature": signature,
    }
    with transaction.atomic():
        row = Delivery.objects.filter(pk=delivery.pk)
        if not answer.error:
            row.update(**told, state=DeliveryState.DELIVERED, delivered_at=after)
            Webhook.objects.filter(pk=webhook.pk).update(
                failures=0, failing_since=None, waits_until=None, last_delivered_at=after
            )
            return True
        again = after + wait(delivery.attempts + 1, jitter=random.random())
        over = again > delivery.give_up_at
        state = DeliveryState.DEAD if over else DeliveryState.WAITING
        row.update(**told, state=state, next_attempt_at=again)
        _note_failure(webhook.pk, answer, after)
    return False


def _note_failure(webhook_id: int, answer: sending.Answer, now: datetime) -> None:
    """Hold the receiver's events back, give up those that waited too long, pause it in the end."""
    webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook_id)
    failures = webhook.failures + 1
    since = webhook.failing_since or now
    Webhook.objects.filter(pk=webhook_id).update(
        failures=failures,
        failing_since=since,
        waits_until=now + min(wait(failures, jitter=random.random()), PROBE),
    )
    waited = Delivery.objects.waiting().filter(webhook=webhook_id, give_up_at__lte=now)
    waited.update(state=DeliveryState.DEAD, error="waited")
    if answer.status == 410:
        webhook.stop(Pause.GONE, now)
    elif now - since >= PAUSE_AFTER:
        webhook.stop(Pause.FAILING, now)


# --- by hand


@transaction.atomic
def ping(*, webhook: Webhook, now: datetime) -> Delivery:
    """Send a test event, before all others and once: one that fails is not tried again."""
    _require_listening(webhook)
    event = Event.objects.create(name=PING, occurred_at=now, data={"webhook": webhook.pk})
    delivery = Delivery.objects.create(
        webhook=webhook, event=event, next_attempt_at=now, give_up_at=now
    )
    _log(webhook, "pinged", 1)
    send_later([webhook.pk], first=delivery.pk)
    return delivery


@transaction.atomic
def replay(*, delivery: Delivery, now: datetime) -> Delivery:
    """Send one again, before all others; the receiver knows it by its id. One that waits is only
    sent sooner."""
    delivery = (
        Delivery.objects.select_for_update(of=("self",))
        .select_related("webhook", "event")
        .get(pk=delivery.pk)
    )
    _require_listening(delivery.webhook)
    if delivery.state != DeliveryState.WAITING:
        _log(delivery.webhook, "sent_again", 1)
        delivery.state, delivery.attempts = DeliveryState.WAITING, 0
        delivery.give_up_at = now + GIVE_UP
    delivery.next_attempt_at = now
    delivery.save()
    send_later([delivery.webhook_id], first=delivery.pk)
    return delivery


@transaction.atomic
def replay_dead(*, webhook: Webhook, by: User, now: datetime) -> tuple[int, JobRun | None]:
    """Send all again that were given up: how many, and the job that does it where they are many."""
    _require_listening(webhook)
    dead = Delivery.objects.dead().filter(webhook=webhook)
    if count_up_to(dead, MOST_AT_ONCE).more:
        job = jobs.request(REPLAY, owner=by, parameters={"webhook": webhook.pk}, now=now)
        return dead.count(), job
    number = _revive(dead, now)
    if number:
        _log(webhook, "sent_again", number)
        send_later([webhook.pk])
    return number, None


def do_replay(job: JobRun, step: jobs.Step, *, now: datetime) -> dict[str, Any]:
    """Send all again that one webhook was not delivered so far, some thousand at a time; begun
    again after a worker died, it goes on with the rest."""
    webhook = Webhook.objects.get(pk=job.parameters["webhook"])
    dead = Delivery.objects.dead().filter(webhook=webhook, pk__lte=_last(webhook))
    total, done = dead.count(), 0
    while ids := list(dead.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]):
        step(done, total)
        with transaction.atomic():
            done += _revive(Delivery.objects.dead().filter(pk__in=ids), now)
    with transaction.atomic():
        _log(webhook, "sent_again", done)
        send_later([webhook.pk])
    return {"number": done}


def _last(webhook: Webhook) -> int:
    newest = Delivery.objects.dead().filter(webhook=webhook).order_by("-pk")
    return newest.values_list("pk", flat=True).first() or 0


def _revive(dead: Any, now: datetime) -> int:
    number: int = dead.update(
        state=DeliveryState.WAITING, attempts=0, next_attempt_at=now, give_up_at=now + GIVE_UP
    )
    return number


def _require_listening(webhook: Webhook) -> None:
    if not webhook.is_listening:
        raise ValidationError(_("Nothing is sent to this webhook; resume it first."), code="paused")


def _log(webhook: Webhook, what: str, number: int) -> None:
    """Who made the product send something stands in the audit log."""
    AuditEntry.build(
        model=Webhook,
        object_id=webhook.pk,
        object_name=str(webhook),
        action=Action.UPDATE,
        before={},
        after={what: number},
    ).save()


# --- every night


def clear(*, now: datetime, days: int, dead_days: int) -> None:
    """Forget deliveries: `days` after they arrived, `dead_days` after they were given up.

    What waits for a webhook that was paused or removed is given up once its time is over.
    """
    idle = Q(webhook__removed_at__isnull=False) | ~Q(webhook__pause="")
    over = Delivery.objects.waiting().filter(idle, give_up_at__lte=now)
    Delivery.objects.filter(pk__in=over.values("pk")).update(
        state=DeliveryState.DEAD, error="stopped"
    )
    Delivery.objects.filter(
        state=DeliveryState.DELIVERED, delivered_at__lt=now - timedelta(days=days)
    ).delete()
    long_dead = now - timedelta(days=dead_days)
    Delivery.objects.dead().filter(give_up_at__lt=long_dead).delete()
    used = Delivery.objects.filter(event=OuterRef("pk"))
    Event.objects.filter(~Exists(used)).delete()


# --- the job of sending many again


def _page(job: JobRun) -> str:
    return reverse("accounts:webhook", args=[job.parameters["webhook"]])


def _tell(job: JobRun) -> str:
    number = job.result["number"]
    return ngettext("%(n)s delivery", "%(n)s deliveries", number) % {"n": f"{number:,}"}


REPLAY_KIND = jobs.JobKind(
    name=REPLAY,
    label=gettext_lazy("Send again what was given up"),
    task="accounts.tasks.replay_dead",
    page=_page,
    tell=_tell,
    shared=True,
    permission="webhooks:write",
)
