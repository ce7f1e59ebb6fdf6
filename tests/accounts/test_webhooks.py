"""Webhooks: events kept with the change, signed, sent, tried again, given up, sent by hand."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import re
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import close_old_connections, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts import delivering, jobs, sending, webhooks
from accounts.models import AuditEntry, Delivery, Event, JobRun, JobState, Pause, Webhook
from accounts.models.webhooks import OLD_SECRET_WORKS
from tests.accounts.receiver import AUTHORITY, Receiver, receiving, slowly
from tests.factories import local, make_delivery, make_webhook

NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def listening(receiver: Receiver, *events: str, **values: Any) -> Webhook:
    return make_webhook(*events, url=receiver.url, **values)


def tell(*numbers: int, name: str = "order.held", at: datetime = NOW) -> None:
    webhooks.record(
        {name: ({"id": number} for number in numbers)}, to=webhooks.listeners(name), at=at
    )


def send(webhook: Webhook, now: datetime = NOW, **options: Any) -> int:
    return delivering.deliver(webhook_id=webhook.pk, now=now, **options)


def only() -> Delivery:
    return Delivery.objects.select_related("event", "webhook").get()


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


class TestFailing:
    @pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
    def test_any_other_answer_than_2xx_is_a_failure(self, receiver, status: int) -> None:
        receiver.answer = status
        webhook = listening(receiver)
        tell(1)
        assert send(webhook) == 1
        delivery = only()
        assert (delivery.state, delivery.error) == ("waiting", "status")
        assert delivery.status_code == status

    def test_a_failed_event_is_tried_again_with_longer_and_longer_waits_then_given_up(
        self, receiver
    ) -> None:
        receiver.answer = 500
        webhook = listening(receiver)
        tell(1)
        times, now = [NOW], NOW
        send(webhook, now)
        while (delivery := only()).state == "waiting":
            assert send(webhook, delivery.next_attempt_at - timedelta(seconds=1)) == 0
            now = delivery.next_attempt_at
            # The receiver itself is tried every hour; here nothing else is due.
            now = max(now, Webhook.objects.get().waits_until or now)
            assert send(webhook, now) == 1
            times.append(now)
        waits = [(b - a).total_seconds() / 60 for a, b in itertools.pairwise(times)]
        for wait, minutes in zip(
            waits, [1, 5, 30, 120, 360, 720, 720, 720, 720, 720], strict=False
        ):
            assert minutes <= wait < minutes * 1.2 + 0.2
        assert 8 <= len(times) <= 11
        assert delivery.state == "dead"
        assert NOW + timedelta(days=2) < now <= NOW + timedelta(days=3)
        assert len(receiver.arrived) == len(times) == delivery.attempts
        assert len({one.said["id"] for one in receiver.arrived}) == 1
        assert send(webhook, now + timedelta(days=2)) == 0

    def test_after_one_failure_all_else_waits_for_the_receiver(self, receiver) -> None:
        receiver.answer = 503
        webhook = listening(receiver)
        tell(*range(100))
        assert send(webhook) == 1
        assert send(webhook, NOW + timedelta(seconds=30)) == 0
        assert len(receiver.arrived) == 1
        assert not Webhook.objects.ready(NOW + timedelta(seconds=30)).exists()
        receiver.answer = 200
        back = NOW + timedelta(minutes=2)
        assert Webhook.objects.ready(back).exists()
        assert send(webhook, back) == 100
        assert Webhook.objects.get().failing_since is None

    def test_a_receiver_that_fails_is_tried_at_least_every_hour(self, receiver) -> None:
        receiver.answer = 500
        webhook, now = listening(receiver), NOW
        tell(*range(20))
        for _n in range(12):
            assert send(webhook, now) == 1
            until = Webhook.objects.get().waits_until
            assert until is not None
            assert until - now <= timedelta(hours=1, seconds=5)
            now = until

    def test_one_event_that_a_receiver_cannot_take_does_not_hold_up_the_others(
        self, receiver
    ) -> None:
        receiver.answer = lambda got: 500 if got.said["data"]["id"] == 0 else 200
        webhook = listening(receiver)
        tell(0, 1, 2, 3)
        send(webhook)
        send(webhook, NOW + timedelta(minutes=2))
        left = Delivery.objects.waiting().select_related("event")
        assert [one.event.data["id"] for one in left] == [0]

    def test_what_waited_too_long_for_a_dead_receiver_is_given_up(self, receiver) -> None:
        receiver.answer = 500
        webhook = listening(receiver)
        tell(1, 2, 3)
        send(webhook, NOW + timedelta(days=3, minutes=1))
        assert set(Delivery.objects.values_list("state", flat=True)) == {"dead"}
        assert sorted(Delivery.objects.values_list("error", flat=True)) == [
            "status", "waited", "waited",
        ]  # fmt: skip

    def test_a_receiver_that_fails_for_a_week_is_paused_and_says_so(
        self, receiver, as_, administrator
    ) -> None:
        receiver.answer = 500
        webhook = listening(receiver)
        for day in range(8):
            at = NOW + timedelta(days=day, minutes=day)
            tell(day, at=at)
            send(webhook, at)
        webhook.refresh_from_db()
        assert webhook.pause == Pause.FAILING
        assert webhook.failing_since is not None
        page = as_(administrator).get(reverse("accounts:webhook", args=[webhook.pk]))
        assert "it failed for a week" in page.content.decode()
        tell(99, at=NOW + timedelta(days=9))
        assert not Event.objects.filter(data={"id": 99}).exists()
        webhook.resume()
        receiver.answer = 200
        tell(100, at=NOW + timedelta(days=9))
        send(webhook, NOW + timedelta(days=9))
        assert receiver.arrived[-1].said["data"]["id"] == 100

    def test_a_receiver_that_says_it_is_gone_is_paused_at_once(self, receiver) -> None:
        receiver.answer = 410
        webhook = listening(receiver)
        tell(1)
        send(webhook)
        webhook.refresh_from_db()
        assert webhook.pause == Pause.GONE

    def test_a_redirect_is_not_followed(self, receiver, own_network) -> None:
        with receiving() as inside:
            receiver.answer, receiver.location = 307, inside.url
            webhook = listening(receiver)
            tell(1)
            send(webhook)
            assert inside.arrived == []
        assert (only().error, only().status_code) == ("redirect", 307)

    def test_a_name_that_changes_its_mind_reaches_nothing_private(self, receiver, settings) -> None:
        """DNS rebinding: public when the webhook is made, private when the event is sent."""
        answers = [["8.8.8.8"], ["127.0.0.1"]]
        settings.WEBHOOK_PRIVATE_NETWORKS = []
        port = receiver.url.rsplit(":", 1)[1].split("/")[0]
        url = f"http://rebinding.example:{port}/"
        from accounts import destinations

        asked: list[str] = []

        def resolver(host: str, port: int) -> list[str]:
            asked.append(host)
            return answers[len(asked) - 1]

        destinations.check(url, resolver=resolver)
        webhook = make_webhook(url=url)
        tell(1)
        send(webhook, resolver=resolver)
        assert asked == ["rebinding.example"] * 2, "one look-up for an attempt, and no other"
        assert receiver.arrived == []
        assert only().error == "private_address"

    def test_it_connects_to_the_address_that_was_judged(self, receiver) -> None:
        port = receiver.url.rsplit(":", 1)[1].split("/")[0]
        webhook = make_webhook(url=f"http://nowhere.invalid:{port}/x")
        tell(1)
        send(webhook, resolver=lambda host, port: ["127.0.0.1"])
        (got,) = receiver.arrived
        assert got.headers["Host"] == f"nowhere.invalid:{port}"

    def test_no_proxy_of_the_environment_is_asked(self, receiver, monkeypatch) -> None:
        with receiving() as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
            webhook = listening(receiver)
            tell(1)
            send(webhook)
            assert proxy.arrived == []
        assert len(receiver.arrived) == 1

    def test_nobody_there_is_a_failure(self, own_network) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        webhook = make_webhook(url=f"http://127.0.0.1:{port}/")
        tell(1)
        send(webhook)
        assert only().error == "connect"

    def test_a_receiver_without_a_certificate_is_a_failure(self, receiver) -> None:
        webhook = make_webhook(url=receiver.url.replace("http://", "https://"))
        tell(1)
        send(webhook)
        assert only().error in {"tls", "connect"}
        assert receiver.arrived == []

    @pytest.mark.parametrize(
        ("host", "trusted", "error"),
        [
            ("receiver.example", True, ""),
            ("receiver.example", False, "tls"),
            ("another.example", True, "tls"),
            ("127.0.0.1", True, "tls"),
        ],
    )
    def test_a_certificate_must_hold_and_name_the_host(
        self, own_network, monkeypatch, host: str, trusted: bool, error: str
    ) -> None:
        """The name of the address is what counts, though the connection goes to a number."""
        if trusted:
            context = ssl.create_default_context()
            AUTHORITY.configure_trust(context)
            monkeypatch.setattr(sending, "_tls", lambda: context)
        with receiving(secure=True) as receiver:
            webhook = make_webhook(url=receiver.url.replace("receiver.example", host))
            tell(1)
            send(webhook, resolver=lambda host, port: ["127.0.0.1"])
            assert len(receiver.arrived) == (0 if error else 1)
        assert only().error == error


@pytest.fixture
def hasty(monkeypatch) -> None:
    """A time limit that a test can wait for."""
    monkeypatch.setattr(sending, "TOTAL", 0.6)


def dripping(words: bytes, pause: float) -> tuple[socket.socket, str]:
    """A receiver that answers a byte at a time."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _address = server.accept()
        with peer:
            peer.recv(65536)
            try:
                for byte in words:
                    peer.sendall(bytes([byte]))
                    time.sleep(pause)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return server, f"http://127.0.0.1:{server.getsockname()[1]}/"


