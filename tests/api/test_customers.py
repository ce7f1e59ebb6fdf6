"""The customers resource: what an integration and a browser script may do with it."""

from __future__ import annotations

from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import local, make_customer, make_key, make_order, make_visit

pytestmark = pytest.mark.django_db
LIST = "/api/v1/customers/"
FULL = {
    "external_id": "C-100",
    "name": "绍兴越州副食品有限公司",
    "kind": "distributor",
    "status": "active",
    "parent": "C-1",
    "owner": "rep",
    "division": "330602",
    "address": "浙江省绍兴市越城区解放北路 1 号",
    "latitude": "30.000210",
    "longitude": "120.586100",
    "phone": "+8657585120000",
    "email": "boss@example.cn",
    "tax_id": "91330602MA2XXXXX0X",
    "founded_on": "2008-03-01",
    "buyout": True,
    "tags": ["陈列", "冷柜"],
    "custom": {"门头": "3 米", "staff": 12},
    "source_updated_at": "2026-06-01T10:00:00+08:00",
}


@pytest.fixture(autouse=True)
def _english(erp: APIClient) -> None:
    erp.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def browser(rep: User) -> APIClient:
    """The rep's own browser."""
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_login(rep)
    return client


def test_a_file_comes_back_as_it_was_sent(erp, rep) -> None:
    make_customer(external_id="C-1")
    answer = erp.post(LIST, FULL)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {name: body[name] for name in FULL} == FULL
    assert answer["Location"].endswith(f"{LIST}{body['id']}/")
    assert body["abc"] is None
    assert body["loyalty"] is None
    assert body["key_account"] is False
    assert set(body["tiers"]) == {"abc", "loyalty", "score", "reason", "as_of"}
    assert body["completeness"] == 36
    assert erp.get(answer["Location"]).json() == body


def test_a_phone_comes_back_as_e164_and_what_is_none_is_refused(erp) -> None:
    answer = erp.post(LIST, {"name": "A", "phone": "（0575）8512 3456 转 801"})
    assert answer.json()["phone"] == "+8657585123456;ext=801"
    refused = erp.post(LIST, {"name": "A", "phone": "1380013800"})
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"phone": ["A mobile number has 11 digits, now 10."]}


def test_a_phone_that_nobody_could_read_may_be_sent_back(erp) -> None:
    customer = make_customer(phone="0575-85123456/7")
    url = f"{LIST}{customer.pk}/"
    body = erp.get(url).json()
    assert erp.put(url, {"name": body["name"], "phone": body["phone"]}).status_code == 200
    assert erp.patch(url, {"phone": "0575-85123456/8"}).status_code == 400


def test_a_name_is_enough(erp) -> None:
    body = erp.post(LIST, {"name": " 越州 "}).json()
    assert body["name"] == "越州"
    assert (body["external_id"], body["kind"], body["status"]) == (None, "dealer", "prospect")
    assert body["completeness"] == 0


def test_files_without_a_number_do_not_clash(erp) -> None:
    assert erp.post(LIST, {"name": "a", "external_id": ""}).status_code == 201
    assert erp.post(LIST, {"name": "b", "external_id": ""}).status_code == 201
    assert set(Customer.objects.values_list("external_id", flat=True)) == {None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", None),
        ("name", ["x"]),
        ("kind", "shop"),
        ("status", "asleep"),
        ("parent", "C-404"),
        ("parent", {"id": 1}),
        ("owner", "nobody"),
        ("owner", "finance"),
        ("division", "12"),
        ("division", "999999"),
        ("latitude", "91"),
        ("latitude", "NaN"),
        ("latitude", "1e999999999"),
        ("longitude", "-180.1"),
        ("email", "nowhere"),
        ("founded_on", "2026-02-30"),
        ("founded_on", "0001-01-01"),
        ("founded_on", "9999-12-31"),
        ("buyout", "perhaps"),
        ("tags", "冷柜"),
        ("tags", ["x" * 51]),
        ("custom", []),
        ("custom", {"a": "x" * 30_000}),
        ("source_updated_at", "2026-06-01T10:00:00"),
        ("source_updated_at", "0001-01-01T00:00:00+08:00"),
        ("source_updated_at", "9999-12-31T23:59:59-08:00"),
        ("source_updated_at", 1),
        ("external_id", "x" * 101),
    ],
)
def test_a_wrong_value_is_refused_under_its_field(erp, rep, finance, field, value) -> None:
    answer = erp.post(LIST, {"name": "x", field: value})
    assert answer.status_code == 400, answer.content
    assert [name.split(".")[0] for name in answer.json()["errors"]] == [field]
    assert not Customer.objects.exists()


