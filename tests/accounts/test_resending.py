"""Rejected records of a sync: kept as they were sent, shown, corrected and sent once more."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import jobs, resending, sync_audit, tasks
from accounts.models import (
    ApiKey,
    AuditEntry,
    JobRun,
    RejectedRecord,
    RejectedState,
    SyncCall,
    User,
)
from accounts.roles import Role
from accounts.sync_api import ENDPOINTS
from customers.models import Customer
from orders.models import Order, StockLine
from tests.factories import make_customer, make_key, make_product, make_user

pytestmark = pytest.mark.django_db

CUSTOMERS, ORDERS = "/api/v1/customers/sync/", "/api/v1/orders/sync/"


def order(number: str = "SO-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "customer": "C-404",
        "ordered_at": "2026-06-01T10:00:00+08:00",
        "amount": "100.00",
        **values,
    }


@pytest.fixture
def keyed() -> tuple[ApiKey, APIClient]:
    key, secret = make_key()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", HTTP_ACCEPT_LANGUAGE="en")
    return key, client


def send(client: APIClient, body: Any, url: str = ORDERS) -> SyncCall:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert client.generic("POST", url, body, content_type="application/json").status_code == 200
    return SyncCall.objects.latest("pk")


def states(call: SyncCall) -> list[tuple[str, str]]:
    return list(call.records.order_by("index").values_list("external_id", "state"))


# --- keeping


def test_a_rejected_record_is_kept_as_it_was_sent(erp) -> None:
    odd = b'{"external_id": "SO-2",  "amount": 1e999, "unknown": [1.10, "\xe6\xb1\x9f\\u0000"]}'
    make_customer(external_id="C-1")
    good = json.dumps(order("SO-1", customer="C-1")).encode()
    call = send(erp, b"[" + good + b", " + odd + b", 7, NaN]")
    assert (call.received, call.created, call.rejected) == (4, 1, 3)
    kept = list(call.records.order_by("index"))
    assert [(one.index, one.external_id, one.body) for one in kept] == [
        (1, "SO-2", odd.decode()),
        (2, "", "7"),
        (3, "", "NaN"),
    ]
    assert all(one.errors and one.is_open for one in kept)


def test_a_bare_nul_in_a_line_breaks_nothing(erp) -> None:
    answer = erp.generic(
        "POST", ORDERS, b'{"external_id": "A\x00"}\n', content_type="application/x-ndjson"
    )
    assert (answer.status_code, answer.json()["rejected"]) == (200, 1)
    assert RejectedRecord.objects.get().body == '{"external_id": "A"}'


def test_nothing_is_asked_of_the_database_where_nothing_is_rejected(erp) -> None:
    make_customer(external_id="C-1")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        send(erp, [order(customer="C-1")])
    assert not [q for q in queries if "rejectedrecord" in q["sql"]]


def test_too_long_a_record_and_too_long_a_call_are_told_but_not_kept(erp, monkeypatch) -> None:
    monkeypatch.setattr(sync_audit, "MOST_OF_CALL", 1000)
    long = order("SO-1", promotion="x" * 700)
    call = send(erp, [long, order("SO-2"), order("SO-3"), order("SO-4", promotion="y" * 70_000)])
    assert [bool(one.body) for one in call.records.order_by("index")] == [True, True, False, False]
    assert call.records.sendable().count() == 2


def test_of_a_record_rejected_every_minute_the_last_one_is_kept(keyed) -> None:
    _key, client = keyed
    _other, secret = make_key()
    other = APIClient()
    other.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    first, others = send(client, [order("SO-1"), order("SO-2")]), send(other, [order("SO-1")])
    last = send(client, [order("SO-1", amount="2.00")])
    assert states(first) == [("SO-1", "repeated"), ("SO-2", "open")]
    assert first.records.get(external_id="SO-1").body == ""
    assert states(last) == states(others) == [("SO-1", "open")]


def test_ten_thousand_rejected_records_take_a_few_statements(erp) -> None:
    body = [order(f"SO-{n}") for n in range(10_000)]
    with CaptureQueriesContext(connection) as queries:
        call = send(erp, body)
    assert len(queries) < 30
    assert call.records.sendable().count() == 10_000


def test_rejected_records_go_after_ninety_days(erp) -> None:
    old, new = send(erp, [order("SO-1")]), send(erp, [order("SO-2")])
    SyncCall.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=91))
    tasks.clear_rejected()
    assert list(RejectedRecord.objects.values_list("call", flat=True)) == [new.pk]
    assert SyncCall.objects.get(pk=old.pk).rejected == 1


# --- sending again


def test_what_was_rejected_goes_in_once_its_cause_is_put_right(keyed, administrator) -> None:
    key, client = keyed
    call = send(client, [order("SO-1"), order("SO-2", customer="C-405"), order("SO-3")])
    make_customer(external_id="C-404")
    sent = resending.send_again(call=call, by=administrator, now=timezone.now())
    assert (sent.taken, sent.stale, sent.rejected) == (2, 0, 1)
    assert states(call) == [("SO-1", "created"), ("SO-2", "open"), ("SO-3", "created")]
    again = SyncCall.objects.get(again_of=call)
    assert (again.created, again.rejected, again.key) == (2, 1, None)
    assert (again.actor, again.actor_name) == (administrator, administrator.display_name)
    entries = AuditEntry.objects.filter(model="orders.order")
    assert {(e.actor, e.key, e.through) for e in entries} == {(administrator, None, "sync")}
    assert not again.records.exists()
    twice = resending.send_again(call=call, by=administrator, now=timezone.now())
    assert (twice.taken, twice.rejected) == (0, 1)
    assert Order.objects.count() == 2
    assert key.allows("orders:write")


def test_it_is_sent_in_the_sight_of_the_keys_account(administrator, rep) -> None:
    _key, secret = make_key(rep)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", HTTP_ACCEPT_LANGUAGE="en")
    hidden = make_customer(external_id="C-1", name="Hidden", owner=make_user())
    call = send(client, [{"external_id": "C-1", "name": "Mine"}], CUSTOMERS)
    sent = resending.send_again(call=call, by=administrator, now=timezone.now())
    assert sent.rejected == 1
    hidden.refresh_from_db()
    assert hidden.name == "Hidden"
    hidden.owner = rep
    hidden.save()
    Customer.objects.update(updated_at=call.at - timedelta(days=1))
    assert resending.send_again(call=call, by=administrator, now=timezone.now()).taken == 1
    hidden.refresh_from_db()
    assert (hidden.name, hidden.owner) == ("Mine", rep)


@pytest.mark.parametrize("timed", [True, False])
def test_a_record_that_was_overtaken_is_stale(keyed, administrator, timed: bool) -> None:
    _key, client = keyed
    make_customer(external_id="C-1")
    older = {"source_updated_at": "2026-06-01T08:00:00Z"} if timed else {}
    newer = {"source_updated_at": "2026-06-02T08:00:00Z"} if timed else {}
    call = send(client, [order(**older)])
    send(client, [order(customer="C-1", amount="7.00", **newer)])
    make_customer(external_id="C-404")
    sent = resending.send_again(call=call, by=administrator, now=timezone.now())
    assert (sent.taken, sent.stale, sent.rejected) == (0, 1, 0)
    assert states(call) == [("SO-1", "stale")]
    assert str(Order.objects.get().amount) == "7.00"


def test_numbers_sent_twice_in_a_call_are_rivals_when_sent_again(keyed, administrator) -> None:
    _key, client = keyed
    call = send(client, [order(amount="1.00"), order(amount="2.00")])
    make_customer(external_id="C-404")
    resending.send_again(call=call, by=administrator, now=timezone.now())
    assert states(call) == [("SO-1", "stale"), ("SO-1", "created")]
    assert str(Order.objects.get().amount) == "2.00"


def refused(call: SyncCall, by: User) -> str:
    with pytest.raises(ValidationError) as no:
        resending.send_again(call=call, by=by, now=timezone.now())
    assert states(call)[0][1] == RejectedState.OPEN
    return str(no.value.code)


def test_who_may_not_write_such_records_sends_none(keyed, administrator, director) -> None:
    key, client = keyed
    call = send(client, [order()])
    make_customer(external_id="C-404")
    assert refused(call, director) == "not_sendable"
    key.user.role = Role.REP
    key.user.save()
    assert refused(SyncCall.objects.get(pk=call.pk), administrator) == "not_sendable"
    key.user.role = Role.INTEGRATION
    key.user.save()
    key.revoke(timezone.now())
    assert refused(SyncCall.objects.get(pk=call.pk), administrator) == "not_sendable"
    assert not Order.objects.exists()


def test_a_call_for_all_or_nothing_is_not_sent_in_parts(keyed, administrator) -> None:
    _key, client = keyed
    client.post(f"{ORDERS}?atomic=true", [order()], format="json")
    call = SyncCall.objects.get()
    assert refused(call, administrator) == "not_sendable"


STOCK: dict[str, dict[str, Any]] = {
    "stock-reports": {
        "external_id": "ST-1",
        "customer": "C-404",
        "reported_at": "2026-06-12T10:00:00+08:00",
        "lines": [{"product": "P-1", "batch": "B", "quantity": "5"}],
    },
    "sell-outs": {
        "external_id": "SELL-1",
        "customer": "C-404",
        "product": "P-1",
        "sold_at": "2026-06-12T10:00:00+08:00",
        "quantity": "5",
    },
}


@pytest.mark.parametrize("name", STOCK)
def test_p23_rejected_stock_is_corrected_and_sent_again(keyed, as_, administrator, name) -> None:
    _key, client = keyed
    make_product(external_id="P-1")
    url, sent = f"/api/v1/{name}/sync/", STOCK[name]
    waiting, wrong = (
        send(client, [sent], url),
        send(client, [{**sent, "external_id": "X", "customer": 5}], url),
    )
    customer = make_customer(external_id="C-404")
    assert resending.send_again(call=waiting, by=administrator, now=timezone.now()).taken == 1
    body = json.dumps({**sent, "external_id": "X"})
    page = f"/syncs/rejected/{wrong.records.get().pk}/"
    assert as_(administrator).post(page, {"body": body}).status_code == 302
    assert states(wrong) == [("X", "created")]
    model = ENDPOINTS[name].resource.model
    stored = model._default_manager.filter(customer=customer)
    assert sorted(stored.values_list("external_id", flat=True)) == [sent["external_id"], "X"]
    if name == "stock-reports":
        assert {str(q) for q in StockLine.objects.values_list("quantity", flat=True)} == {"5.000"}


# --- the pages


def test_a_record_is_corrected_on_its_page(as_, keyed, administrator) -> None:
    _key, client = keyed
    make_customer(external_id="C-1")
    call = send(client, [order(amount="1e999")])
    record = call.records.get()
    url, browser = f"/syncs/rejected/{record.pk}/", as_(administrator)
    page = browser.get(url).content.decode()
    assert "&quot;amount&quot;: &quot;1e999&quot;" in page
    answer = browser.post(url, {"body": json.dumps(order(amount="5.00", customer="C-9"))})
    assert answer.status_code == 422
    assert "No customer has external_id &#x27;C-9&#x27;." in answer.content.decode()
    record.refresh_from_db()
    assert (record.is_open, list(record.errors)) == (True, ["customer"])
    right = {"body": json.dumps(order(amount="5.00", customer="C-1"))}
    assert browser.post(url, right, follow=True).redirect_chain == [(f"/syncs/{call.pk}/", 302)]
    assert states(call) == [("SO-1", "created")]
    assert str(Order.objects.get().amount) == "5.00"
    twice = browser.post(url, right)
    assert "dealt with this record meanwhile" in twice.content.decode()
    assert SyncCall.objects.filter(again_of=call).count() == 2


@pytest.mark.parametrize(
    "body", ["", "[]", "7", "{", "[" * 60_000, '{"external_id": "\ud800"}', "x" * 70_000, "\x00"]
)
def test_nonsense_for_a_record_is_answered_politely(as_, keyed, administrator, body) -> None:
    _key, client = keyed
    call = send(client, [order()])
    record = call.records.get()
    data = urlencode({"body": body.encode("utf-8", "surrogatepass")})
    answer = as_(administrator).post(
        f"/syncs/rejected/{record.pk}/", data, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 422
    assert states(call)[0][1] == "open"


def test_a_call_is_sent_again_from_its_page(as_, keyed, administrator, compliance) -> None:
    _key, client = keyed
    call = send(client, [order("SO-1"), order("SO-2")])
    browser = as_(administrator)
    assert "2 records go through the sync" in browser.get(f"/syncs/{call.pk}/").content.decode()
    make_customer(external_id="C-404")
    page = browser.post(f"/syncs/{call.pk}/again/", follow=True).content.decode()
    assert "2 records are taken." in page
    page = browser.post(f"/syncs/{call.pk}/again/", follow=True).content.decode()
    assert "No record waits any more." in page
    assert browser.get(f"/syncs/{call.pk}/again/").status_code == 405
    record = call.records.first()
    assert record is not None
    stranger = as_(compliance)
    for url in (
        f"/syncs/{call.pk}/",
        f"/syncs/{call.pk}/rejected/",
        f"/syncs/rejected/{record.pk}/",
    ):
        assert stranger.get(url).status_code == 403
    assert stranger.post(f"/syncs/{call.pk}/again/").status_code == 403


def test_rejected_records_leave_as_a_file(as_, keyed, administrator) -> None:
    _key, client = keyed
    call = send(client, [order("=SO-1")])
    answer = as_(administrator).get(f"/syncs/{call.pk}/rejected/?format=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    _head, (index, number, why, state, body) = csv.reader(StringIO(text))
    assert (index, number, state) == ("0", "'=SO-1", "open")
    assert why == "customer: No customer has external_id 'C-404'."
    assert json.loads(body) == order("=SO-1")
    answer = as_(administrator).get(f"/syncs/{call.pk}/rejected/")
    assert b"".join(answer.streaming_content)[:2] == b"PK"


def test_the_calls_are_narrowed(as_, keyed, administrator) -> None:
    key, client = keyed
    rejected = send(client, [order()])
    other, secret = make_key()
    second = APIClient()
    second.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    good = send(second, [{"external_id": "C-1", "name": "One"}], CUSTOMERS)
    SyncCall.objects.filter(pk=good.pk).update(at=timezone.now() - timedelta(days=3))
    today = timezone.localdate()
    browser = as_(administrator)

    def found(query: str) -> list[int]:
        return [call.pk for call in browser.get(f"/syncs/?{query}").context["page"].rows]

    assert found("") == [good.pk, rejected.pk]
    assert found(f"key={key.pk}") == found("resource=orders") == [rejected.pk]
    assert found("rejected=true") == found(f"since={today}") == [rejected.pk]
    assert found(f"until={today - timedelta(days=1)}") == found("rejected=false") == [good.pk]
    assert found("key=x") == found("since=x") == []
    part = browser.get("/syncs/?rejected=true", headers={"HX-Request": "true"}).content.decode()
    assert "<h1>" not in part
    text = b"".join(browser.get(f"/syncs/export/?key={other.pk}&format=csv").streaming_content)
    assert [row[1:4] for row in csv.reader(StringIO(text.decode("utf-8-sig")))][1:] == [
        ["Customers", other.name, "1"]
    ]


def test_the_last_call_of_each_key_costs_the_same_however_many(
    as_, keyed, administrator, django_assert_num_queries
) -> None:
    _key, client = keyed
    send(client, [order("SO-1")])
    last = send(client, [order("SO-2")])
    browser = as_(administrator)
    with django_assert_num_queries(4):  # session, user, promises due, calls with their keys
        assert list(browser.get("/syncs/keys/").context["rows"]) == [last]
    _other, secret = make_key()
    second = APIClient()
    second.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    more = [
        send(second, [order("SO-3")]),
        send(second, [{"external_id": "C-1", "name": "One"}], CUSTOMERS),
    ]
    with django_assert_num_queries(4):
        rows = list(browser.get("/syncs/keys/").context["rows"])
    assert set(rows) == {last, *more}


def test_a_call_costs_the_same_however_much_it_rejected(
    as_, keyed, administrator, django_assert_max_num_queries
) -> None:
    _key, client = keyed
    browser = as_(administrator)
    one = send(client, [order("A")])
    with CaptureQueriesContext(connection) as queries:
        browser.get(f"/syncs/{one.pk}/")
    most = len(queries)
    call = send(client, [order(f"SO-{n}") for n in range(60)])
    with django_assert_max_num_queries(most):
        page = browser.get(f"/syncs/{call.pk}/")
    assert len(page.context["records"]) == 50


# --- many at once


def rejected_many(client: APIClient, number: int) -> SyncCall:
    return send(client, [order(f"SO-{n}") for n in range(number)])


@pytest.fixture
def in_chunks_of_two(monkeypatch) -> None:
    """Records go to a worker from three on, two to a transaction."""
    monkeypatch.setattr(resending, "CHUNK", 2)


def test_many_are_sent_by_a_job_that_a_double_click_starts_once(
    keyed, as_, administrator, in_chunks_of_two
) -> None:
    _key, client = keyed
    call = rejected_many(client, 5)
    make_customer(external_id="C-404")
    browser = as_(administrator)
    url = reverse("accounts:sync-again", args=[call.pk])
    answer = browser.post(url)
    assert browser.post(url)["Location"] == answer["Location"]
    job = JobRun.objects.get(kind="resend")
    assert answer["Location"] == reverse("accounts:run", args=[job.pk])
    assert not Order.objects.exists()
    tasks.resend_rejected(job_id=job.pk)
    assert Order.objects.count() == 5
    page = browser.get(answer["Location"]).content.decode()
    assert "5" in page
    assert reverse("accounts:sync", args=[call.pk]) in page
    assert {state for _name, state in states(call)} == {"created"}
    assert set(call.again.values_list("received", flat=True)) == {2, 1}
    assert AuditEntry.objects.filter(model="orders.order", actor=administrator).count() == 5


def test_a_worker_that_is_killed_loses_nothing_and_sends_nothing_twice(
    keyed, administrator, in_chunks_of_two, monkeypatch
) -> None:
    _key, client = keyed
    call = rejected_many(client, 5)
    make_customer(external_id="C-404")
    job = jobs.request(
        "resend", owner=administrator, parameters={"call": call.pk}, now=timezone.now()
    )
    some, sent = resending._send_some, iter([True])

    def killed(*args: Any, **kwargs: Any) -> None:
        if not next(sent, False):
            raise SystemExit
        some(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(resending, "_send_some", killed)
        with pytest.raises(SystemExit):
            tasks.resend_rejected(job_id=job.pk)
    assert Order.objects.count() == 2
    tasks.resend_rejected(job_id=job.pk)
    tasks.resend_rejected(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"taken": 5, "stale": 0, "rejected": 0})
    assert set(Order.objects.values_list("version", flat=True)) == {1}


def test_what_is_still_wrong_is_counted_and_waits(keyed, administrator, in_chunks_of_two) -> None:
    _key, client = keyed
    make_customer(external_id="C-1")
    call = send(client, [order("SO-1"), order("SO-2"), order("SO-3")])
    make_customer(external_id="C-404")
    record = call.records.get(external_id="SO-2")
    record.body = json.dumps(order("SO-2", amount="x"))
    record.save()
    job = jobs.request(
        "resend", owner=administrator, parameters={"call": call.pk}, now=timezone.now()
    )
    tasks.resend_rejected(job_id=job.pk)
    job.refresh_from_db()
    assert job.result == {"taken": 2, "stale": 0, "rejected": 1}
    assert [name for name, state in states(call) if state == "open"] == ["SO-2"]


def test_a_key_that_ended_meanwhile_ends_the_job_with_the_reason(
    keyed, administrator, in_chunks_of_two
) -> None:
    key, client = keyed
    call = rejected_many(client, 3)
    job = jobs.request(
        "resend", owner=administrator, parameters={"call": call.pk}, now=timezone.now()
    )
    key.revoked_at = timezone.now()
    key.save()
    tasks.resend_rejected(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "right")
    assert jobs.told(job)