class TestSlowness:
    def test_a_receiver_that_does_not_answer_is_left_in_time(self, receiver, hasty) -> None:
        receiver.answer = slowly(1.2)
        webhook = listening(receiver)
        tell(1)
        begun = time.monotonic()
        send(webhook)
        assert time.monotonic() - begun < 1.1
        assert only().error == "timeout"

    def test_an_answer_that_drips_is_left_in_time(self, own_network, hasty) -> None:
        server, url = dripping(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500, 0.05)
        with server:
            webhook = make_webhook(url=url)
            tell(1)
            begun = time.monotonic()
            send(webhook)
            assert time.monotonic() - begun < 1.5
        assert only().error == "timeout"

    def test_a_2xx_counts_though_its_body_never_ends(self, own_network, hasty) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
        server, url = dripping(head + b"y" * 500, 0.005)
        with server:
            webhook = make_webhook(url=url)
            tell(1)
            send(webhook)
        assert only().state == "delivered"

    def test_what_is_no_http_is_a_failure(self, own_network, hasty) -> None:
        server, url = dripping(b"SSH-2.0-OpenSSH\r\n\r\n", 0)
        with server:
            webhook = make_webhook(url=url)
            tell(1)
            send(webhook)
        assert only().error == "protocol"

    def test_a_slow_receiver_gives_the_others_their_turn(self, receiver, monkeypatch) -> None:
        monkeypatch.setattr(delivering, "TURN", timedelta(seconds=0.3))
        queued: list[Any] = []
        monkeypatch.setattr(current_app, "send_task", lambda name, kwargs: queued.append(kwargs))
        receiver.answer = slowly(0.2)
        slow = listening(receiver)
        with receiving() as other:
            quick = listening(other)
            tell(*range(100))
            begun = time.monotonic()
            assert send(slow) == 2
            assert send(quick) > 20
            assert time.monotonic() - begun < 2
            assert queued[0]["webhook_id"] == slow.pk, "the rest has its turn after the others"

    def test_a_receiver_that_times_out_costs_a_worker_one_attempt(self, receiver, hasty) -> None:
        receiver.answer = slowly(1)
        slow = listening(receiver)
        with receiving() as other:
            quick = listening(other)
            tell(*range(50))
            begun = time.monotonic()
            assert send(slow) == 1
            assert send(quick) == 50
            assert time.monotonic() - begun < 3