def test_an_unknown_reference_is_named(erp) -> None:
    errors = erp.post(LIST, {"name": "x", "parent": "C-404", "owner": "who"}).json()["errors"]
    assert errors == {
        "parent": ["No customer has external_id 'C-404'."],
        "owner": ["No user has username 'who'."],
    }


def test_a_number_is_taken_once(erp, customer) -> None:
    answer = erp.post(LIST, {"name": "x", "external_id": customer.external_id})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["external_id"]


def test_nobody_is_supplied_by_itself_or_by_one_below(erp, customer) -> None:
    below = make_customer(parent=customer)
    for parent in (customer, below):
        answer = erp.patch(f"{LIST}{customer.pk}/", {"parent": parent.external_id})
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["parent"]


def test_a_ring_of_suppliers_that_is_there_already_hangs_nobody(erp, customer) -> None:
    other = make_customer(parent=customer)
    Customer.objects.filter(pk=customer.pk).update(parent=other)
    answer = erp.post(LIST, {"name": "x", "parent": other.external_id})
    assert list(answer.json()["errors"]) == ["parent"]


def test_read_only_fields_stay(erp, customer) -> None:
    answer = erp.patch(f"{LIST}{customer.pk}/", {"abc": "A", "id": 7, "completeness": 100})
    assert answer.status_code == 200
    customer.refresh_from_db()
    assert customer.abc is None


def test_a_change_is_guarded_by_the_version_that_was_read(erp, customer) -> None:
    url = f"{LIST}{customer.pk}/"
    read = erp.get(url)["ETag"]
    assert read == '"v1"'
    changed = erp.patch(url, {"address": " 1 "}, headers={"If-Match": read})
    assert (changed.status_code, changed["ETag"], changed.json()["address"]) == (200, '"v2"', "1")
    late = erp.patch(url, {"address": "2"}, headers={"If-Match": read})
    assert late.status_code == 412
    assert late["Content-Type"] == "application/problem+json"
    customer.refresh_from_db()
    assert (customer.address, customer.version) == ("1", 2)
    assert erp.patch(url, {"address": "3"}, headers={"If-Match": "*"}).status_code == 200
    assert erp.patch(url, {"address": "4"}).status_code == 200


def test_an_etag_that_compression_weakened_still_guards(erp, customer) -> None:
    url = f"{LIST}{customer.pk}/"
    read = erp.get(url, headers={"Accept-Encoding": "gzip"})["ETag"]
    assert read.startswith("W/")
    assert erp.patch(url, {"address": "1"}, headers={"If-Match": read}).status_code == 200
    assert erp.patch(url, {"address": "2"}, headers={"If-Match": read}).status_code == 412


def test_what_is_sent_again_unchanged_is_not_written(erp, customer) -> None:
    url = f"{LIST}{customer.pk}/"
    body = erp.get(url).json()
    entries = AuditEntry.objects.count()
    answer = erp.put(url, body)
    assert (answer.status_code, answer["ETag"]) == (200, '"v1"')
    assert answer.json() == body
    assert AuditEntry.objects.count() == entries


