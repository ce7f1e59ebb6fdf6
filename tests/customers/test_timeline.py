"""The timeline: what all apps tell, page by page, and the file's own changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import translation

from accounts.audit import Through, acting
from accounts.models import User
from customers.models import Customer
from customers.timeline import Entry, Group, collect, files, sources, whole_moments
from tests.factories import local, make_order, make_product

START = datetime(2026, 6, 16, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def at(*hours: int) -> list[Entry]:
    return [
        Entry(at=START - timedelta(hours=hour), kind="x", icon="cube", title=f"{hour}")
        for hour in hours
    ]


@pytest.mark.parametrize(
    ("hours", "limit", "kept"),
    [
        ((1, 2, 3), 3, (1, 2, 3)),
        ((1, 2, 3, 4), 3, (1, 2, 3)),
        ((1, 2, 3, 3), 3, (1, 2)),
        ((1, 2, 2, 2, 2), 3, (1,)),
        ((1, 1, 1, 1), 3, ()),
    ],
)
def test_a_page_ends_between_two_moments(
    hours: tuple[int, ...], limit: int, kept: tuple[int, ...]
) -> None:
    assert whole_moments(at(*hours), limit) == at(*kept)


def test_turning_pages_loses_nothing_and_repeats_nothing(customer: Customer) -> None:
    for number in range(23):
        make_order(customer, ordered_at=local(2026, 1, 1 + number // 4))
    seen, before = [], None
    while True:
        page = collect(customer, before=before, limit=5, kind="order")
        seen += [entry.ref for entry in page.entries]
        before = page.older
        if before is None:
            break
    assert len(seen) == 23
    assert len(set(seen)) == 23


def test_more_things_at_one_moment_than_a_page_holds_are_shown_together(
    customer: Customer,
) -> None:
    for _number in range(9):
        make_order(customer, ordered_at=local(2026, 1, 1))
    page = collect(customer, before=None, limit=2, kind="order")
    assert len(page.entries) == 9
    assert page.older is None


def test_the_file_tells_who_changed_which_fields(customer: Customer, rep: User) -> None:
    with acting(user=rep, through=Through.PAGE):
        customer.phone = "0575-88888888"
        customer.address = "人民东路 1180 号"
        customer.save()
        customer.abc = "A"
        customer.save()
    entries = files.entries(customer, before=None, limit=10)
    assert [(entry.title, entry.text) for entry in entries] == [
        ("Rep changed the file", "address, phone"),
        ("Command made the file", ""),
    ]


def test_an_order_is_told_with_its_amount_and_lines(customer: Customer) -> None:
    product = make_product()
    make_order(customer, external_id="SO-1", lines=[(product, "2", "50"), (product, "1", "20.50")])
    make_order(customer, "300", external_id="SO-2", status="returned")
    make_order(customer, external_id="SO-3", status="draft")
    told = {e.ref: (e.title, e.text) for e in collect(customer, before=None, kind="order").entries}
    assert told == {
        "SO-1": ("Order ¥120.50", "Completed, 2 lines"),
        "SO-2": ("Return ¥300.00", "Returned"),
    }


def test_the_timeline_costs_the_same_however_much_happened(
    as_, rep: User, customer: Customer, django_assert_max_num_queries
) -> None:
    for number in range(40):
        make_order(customer, ordered_at=local(2026, 1, 1 + number // 2))
    client = as_(rep)
    with django_assert_max_num_queries(19):  # one for each source, and what the page itself asks
        answer = client.get(f"/customers/{customer.pk}/timeline/")
    assert answer.status_code == 200
    assert answer.content.count(b'class="ev"') >= 20


def test_htmx_gets_only_the_older_entries(as_, rep: User, customer: Customer) -> None:
    for number in range(40):
        make_order(customer, ordered_at=local(2026, 1, 1 + number // 2))
    client = as_(rep)
    url = f"/customers/{customer.pk}/timeline/"
    before = client.get(url, {"kind": "order"}).context["older"].isoformat()
    part = client.get(url, {"kind": "order", "before": before}, headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert part.content.count(b'class="ev"') == 10
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize(
    "query",
    [
        "before=x",
        "before=0001-01-01T00:00:00-12:00",
        "before=9999-12-31T23:59:59-12:00",
        "before=2026-01-01",
        "kind=nonsense",
        "before=%00&kind=%00",
    ],
)
def test_odd_addresses_show_a_page(as_, rep: User, customer: Customer, query: str) -> None:
    assert as_(rep).get(f"/customers/{customer.pk}/timeline/?{query}").status_code == 200


def test_a_strangers_timeline_is_not_there(as_, stranger: User, customer: Customer) -> None:
    client: Client = as_(stranger)
    assert client.get(f"/customers/{customer.pk}/timeline/").status_code == 404


def test_an_app_may_have_several_sources_and_their_kinds_are_filtered_by_group(
    customer: Customer, rep: User
) -> None:
    kinds = [source.KIND for source in sources()]
    assert len(set(kinds)) == len(kinds)
    assert {"file", "order", "tier", "visit"} <= set(kinds)
    assert set(kinds).isdisjoint(Group.values)  # one word in an address means one thing
    make_order(customer, ordered_at=local(2026, 1, 1))
    assert {e.kind for e in collect(customer, before=None, kind="trade").entries} == {"order"}
    assert {e.kind for e in collect(customer, before=None).entries} == {"order", "file"}


def test_the_filter_of_a_kind_marks_its_group(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    for kind, marked in (("order", "Orders and payments"), ("files", "File"), ("", "All")):
        page = client.get(f"/customers/{customer.pk}/timeline/", {"kind": kind})
        assert [str(tab.label) for tab in page.context["kinds"] if tab.current] == [marked]
