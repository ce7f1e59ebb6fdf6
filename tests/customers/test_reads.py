"""Who read and who changed a customer's file (P6)."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from accounts.roles import Role
from customers import filelog, reads
from customers.filelog import Kind
from customers.models import Contact, Customer, FileRead, Profile
from tests.factories import local, make_customer, make_key, make_user

BOTH = frozenset(Kind)
HTMX = {"HX-Request": "true"}


def days(customer: Customer) -> list[tuple[str, date, int]]:
    found = FileRead.objects.filter(customer=customer).order_by("on", "reader__username")
    return [(read.reader.username, read.on, read.times) for read in found]


def test_p6_a_reader_has_one_row_for_each_day(
    customer: Customer, rep: User, manager: User, django_assert_num_queries
) -> None:
    for reader, moment in (
        (rep, local(2026, 6, 16, 9)),
        (manager, local(2026, 6, 16, 10)),
        (rep, local(2026, 6, 16, 23, 59)),
        (rep, local(2026, 6, 16, 8)),
        (rep, local(2026, 6, 17, 0, 1)),
    ):
        with django_assert_num_queries(1):
            reads.note(customer.pk, reader_id=reader.pk, now=moment)
    assert days(customer) == [
        ("manager", date(2026, 6, 16), 1),
        ("rep", date(2026, 6, 16), 3),
        ("rep", date(2026, 6, 17), 1),
    ]
    first = FileRead.objects.get(reader=rep, on=date(2026, 6, 16))
    assert (first.first_at, first.last_at) == (local(2026, 6, 16, 9), local(2026, 6, 16, 23, 59))
    assert reads.readers_since(customer, date(2026, 6, 17)) == 1
    assert reads.readers_since(customer, date(2026, 6, 1)) == 2


def test_a_file_that_has_gone_meanwhile_is_no_error(rep: User) -> None:
    reads.note(999_999, reader_id=rep.pk, now=local(2026, 6, 16))
    assert not FileRead.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_openings_at_one_moment_all_count() -> None:
    reader = make_user()
    customer = make_customer(owner=reader)
    start = Barrier(4)

    def read() -> None:
        start.wait()
        for _number in range(5):
            reads.note(customer.pk, reader_id=reader.pk, now=local(2026, 6, 16, 9))
        connection.close()

    threads = [Thread(target=read) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert FileRead.objects.get().times == 20


def test_old_reads_are_cleared(customer: Customer, rep: User) -> None:
    today = date(2026, 6, 16)
    for ago in (0, 10, 11):
        at = local(2026, 6, 16, 12) - timedelta(days=ago)
        reads.note(customer.pk, reader_id=rep.pk, now=at)
    assert reads.clear(today=today, days=10) == 1
    assert [on for _who, on, _times in days(customer)] == [date(2026, 6, 6), today]


def test_p6_the_api_notes_the_reader_of_one_file_but_not_of_a_list(erp, customer: Customer) -> None:
    erp.get("/api/v1/customers/")
    assert not FileRead.objects.exists()
    erp.get(f"/api/v1/customers/{customer.pk}/")
    erp.get(f"/api/v1/customers/{customer.pk}/profile/")
    assert FileRead.objects.get(customer=customer).times == 2


def test_p6_the_log_tells_reads_and_changes_newest_first(
    as_, rep: User, manager: User, customer: Customer
) -> None:
    client = as_(rep)
    client.post(f"/customers/{customer.pk}/profile/", {"staff_count": "12"})
    contact = Contact.objects.create(customer=customer, name="Wang")
    contact.likes = "tea"
    contact.save()
    client.get(f"/customers/{customer.pk}/file/")
    body = as_(manager).get(f"/customers/{customer.pk}/log/").content.decode()
    for shown in ("Rep read the file", "Staff: 12", "“Wang”", "tea", "Rep changed the file"):
        assert shown in body
    lines, _older = filelog.page(customer, manager, kinds=BOTH)
    assert [one.at for one in lines] == sorted((one.at for one in lines), reverse=True)


@pytest.mark.parametrize(
    ("role", "tells"),
    [
        (Role.SERVICE, False),
        (Role.FINANCE, False),
        (Role.DIRECTOR, True),
        (Role.COMPLIANCE, True),
        (Role.ADMINISTRATOR, True),
    ],
)
def test_p6_who_else_reads_is_told_to_those_who_watch(
    as_, manager: User, customer: Customer, role: str, tells: bool
) -> None:
    rep = customer.owner
    as_(rep).get(f"/customers/{customer.pk}/")
    for user, may in ((make_user(role=role), tells), (rep, False), (manager, True)):
        client = as_(user)
        for page in ("log/", "log/?kind=read", "log/export/?format=csv"):
            answer = client.get(f"/customers/{customer.pk}/{page}")
            parts = getattr(answer, "streaming_content", None)
            body = (b"".join(parts) if parts else answer.content).decode()
            told = "Rep read" in body or ",Rep,read," in body
            assert told == may, (user, page)
        overview = client.get(f"/customers/{customer.pk}/").content.decode()
        assert ("this month" in overview) == may


def test_the_log_is_turned_page_by_page_without_loss(customer: Customer, manager: User) -> None:
    for number in range(30):
        reads.note(customer.pk, reader_id=make_user().pk, now=local(2026, 6, 1, 9, number))
        customer.phone = str(number)
        customer.save()
    whole, _older = filelog.page(customer, manager, kinds=BOTH, limit=200)
    seen = []
    before = None
    while True:
        lines, before = filelog.page(customer, manager, kinds=BOTH, before=before, limit=7)
        seen += lines
        if before is None:
            break
    assert [(one.at, one.title) for one in seen] == [(one.at, one.title) for one in whole]
    assert len(seen) == 61


def test_the_log_costs_the_same_however_long_it_is(
    as_, manager: User, customer: Customer, django_assert_max_num_queries
) -> None:
    Profile.objects.create(customer=customer)
    for number in range(20):
        Contact.objects.create(customer=customer, name=f"Person {number}")
        customer.phone = str(number)
        customer.save()
        reads.note(customer.pk, reader_id=make_user().pk, now=local(2026, 6, 1, 9, number))
    client = as_(manager)
    with django_assert_max_num_queries(18):
        client.get(f"/customers/{customer.pk}/log/")
    with django_assert_max_num_queries(13):
        client.get(f"/customers/{customer.pk}/log/", headers=HTMX)


def test_the_export_has_a_row_for_each_field(as_, manager: User, customer: Customer) -> None:
    customer.phone, customer.email = "=1+1", "a@example.com"
    customer.save()
    reads.note(customer.pk, reader_id=manager.pk, now=local(2026, 6, 16, 9))
    answer = as_(manager).get(f"/customers/{customer.pk}/log/export/?format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    changed = {row["Field"]: row["After"] for row in rows if row["What"] == "changed"}
    assert changed == {"Phone": "'=1+1", "E-mail": "a@example.com"}
    assert [row["Times"] for row in rows if row["What"] == "read"] == ["1"]


@pytest.mark.parametrize("query", ["kind=x", "before=x", "before=0001-01-01T00:00:00Z", "kind=%00"])
def test_odd_addresses_show_the_log(as_, manager: User, customer: Customer, query: str) -> None:
    assert as_(manager).get(f"/customers/{customer.pk}/log/?{query}").status_code == 200


def test_an_a_customer_without_an_owner_is_named(
    as_, director: User, rep: User, customer: Customer
) -> None:
    Customer.objects.filter(pk=customer.pk).update(abc="A")
    body = as_(director).get(f"/customers/{customer.pk}/").content.decode()
    assert "Relationship manager" in body
    Customer.objects.filter(pk=customer.pk).update(owner=None)
    for page in ("", "file/"):
        body = as_(director).get(f"/customers/{customer.pk}/{page}").content.decode()
        assert "nobody answers for it" in body


def test_a_key_that_reads_for_a_rep_is_noted_as_the_rep(customer: Customer, rep: User) -> None:
    _key, secret = make_key(rep, scopes=["customers:read"])
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    client.get(f"/api/v1/customers/{customer.pk}/")
    assert FileRead.objects.get().reader == rep
