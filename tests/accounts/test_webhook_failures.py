"""Webhooks whose receiver refuses, is gone, or is not who it should be: tried again, given up."""

from __future__ import annotations

import itertools
import socket
import ssl
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import sending
from accounts.models import Delivery, Event, Pause, Webhook
from tests.accounts.receiver import AUTHORITY, receiving
from tests.accounts.webhooking import NOW, listening, only, send, tell
from tests.factories import make_webhook

pytestmark = pytest.mark.django_db


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
