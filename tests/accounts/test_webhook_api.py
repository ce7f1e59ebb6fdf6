"""The webhooks and webhook-deliveries resources, as an integration uses them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AuditEntry, Delivery, IdempotentResponse, Pause, Webhook
from tests.factories import local, make_delivery, make_key, make_webhook

pytestmark = pytest.mark.django_db
URL = "/api/v1/webhooks/"
DELIVERIES = "/api/v1/webhook-deliveries/"
NEW = {"name": "ERP", "url": "https://8.8.8.8/hook", "events": ["tier.changed", "order.held"]}


def test_the_secret_is_answered_once(erp) -> None:
    answer = erp.post(URL, NEW, format="json")
    assert answer.status_code == 201
    made = answer.json()
    webhook = Webhook.objects.get()
    assert made["secret"] == webhook.secret
    assert made["secret"].startswith("whsec_")
    assert (made["active"], made["paused"], made["failing_since"]) == (True, "", None)
    assert made["events"] == ["order.held", "tier.changed"]
    for url in (URL, f"{URL}{webhook.pk}/"):
        assert "secret" not in erp.get(url).content.decode()
    assert AuditEntry.objects.of(webhook).first().actor_name.startswith("Key")  # type: ignore[union-attr]


def test_a_retry_makes_no_second_one_and_the_secret_is_not_among_the_kept_answers(erp) -> None:
    first = erp.post(URL, NEW, format="json", HTTP_IDEMPOTENCY_KEY="a")
    again = erp.post(URL, NEW, format="json", HTTP_IDEMPOTENCY_KEY="a")
    assert first.json() == again.json()
    assert Webhook.objects.count() == 1
    assert first.json()["secret"] not in str(list(IdempotentResponse.objects.values()))
    other = erp.post(URL, {**NEW, "name": "x"}, format="json", HTTP_IDEMPOTENCY_KEY="a")
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"events": []}, "events", "Choose at least one event."),
        ({"events": ["order.eaten"]}, "events", "not a valid choice"),
        ({"events": "order.held"}, "events", "list"),
        ({"url": "http://8.8.8.8/"}, "url", "begins with https://"),
        ({"url": "https://127.0.0.1/"}, "url", "not public"),
        ({"url": "https://169.254.169.254/latest/meta-data/"}, "url", "not public"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url", "not public"),
        ({"url": "https://u:p@8.8.8.8/"}, "url", "no user name"),
        ({"url": "https://nowhere.invalid/"}, "url", "Nobody knows this host."),
        ({"url": "x" * 501}, "url", "500"),
        ({"name": ""}, "name", "blank"),
    ],
)
def test_what_is_wrong_is_refused_beside_its_field(
    erp, change: dict[str, Any], field: str, words: str
) -> None:
    answer = erp.post(URL, {**NEW, **change}, format="json", HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 400
    assert words in str(answer.json()["errors"])
    assert next(iter(answer.json()["errors"])).startswith(field)
    assert not Webhook.objects.exists()


def test_a_change_is_guarded_and_pauses_and_resumes(erp) -> None:
    webhook = make_webhook()
    url = f"{URL}{webhook.pk}/"
    tag = erp.get(url)["ETag"]
    answer = erp.patch(url, {"active": False, "name": "Chat"}, format="json", HTTP_IF_MATCH=tag)
    assert answer.status_code == 200, answer.content
    assert (answer.json()["active"], answer.json()["paused"]) == (False, "by_hand")
    assert answer.json()["name"] == "Chat"
    late = erp.patch(url, {"name": "Late"}, format="json", HTTP_IF_MATCH=tag)
    assert late.status_code == 412
    assert erp.patch(url, {"active": True}, format="json").json()["active"] is True
    erp.patch(url, {"events": ["tier.changed"]}, format="json")
    webhook.refresh_from_db()
    assert (webhook.name, webhook.pause, webhook.events) == ("Chat", "", ["tier.changed"])
    bad = erp.patch(url, {"url": "https://10.0.0.1/"}, format="json")
    assert bad.status_code == 400


def test_how_it_goes_is_no_change_of_the_record(erp, receiver) -> None:
    webhook = make_webhook(url=receiver.url)
    make_delivery(webhook)
    from accounts import delivering

    tag = erp.get(f"{URL}{webhook.pk}/")["ETag"]
    delivering.deliver(webhook_id=webhook.pk, now=local(2026, 6, 16, 13))
    after = erp.get(f"{URL}{webhook.pk}/")
    assert after.json()["last_delivered_at"] is not None
    assert after["ETag"] == tag


def test_a_removed_one_is_gone_and_its_deliveries_stay(erp) -> None:
    one = make_delivery()
    url = f"{URL}{one.webhook_id}/"
    assert erp.delete(url).status_code == 204
    assert erp.get(url).status_code == erp.delete(url).status_code == 404
    assert erp.get(URL).json()["results"] == []
    assert erp.get(f"{DELIVERIES}{one.pk}/").status_code == 200


def test_a_new_secret_and_a_retry_of_asking_for_it(erp) -> None:
    webhook = make_webhook()
    old = webhook.secret
    url = f"{URL}{webhook.pk}/rotate-secret/"
    answer = erp.post(url, {}, format="json", HTTP_IDEMPOTENCY_KEY="r")
    webhook.refresh_from_db()
    assert answer.json()["secret"] == webhook.secret != old
    assert answer.json()["old_secret_until"] is not None
    again = erp.post(url, {}, format="json", HTTP_IDEMPOTENCY_KEY="r")
    assert again.json() == answer.json()
    assert webhook.secret not in str(list(IdempotentResponse.objects.values()))


def test_a_test_event(erp, receiver) -> None:
    from accounts import delivering

    webhook = make_webhook(url=receiver.url)
    answer = erp.post(f"{URL}{webhook.pk}/ping/", {}, format="json")
    assert answer.status_code == 202
    assert (answer.json()["event"], answer.json()["state"]) == ("ping", "waiting")
    delivering.deliver(webhook_id=webhook.pk, now=Delivery.objects.get().next_attempt_at)
    found = erp.get(f"{DELIVERIES}{answer.json()['id']}/").json()
    assert (found["state"], found["status_code"], found["attempts"]) == ("delivered", 204, 1)
    assert found["next_attempt_at"] is None
    webhook.stop(Pause.BY_HAND, local(2026, 6, 16))
    assert erp.post(f"{URL}{webhook.pk}/ping/", {}, format="json").status_code == 400


def test_deliveries_are_listed_narrowed_and_sent_again(erp) -> None:
    webhook = make_webhook()
    dead = make_delivery(webhook, state="dead", error="status", status_code=500, attempts=9)
    waiting, other = make_delivery(webhook), make_delivery(state="dead")

    def ids(query: str) -> list[int]:
        answer = erp.get(f"{DELIVERIES}?{query}")
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()["results"]]

    assert ids("") == [other.pk, waiting.pk, dead.pk]
    assert ids(f"webhook={webhook.pk}") == [waiting.pk, dead.pk]
    assert ids(f"webhook={webhook.pk}&state=dead") == [dead.pk]
    assert ids("event=order.held") == [other.pk, waiting.pk, dead.pk]
    assert ids("event=ping") == []
    assert erp.get(f"{DELIVERIES}?event=nothing").status_code == 400
    found = erp.get(f"{DELIVERIES}{dead.pk}/").json()
    assert found["data"] == {"id": 1, "external_id": "SO-1", "held": True}
    assert (found["event_id"], found["error"]) == (str(dead.event_id), "status")
    again = erp.post(f"{DELIVERIES}{dead.pk}/replay/", {}, format="json")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    all_ = erp.post(f"{URL}{other.webhook_id}/replay/", {}, format="json")
    assert (all_.status_code, all_.json()) == (202, {"number": 1})
    assert not Delivery.objects.dead().exists()


@pytest.mark.parametrize("path", [URL, DELIVERIES])
def test_only_keys_with_the_scope_and_administrators_see_them(path: str, manager) -> None:
    make_delivery()
    _key, secret = make_key(scopes=["orders:write", "customers:read"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(path).status_code == 403
    _key, secret = make_key(scopes=["webhooks:read"])
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(path).status_code == 200
    assert client.post(URL, NEW, format="json").status_code == 403
    browser = APIClient()
    browser.force_login(manager)
    assert browser.get(path).status_code == 403
