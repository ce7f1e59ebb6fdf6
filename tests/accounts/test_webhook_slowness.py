"""Webhooks whose receiver is slow, and workers that send to one at once."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import close_old_connections, connection, transaction

from accounts import delivering, sending
from accounts.models import Delivery, Webhook
from tests.accounts.receiver import receiving, slowly
from tests.accounts.webhooking import NOW, listening, only, send, tell
from tests.factories import make_webhook

pytestmark = pytest.mark.django_db


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
