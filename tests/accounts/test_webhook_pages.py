"""The pages of webhooks: making, changing, pausing, sending a test, looking at deliveries."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import delivering
from accounts.models import AuditEntry, Delivery, JobRun, Pause, User, Webhook
from accounts.webhooks import GIVE_UP
from tests.factories import local, make_delivery, make_webhook

pytestmark = pytest.mark.django_db
NEW = {"name": "ERP", "url": "https://8.8.8.8/hook", "events": ["order.held"]}


def url(name: str, pk: int | None = None) -> str:
    return reverse(f"accounts:{name}", args=[pk] if pk else None)


@pytest.fixture
def browser(as_, administrator: User) -> Any:
    return as_(administrator)


def test_only_who_holds_webhooks_write_sees_them(as_, manager: User) -> None:
    client, one = as_(manager), make_delivery()
    for path in (
        url("webhooks"), url("webhook-new"), url("webhook", one.webhook_id), url("delivery", one.pk)
    ):  # fmt: skip
        assert client.get(path).status_code == 403
    for name in ("ping", "replay", "pause", "resume", "remove", "restore", "secret"):
        assert client.post(url(f"webhook-{name}", one.webhook_id)).status_code == 403
    assert client.post(url("delivery-replay", one.pk)).status_code == 403


def test_without_any_the_page_says_what_they_are_for_and_how_to_check_a_signature(browser) -> None:
    page = browser.get(url("webhooks")).content.decode()
    assert "No webhooks yet" in page
    assert "hmac.compare_digest" in page


def test_making_one_shows_its_secret_once(browser) -> None:
    answer = browser.post(url("webhook-new"), NEW)
    webhook = Webhook.objects.get()
    assert webhook.secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    for path in (url("webhooks"), url("webhook", webhook.pk), url("webhook-edit", webhook.pk)):
        assert webhook.secret not in browser.get(path).content.decode()
    assert webhook.secret not in str(dict(browser.session))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "https://192.168.1.1/"}, "not public"),
        ({"url": "http://8.8.8.8/"}, "begins with https://"),
        ({"events": []}, "Choose at least one event."),
        ({"name": "\x00"}, "Null characters"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(browser, change: dict[str, Any], words: str) -> None:
    answer = browser.post(url("webhook-new"), {**NEW, **change})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Webhook.objects.exists()


def test_of_two_who_change_it_the_second_is_told(browser) -> None:
    webhook = make_webhook(name="Old", url="https://8.8.8.8/hook")
    data = {**NEW, "version": webhook.version}
    assert browser.post(url("webhook-edit", webhook.pk), data).status_code == 302
    late = browser.post(url("webhook-edit", webhook.pk), {**data, "name": "Late"})
    assert late.status_code == 422
    assert "Somebody else has changed this meanwhile" in late.content.decode()
    webhook.refresh_from_db()
    assert webhook.name == "ERP"


def test_a_change_by_hand_leaves_alone_what_workers_write(browser) -> None:
    webhook = make_webhook(url="https://8.8.8.8/hook")
    page = browser.get(url("webhook-edit", webhook.pk))
    Webhook.objects.update(claim="worker", failures=3, last_delivered_at=timezone.now())
    version = page.context["form"]["version"].value()
    browser.post(url("webhook-edit", webhook.pk), {**NEW, "version": version})
    webhook.refresh_from_db()
    assert (webhook.name, webhook.claim, webhook.failures) == ("ERP", "worker", 3)
    assert webhook.last_delivered_at is not None


def test_pausing_and_removing_can_be_taken_back(browser) -> None:
    webhook = make_webhook()
    for act, back, field in (("pause", "resume", "pause"), ("remove", "restore", "removed_at")):
        before = getattr(webhook, field)
        done = browser.post(url(f"webhook-{act}", webhook.pk), follow=True)
        assert url(f"webhook-{back}", webhook.pk) in done.content.decode(), "the undo of the toast"
        webhook.refresh_from_db()
        assert getattr(webhook, field) != before
        browser.post(url(f"webhook-{back}", webhook.pk))
        webhook.refresh_from_db()
        assert getattr(webhook, field) == before
    assert AuditEntry.objects.of(webhook).count() == 5


def test_a_second_press_makes_no_second_secret(browser) -> None:
    webhook = make_webhook()
    old, version = webhook.secret, webhook.version
    first = browser.post(url("webhook-secret", webhook.pk), {"version": version})
    webhook.refresh_from_db()
    new = webhook.secret
    assert new in first.content.decode()
    second = browser.post(url("webhook-secret", webhook.pk), {"version": version})
    assert second.status_code == 302
    webhook.refresh_from_db()
    assert webhook.secrets(timezone.now()) == [new, old]


def test_a_test_event_shows_what_becomes_of_it(browser, receiver) -> None:
    webhook = make_webhook(url=receiver.url)
    answer = browser.post(url("webhook-ping", webhook.pk))
    sent = Delivery.objects.get()
    assert answer["Location"] == url("delivery", sent.pk)
    on_its_way = browser.get(url("delivery", sent.pk))
    assert "It is on its way." in on_its_way.content.decode()
    assert "every 2s" in on_its_way.content.decode()
    assert browser.get(url("delivery", sent.pk), headers={"HX-Request": "true"}).status_code == 200
    receiver.answer, receiver.text = 200, b"<b>thanks</b>"
    delivering.deliver(webhook_id=webhook.pk, now=timezone.now())
    part = browser.get(url("delivery", sent.pk), headers={"HX-Request": "true"})
    assert part["HX-Refresh"] == "true"
    page = browser.get(url("delivery", sent.pk)).content.decode()
    sent.refresh_from_db()
    assert "The receiver has taken it." in page
    assert sent.signature in page
    assert str(sent.event_id) in page
    assert "&lt;b&gt;thanks&lt;/b&gt;" in page


def test_a_failure_says_why_and_when_it_is_tried_again(browser, receiver) -> None:
    receiver.answer = 503
    webhook = make_webhook(url=receiver.url)
    now = timezone.now()
    one = make_delivery(webhook, next_attempt_at=now, give_up_at=now + GIVE_UP)
    delivering.deliver(webhook_id=webhook.pk, now=now)
    page = browser.get(url("delivery", one.pk)).content.decode()
    assert "The receiver did not answer with 2xx." in page
    assert "Next attempt:" in page
    assert "It has failed since" in browser.get(url("webhook", webhook.pk)).content.decode()


def test_deliveries_are_narrowed_by_state_and_event_and_exported(browser) -> None:
    webhook = make_webhook()
    dead = make_delivery(webhook, state="dead", error="status", status_code=500)
    waiting = make_delivery(webhook)
    make_delivery()

    def rows(**query: str) -> list[int]:
        answer = browser.get(url("webhook", webhook.pk), query)
        return [row.pk for row in answer.context["page"].rows]

    assert rows() == [waiting.pk, dead.pk]
    assert rows(state="dead") == [dead.pk]
    assert rows(event="order.held", state="waiting") == [waiting.pk]
    assert rows(event="ping") == []
    part = browser.get(url("webhook", webhook.pk), headers={"HX-Request": "true"})
    assert part.content.decode().lstrip().startswith('<div id="results">')
    file = browser.get(url("webhook-export", webhook.pk), {"format": "csv", "state": "dead"})
    text = b"".join(file.streaming_content).decode("utf-8-sig")
    (head, row) = csv.reader(io.StringIO(text))
    told = dict(zip(head, row, strict=True))
    assert (told["Event"], told["State"], told["Answer"]) == ("order.held", "given up", "500")
    assert told["Event id"] == str(dead.event_id)


def test_sending_again_one_or_all(browser, monkeypatch) -> None:
    webhook = make_webhook()
    one = make_delivery(webhook, state="dead")
    assert browser.post(url("delivery-replay", one.pk))["Location"] == url("delivery", one.pk)
    one.refresh_from_db()
    assert one.state == "waiting"
    for _n in range(3):
        make_delivery(webhook, state="dead")
    page = browser.post(url("webhook-replay", webhook.pk), follow=True).content.decode()
    assert "3 deliveries are sent again." in page
    monkeypatch.setattr(delivering, "MOST_AT_ONCE", 1)
    Delivery.objects.update(state="dead")
    answer = browser.post(url("webhook-replay", webhook.pk))
    assert answer["Location"] == url("run", JobRun.objects.get().pk)


def test_a_paused_one_says_that_nothing_is_kept_for_it(browser) -> None:
    webhook = make_webhook(pause=Pause.BY_HAND, paused_at=local(2026, 6, 16, 12))
    page = browser.get(url("webhook", webhook.pk)).content.decode()
    assert "What happens meanwhile is not kept for it" in page
    refused = browser.post(url("webhook-ping", webhook.pk), follow=True).content.decode()
    assert "resume it first" in refused
    assert not Delivery.objects.exists()
