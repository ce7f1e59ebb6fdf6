"""Webhooks: events kept with the change, signed, sent, and sent by hand."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts import delivering, jobs, webhooks
from accounts.models import AuditEntry, Delivery, Event, JobRun, JobState, Pause, Webhook
from accounts.models.webhooks import OLD_SECRET_WORKS
from tests.accounts.webhooking import NOW, listening, only, send, tell
from tests.factories import make_delivery, make_webhook

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


class TestRecording:
    def test_nothing_is_written_where_nobody_listens(self) -> None:
        make_webhook("tier.changed")
        make_webhook(pause=Pause.BY_HAND)
        make_webhook(removed_at=NOW)
        with CaptureQueriesContext(connection) as queries:
            tell(1, 2, 3)
        assert len(queries) == 1
        assert not Event.objects.exists()

    def test_each_listener_has_a_delivery_of_each_event(self) -> None:
        one, two = make_webhook("order.held", "order.released"), make_webhook("order.held")
        make_webhook("order.released")
        tell(1, 2)
        assert {event.data["id"] for event in Event.objects.all()} == {1, 2}
        assert {(row.webhook_id, row.event.data["id"]) for row in Delivery.objects.all()} == {
            (webhook.pk, number) for webhook in (one, two) for number in (1, 2)
        }
        first = Delivery.objects.order_by("pk")[0]
        assert (first.state, first.attempts, first.next_attempt_at) == ("waiting", 0, NOW)
        assert first.give_up_at == NOW + timedelta(days=3)

    def test_the_cost_does_not_grow_with_the_events(self) -> None:
        make_webhook()
        make_webhook()

        def cost(size: int) -> int:
            with CaptureQueriesContext(connection) as queries:
                tell(*range(size))
            return len(queries)

        assert cost(1) == cost(500) <= 3

    def test_a_change_that_is_rolled_back_leaves_no_event(self) -> None:
        make_webhook()

        @transaction.atomic
        def change() -> None:
            tell(1)
            assert Event.objects.count() == 1
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            change()
        assert not Event.objects.exists()
        assert not Delivery.objects.exists()

    def test_a_message_for_each_listener_goes_into_the_queue_on_commit(
        self, monkeypatch, django_capture_on_commit_callbacks
    ) -> None:
        sent: list[Any] = []
        monkeypatch.setattr(current_app, "send_task", lambda name, kwargs: sent.append(kwargs))
        one, two = make_webhook(), make_webhook()
        with django_capture_on_commit_callbacks(execute=True):
            tell(1, 2, 3)
            assert sent == []
        assert [kwargs["webhook_id"] for kwargs in sent] == [one.pk, two.pk]

    def test_a_queue_that_is_down_loses_nothing(
        self, monkeypatch, receiver, django_capture_on_commit_callbacks
    ) -> None:
        def down(*_args: Any, **_more: Any) -> None:
            raise OperationalError

        webhook = listening(receiver)
        with monkeypatch.context() as patch:
            patch.setattr(current_app, "send_task", down)
            with django_capture_on_commit_callbacks(execute=True):
                tell(1)
        sent: list[Any] = []
        monkeypatch.setattr(
            current_app, "send_task", lambda name, kwargs: sent.append((name, kwargs))
        )
        delivering.deliver_due(now=NOW)
        assert sent == [
            ("accounts.tasks.deliver_webhook", {"webhook_id": webhook.pk, "first": None})
        ]

    def test_every_event_has_a_name_of_the_contract_and_words(self) -> None:
        kinds = webhooks.kinds()
        assert {"order.held", "tier.changed", "payment.received"} <= kinds.keys()
        for name, kind in kinds.items():
            assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)
            assert kind.label
            assert kind.help
        documented = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
        assert all(f"`{name}`" in documented for name in kinds)


class TestSending:
    def test_a_receiver_gets_the_event_and_its_signature(self, receiver) -> None:
        webhook = listening(receiver)
        tell(17)
        assert send(webhook) == 1
        (got,) = receiver.arrived
        event = Event.objects.get()
        assert got.said == {
            "id": str(event.pk),
            "event": "order.held",
            "occurred_at": "2026-06-16T04:00:00+00:00",
            "data": {"id": 17},
        }
        assert got.headers["Content-Type"] == "application/json"
        assert got.headers["Kehu-Event-Id"] == str(event.pk)
        assert got.headers["Kehu-Event"] == "order.held"
        stamp, mark = re.fullmatch(
            r"t=(\d+),v1=([0-9a-f]{64})", got.headers["Kehu-Signature"]
        ).groups()  # type: ignore[union-attr]
        assert int(stamp) == int(NOW.timestamp()) == int(got.headers["Kehu-Timestamp"])
        text = stamp.encode() + b"." + got.body
        assert mark == hmac.new(webhook.secret.encode(), text, hashlib.sha256).hexdigest()
        delivery = only()
        assert (delivery.state, delivery.attempts, delivery.status_code) == ("delivered", 1, 204)
        assert delivery.delivered_at is not None
        assert Webhook.objects.get().last_delivered_at == delivery.delivered_at
        assert send(webhook, NOW + timedelta(days=1)) == 0

    def test_events_arrive_in_their_order(self, receiver) -> None:
        webhook = listening(receiver)
        tell(*range(20))
        assert send(webhook) == 20
        assert [one.said["data"]["id"] for one in receiver.arrived] == list(range(20))

    def test_the_sample_of_the_docs_and_of_the_page_knows_the_genuine(
        self, receiver, as_, administrator, monkeypatch
    ) -> None:
        text = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
        (sample,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        page = as_(administrator).get(reverse("accounts:webhooks")).content.decode()
        assert sample.strip() in unescape(page)
        space: dict[str, Any] = {}
        exec(sample, space)
        genuine = space["is_genuine"]
        webhook = listening(receiver)
        tell(1)
        send(webhook)
        (got,) = receiver.arrived
        header, secret = got.headers["Kehu-Signature"], webhook.secret
        monkeypatch.setattr(time, "time", lambda: NOW.timestamp() + 60)
        assert genuine(got.body, header, secret)
        assert not genuine(got.body + b" ", header, secret)
        assert not genuine(got.body, header, "whsec_other")
        assert not genuine(got.body, header.replace("t=1", "t=2"), secret)
        assert not genuine(got.body, "nonsense", secret)
        monkeypatch.setattr(time, "time", lambda: NOW.timestamp() + 301)
        assert not genuine(got.body, header, secret)

    def test_a_new_secret_signs_beside_the_old_one_for_a_day(self, receiver) -> None:
        webhook = listening(receiver)
        old = webhook.secret
        webhook.rotate(NOW)
        new = webhook.secret
        assert old != new
        tell(1, 2, at=NOW)
        send(webhook)
        marks = receiver.arrived[0].headers["Kehu-Signature"].split(",")[1:]
        text = b"%d.%s" % (NOW.timestamp(), receiver.arrived[0].body)
        wanted = [hmac.new(s.encode(), text, hashlib.sha256).hexdigest() for s in (new, old)]
        assert marks == [f"v1={mark}" for mark in wanted]
        tell(3)
        send(webhook, NOW + OLD_SECRET_WORKS)
        assert receiver.arrived[-1].headers["Kehu-Signature"].count("v1=") == 1

    def test_a_secret_stands_neither_in_the_database_nor_in_the_log(self, settings) -> None:
        webhook = make_webhook()
        secret = webhook.secret
        webhook.rotate(NOW)
        kept = [*Webhook.objects.values(), *AuditEntry.objects.values()]
        assert secret not in str(kept)
        assert webhook.secret not in str(kept)
        assert "••••" in str(AuditEntry.objects.of(webhook).first().after)  # type: ignore[union-attr]
        logged = str(list(AuditEntry.objects.values("before", "after")))
        assert webhook.seed not in logged
        before = webhook.secret
        settings.SECRET_KEY = "another" * 10
        assert webhook.secret != before

    def test_what_the_answer_says_is_kept_in_part(self, receiver) -> None:
        receiver.answer, receiver.text = 200, "好".encode() * 50_000
        webhook = listening(receiver)
        tell(1)
        send(webhook)
        assert only().state == "delivered"
        assert 300 < len(only().answer) <= 1000


class TestByHand:
    def test_a_test_event_goes_before_all_others_and_once(self, receiver) -> None:
        webhook = listening(receiver)
        receiver.answer = 500
        tell(1, 2)
        send(webhook)
        sent = delivering.ping(webhook=webhook, now=NOW)
        assert send(webhook, NOW + timedelta(seconds=1), first=sent.pk) == 1
        assert receiver.events() == ["order.held", "ping"]
        sent.refresh_from_db()
        assert sent.state == "dead", "a test is not tried again"
        receiver.answer = 200
        sent = delivering.ping(webhook=webhook, now=NOW + timedelta(seconds=2))
        send(webhook, NOW + timedelta(seconds=3), first=sent.pk)
        assert receiver.events()[2] == "ping"
        assert not Delivery.objects.waiting().filter(attempts=0).exists(), "it is back: all follows"

    @pytest.mark.parametrize("state", ["dead", "delivered"])
    def test_one_is_sent_again_under_the_same_id(self, receiver, state: str) -> None:
        webhook = listening(receiver)
        one = make_delivery(webhook, state=state, attempts=9)
        later = NOW + timedelta(days=10)
        delivering.replay(delivery=one, now=later)
        one.refresh_from_db()
        assert (one.state, one.attempts) == ("waiting", 0)
        assert one.give_up_at == later + timedelta(days=3)
        assert send(webhook, later, first=one.pk) == 1
        assert UUID(receiver.arrived[0].said["id"]) == one.event_id
        assert AuditEntry.objects.of(webhook).first().after == {"sent_again": 1}  # type: ignore[union-attr]

    def test_all_that_was_given_up_is_sent_again(self, receiver, administrator) -> None:
        webhook = listening(receiver)
        for state in ("dead", "dead", "delivered", "waiting"):
            make_delivery(webhook, state=state)
        other = make_delivery(state="dead")
        assert delivering.replay_dead(webhook=webhook, by=administrator, now=NOW) == (2, None)
        assert send(webhook) == 3
        other.refresh_from_db()
        assert other.state == "dead"

    def test_many_are_sent_again_by_a_job(self, administrator, monkeypatch) -> None:
        monkeypatch.setattr(delivering, "MOST_AT_ONCE", 3)
        webhook = make_webhook()
        for _n in range(8):
            make_delivery(webhook, state="dead")
        number, job = delivering.replay_dead(webhook=webhook, by=administrator, now=NOW)
        assert number == 8
        assert job is not None
        jobs.work(job.pk, lambda j, step: delivering.do_replay(j, step, now=NOW), now=NOW)
        job = JobRun.objects.get()
        assert (job.state, job.result, job.percent) == (JobState.DONE, {"number": 8}, 100)
        assert "8" in jobs.told(job)
        assert Delivery.objects.waiting().count() == 8

    def test_nothing_is_sent_to_who_is_paused_or_removed(self, receiver, administrator) -> None:
        for webhook in (
            listening(receiver, pause=Pause.BY_HAND),
            listening(receiver, removed_at=NOW),
        ):
            one = make_delivery(webhook)
            assert send(webhook, first=one.pk) == 0
            for act in (
                lambda w: delivering.ping(webhook=w, now=NOW),
                lambda w: delivering.replay(delivery=w.deliveries.get(), now=NOW),
                lambda w: delivering.replay_dead(webhook=w, by=administrator, now=NOW),
            ):
                with pytest.raises(ValidationError):
                    act(webhook)
        assert receiver.arrived == []

    def test_a_new_address_starts_afresh(self, receiver) -> None:
        webhook = listening(receiver)
        receiver.answer = 500
        tell(1)
        send(webhook)
        webhook.refresh_from_db()
        webhook.url = receiver.url + "/new"
        webhook.store()
        webhook.refresh_from_db()
        assert (webhook.failures, webhook.waits_until, webhook.failing_since) == (0, None, None)


def test_old_deliveries_are_cleared_and_given_up_ones_are_kept_longer() -> None:
    def days_ago(days: float) -> datetime:
        return NOW - timedelta(days=days)

    webhook, idle = make_webhook(), make_webhook(pause=Pause.FAILING)
    kept = [
        make_delivery(webhook, state="delivered", delivered_at=days_ago(29)),
        make_delivery(webhook, state="dead", give_up_at=days_ago(89)),
        make_delivery(webhook, give_up_at=days_ago(1)),
        make_delivery(idle, give_up_at=days_ago(-1)),
    ]
    over = make_delivery(idle, give_up_at=days_ago(1))
    gone = [
        make_delivery(webhook, state="delivered", delivered_at=days_ago(31)),
        make_delivery(webhook, state="dead", give_up_at=days_ago(91)),
    ]
    shared = make_delivery(webhook, state="delivered", delivered_at=days_ago(31))
    Delivery.objects.filter(pk=kept[0].pk).update(event=shared.event_id)
    delivering.clear(now=NOW, days=30, dead_days=90)
    left = set(Delivery.objects.values_list("pk", flat=True))
    assert left == {over.pk, *(one.pk for one in kept)}
    assert not left & {one.pk for one in gone}
    assert Event.objects.filter(pk=shared.event_id).exists(), "another delivery needs it"
    assert not Event.objects.filter(pk__in=[one.event_id for one in gone]).exists()
    over.refresh_from_db()
    assert (over.state, over.error) == ("dead", "stopped")


@pytest.mark.parametrize("failures", range(1, 12))
def test_the_wait_grows_and_jitter_adds_up_to_a_fifth(failures: int) -> None:
    least = delivering.wait(failures, jitter=0)
    assert least <= delivering.wait(failures, jitter=0.5) <= delivering.wait(failures, jitter=1)
    assert delivering.wait(failures, jitter=1) == least * 1.2
    assert delivering.wait(failures + 1, jitter=0) >= least