def test_a_write_is_in_the_audit_log_under_the_name_of_the_key() -> None:
    key, secret = make_key()
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    pk = client.post(LIST, {"name": "x"}).json()["id"]
    client.patch(f"{LIST}{pk}/", {"address": "1"})
    made, changed = AuditEntry.objects.filter(model="customers.customer").order_by("id")
    assert (made.actor_name, made.through, made.action) == (key.name, "api", "create")
    assert (made.key, made.actor) == (key, key.user)
    assert (changed.before, changed.after) == ({"address": ""}, {"address": "1"})


def test_a_write_from_the_browser_is_under_the_persons_name(browser, rep, customer) -> None:
    browser.patch(f"{LIST}{customer.pk}/", {"address": "1"})
    entry = AuditEntry.objects.filter(model="customers.customer").latest("id")
    assert (entry.actor, entry.key, entry.through) == (rep, None, "api")


def test_a_stranger_finds_nothing(customer, stranger) -> None:
    client = APIClient()
    client.force_login(stranger)
    assert client.get(LIST).json()["results"] == []
    url = f"{LIST}{customer.pk}/"
    for answer in (
        client.get(url),
        client.patch(url, {"name": "mine"}),
        client.put(url, {"name": "mine"}),
        client.get(f"{url}timeline/"),
        client.get(f"{url}stats/"),
    ):
        assert answer.status_code == 404
    answer = client.post(LIST, {"name": "x", "parent": customer.external_id})
    assert answer.status_code == 400


def test_her_manager_sees_what_the_rep_sees(customer, manager) -> None:
    client = APIClient()
    client.force_login(manager)
    assert [row["id"] for row in client.get(LIST).json()["results"]] == [customer.pk]


def test_a_reps_new_customer_is_her_own(browser, rep) -> None:
    assert browser.post(LIST, {"name": "x"}).json()["owner"] == "rep"


def test_only_a_manager_hands_a_customer_over(browser, customer, manager) -> None:
    url = f"{LIST}{customer.pk}/"
    assert browser.patch(url, {"owner": None}).status_code == 403
    assert browser.patch(url, {"owner": "rep"}).status_code == 200
    browser.force_login(manager)
    assert browser.patch(url, {"owner": "manager"}).json()["owner"] == "manager"


@pytest.mark.parametrize("tie", ["parent", "group_head"])
def test_a_customer_above_that_is_out_of_sight_is_neither_shown_nor_lost(browser, rep, tie) -> None:
    """P25: what stands above shows only to who may see it."""
    hidden = make_customer(external_id="HIDDEN")
    seen = make_customer(owner=rep, external_id="SEEN")
    mine = make_customer(owner=rep, **{tie: hidden})
    url = f"{LIST}{mine.pk}/"
    body = browser.get(url).json()
    assert body[tie] is None
    assert "HIDDEN" not in str(browser.get(LIST).json())
    assert browser.put(url, {**body, "address": "1"}).json()["address"] == "1"
    assert browser.patch(url, {tie: None}).status_code == 200
    for guess in ("HIDDEN", "C-404"):
        answer = browser.patch(url, {tie: guess})
        assert answer.status_code == 400
        assert answer.json()["errors"] == {tie: [f"No customer has external_id '{guess}'."]}
    answer = browser.patch(url, {tie: "SEEN"})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [tie]
    mine.refresh_from_db()
    assert getattr(mine, tie) == hidden
    make_customer(owner=rep, **{tie: seen})
    for number, found in (("HIDDEN", 0), ("SEEN", 1), ("C-404", 0)):
        assert len(browser.get(f"{LIST}?{tie}={number}").json()["results"]) == found


def test_a_customer_above_that_is_in_sight_can_be_taken_away(browser, rep) -> None:
    mine = make_customer(owner=rep, parent=make_customer(owner=rep, external_id="SEEN"))
    url = f"{LIST}{mine.pk}/"
    assert browser.get(url).json()["parent"] == "SEEN"
    assert browser.patch(url, {"parent": None}).json()["parent"] is None
    mine.refresh_from_db()
    assert mine.parent is None