class TestTogether:
    def test_a_second_worker_leaves_a_webhook_alone(self, receiver) -> None:
        webhook = listening(receiver)
        tell(1)
        Webhook.objects.update(claim="another", claimed_until=NOW + timedelta(seconds=60))
        assert send(webhook) == 0
        assert receiver.arrived == []

    def test_what_a_killed_worker_had_in_hand_is_sent_again(self, receiver) -> None:
        class Killed(BaseException):
            pass

        webhook = listening(receiver)
        tell(1)

        def die(host: str, port: int) -> list[str]:
            raise Killed

        with pytest.raises(Killed):
            send(webhook, resolver=die)
        # A killed process does not even give the claim back.
        Webhook.objects.update(claim="gone", claimed_until=NOW + delivering.CLAIM)
        assert send(webhook, NOW + timedelta(seconds=30)) == 0
        after = NOW + delivering.CLAIM + timedelta(seconds=1)
        assert Webhook.objects.ready(after).exists(), "the next minute finds it"
        assert send(webhook, after) == 1
        assert only().state == "delivered"

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_at_once_send_each_event_once(self, receiver) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("one writer at a time there")
        receiver.answer = slowly(0.01)
        webhook = listening(receiver)
        with transaction.atomic():
            tell(*range(30))
        start = threading.Barrier(4)

        def work() -> int:
            start.wait()
            try:
                return send(webhook)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            done = [future.result() for future in [pool.submit(work) for _n in range(4)]]
        close_old_connections()
        assert sum(done) == 30
        ids = [one.said["id"] for one in receiver.arrived]
        assert len(ids) == len(set(ids)) == 30

    @pytest.mark.django_db(transaction=True)
    def test_who_edits_a_webhook_keeps_no_change_waiting(self) -> None:
        """A sync that writes deliveries does not wait for a form that holds the webhook."""
        if connection.vendor != "postgresql":
            pytest.skip("one writer at a time there")
        webhook = make_webhook()
        with transaction.atomic():
            Webhook.objects.select_for_update().get(pk=webhook.pk)

            def record() -> int:
                try:
                    with transaction.atomic():
                        tell(1)
                    return Delivery.objects.count()
                finally:
                    connection.close()

            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(record).result(timeout=10) == 1


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