def test_a_list_costs_the_same_for_one_and_for_many(
    erp, rep, settings, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own
    parent = make_customer()
    make_customer(owner=rep, parent=parent)
    erp.get(LIST)  # notes that the key was used
    with django_assert_max_num_queries(7) as few:  # key, page, parents, owners, run, findings, gaps
        erp.get(LIST)
        needed = len(few)
    for _ in range(5):
        make_customer(owner=rep, parent=parent)
    with django_assert_num_queries(needed):
        assert len(erp.get(LIST).json()["results"]) == 7


def test_filters_are_those_of_the_page(erp, rep) -> None:
    a = make_customer(owner=rep, kind="outlet", abc="A", name="越州酒业", tags=["冷柜"])
    make_customer(kind="dealer", name="其他")
    for query in ("kind=outlet", "abc=A", "owner=rep", "search=越州", "tag=冷柜"):
        body = erp.get(f"{LIST}?{query}").json()
        assert [row["id"] for row in body.get("results", [])] == [a.pk], (query, body)


def test_stats_count_what_counts(erp, customer) -> None:
    make_order(customer, 100, ordered_at=local(2024, 1, 1, 9), external_id="old")
    make_order(customer, 200, ordered_at=local(2026, 6, 1, 0))
    make_order(customer, 50, ordered_at=local(2026, 6, 11, 23, 59), status="shipped")
    make_order(customer, 30, ordered_at=local(2026, 6, 12), status="returned")
    make_order(customer, 999, status="cancelled")
    make_order(customer, 999, status="draft")
    make_order(amount=999)
    with time_machine.travel(local(2026, 6, 16, 12), tick=False):
        body = erp.get(f"{LIST}{customer.pk}/stats/").json()
    assert body == {
        "as_of": "2026-06-16",
        "order_count": 3,
        "net_amount": "320.00",
        "window_from": "2025-06-17",
        "window_order_count": 2,
        "window_net_amount": "220.00",
        "first_ordered_on": "2024-01-01",
        "last_ordered_on": "2026-06-11",
        "days_since_last_order": 5,
        "average_interval_days": 446.0,
    }


def test_stats_of_a_customer_without_orders(erp, customer) -> None:
    body = erp.get(f"{LIST}{customer.pk}/stats/").json()
    assert (body["order_count"], body["net_amount"]) == (0, "0.00")
    assert (body["last_ordered_on"], body["average_interval_days"]) == (None, None)


def test_the_timeline_is_read_page_by_page(erp, customer, rep) -> None:
    make_visit(customer, rep, status="done", closed_at=local(2026, 6, 16, 11))
    customer.address = "1"
    customer.save()
    url: str | None = f"{LIST}{customer.pk}/timeline/?page_size=1"
    whole = erp.get(f"{LIST}{customer.pk}/timeline/").json()
    assert whole["next"] is None
    pages = []
    while url:
        body = erp.get(url).json()
        pages += body["results"]
        url = body["next"]
    assert pages == whole["results"]
    assert [entry["at"] for entry in pages] == sorted((e["at"] for e in pages), reverse=True)
    assert {"file"} <= {entry["kind"] for entry in pages}
    only = erp.get(f"{LIST}{customer.pk}/timeline/?kind=file").json()["results"]
    assert {entry["kind"] for entry in only} == {"file"}
    for query in ("before=x", "kind=x", "page_size=0"):
        assert erp.get(f"{LIST}{customer.pk}/timeline/?{query}").status_code == 400


def test_money_never_passes_through_a_float(erp, customer) -> None:
    make_order(customer, Decimal("999999999999.99"))
    make_order(customer, Decimal("0.01"))
    assert erp.get(f"{LIST}{customer.pk}/stats/").json()["net_amount"] == "1000000000000.00"


def test_an_anonymous_visitor_is_401_everywhere(client: Client, customer) -> None:
    for path in (LIST, f"{LIST}{customer.pk}/", f"{LIST}{customer.pk}/stats/"):
        assert client.get(path).status_code == 401
