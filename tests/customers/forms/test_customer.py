"""Making and changing customer files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import make_customer, make_user


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def data(**changes: Any) -> dict[str, Any]:
    return {"name": "新客户", "kind": "dealer", "status": "prospect"} | changes


def sent(client: Client, customer: Customer, **changes: Any) -> Any:
    """The edit form as a browser sends it back, with some fields changed."""
    form = client.get(f"/customers/{customer.pk}/edit/").context["form"]
    values = {
        field.html_name: "" if field.value() is None else field.value()
        for field in form
        if field.value() is not False
    }
    return client.post(f"/customers/{customer.pk}/edit/", values | changes)


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["form"].errors)


def test_a_reps_new_customer_is_hers_and_in_the_audit_log(as_, rep: User) -> None:
    answer = as_(rep).post("/customers/new/", data(owner=make_user().pk))
    customer = Customer.objects.get()
    assert answer["Location"] == f"/customers/{customer.pk}/"
    assert customer.owner == rep
    entry = AuditEntry.objects.of(customer).get()
    assert (entry.actor, entry.action, entry.through) == (rep, "create", "page")


def test_every_field_is_kept(as_, manager: User, rep: User) -> None:
    above = make_customer(name="Above", external_id="C-1", owner=rep)
    as_(manager).post(
        "/customers/new/",
        data(
            name="🍜" + "长" * 199, external_id="C-2", owner=rep.pk, parent="C-1 Above",
            buyout="on", phone="0575-88888888", email="a@example.com", division="越城区",
            address="人民东路",
            latitude="30.001234", longitude="120.58", tax_id="91330602", founded_on="2001-02-03",
            tags="端午，KA, 端午、 茶 ", custom="仓库：800 m²\n\nopens: 08:30",
        ),
    )  # fmt: skip
    customer = Customer.objects.get(external_id="C-2")
    assert len(customer.name) == 200
    assert customer.parent == above
    assert customer.owner == rep
    assert customer.division == "330602"
    assert customer.tags == ["端午", "KA", "茶"]
    assert customer.custom == {"仓库": "800 m²", "opens": "08:30"}
    assert customer.founded_on == date(2001, 2, 3)
    assert customer.buyout


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": ""}, ("name", "required")),
        ({"name": "   "}, ("name", "required")),
        ({"name": "长" * 201}, ("name", "at most 200 characters (it has 201)")),
        ({"name": "a\x00b"}, ("name", "Null characters")),
        ({"kind": "x"}, ("kind", "valid choice")),
        ({"external_id": "TAKEN"}, ("external_id", "Another customer has this number already.")),
        ({"division": "990000"}, ("division", "No division has the code 990000.")),
        ({"division": "Atlantis"}, ("division", "No area is called “Atlantis”.")),
        ({"division": "鼓楼区"}, ("division", "More than one area")),
        ({"latitude": "91", "longitude": "1"}, ("latitude", "less than or equal to 90")),
        ({"latitude": "30"}, ("longitude", "both latitude and longitude")),
        ({"latitude": "NaN"}, ("latitude", "number")),
        ({"email": "x"}, ("email", "valid email")),
        ({"phone": "1380013800"}, ("phone", "A mobile number has 11 digits, now 10.")),
        ({"founded_on": "yesterday"}, ("founded_on", "valid date")),
        ({"tags": "x" * 31}, ("tags", "at most 30 characters")),
        ({"tags": ",".join(map(str, range(21)))}, ("tags", "At most 20 tags, now 21.")),
        ({"custom": "no colon here"}, ("custom", "has no colon")),
        ({"custom": "a: 1\na: 2"}, ("custom", "there twice")),
        ({"parent": "Nobody"}, ("parent", "None of the customers you see")),
        ({"parent": "Twin"}, ("parent", "More than one customer")),
        ({"parent": "Out of sight"}, ("parent", "None of the customers you see")),
        ({"parent": "#" + "9" * 40}, ("parent", "None of the customers you see")),
    ],
)
def test_wrong_input_is_named_beside_its_field_and_kept(
    as_, rep: User, stranger: User, changes: dict[str, str], error: tuple[str, str]
) -> None:
    make_customer(external_id="TAKEN", owner=stranger, name="Out of sight")
    make_customer(name="Twin", owner=rep)
    make_customer(name="Twin", owner=rep)
    field, words = error
    answer = as_(rep).post("/customers/new/", data(**changes))
    assert any(words in message for message in errors(answer)[field])
    assert answer.context["form"]["name"].value() == data(**changes)["name"]
    assert Customer.objects.count() == 3


def test_an_owner_is_chosen_among_the_people_in_sight(
    as_, manager: User, rep: User, stranger: User
) -> None:
    client = as_(manager)
    assert "owner" in errors(client.post("/customers/new/", data(owner=stranger.pk)))
    assert "owner" in errors(client.post("/customers/new/", data(owner="")))
    client.post("/customers/new/", data(owner=rep.pk))
    assert Customer.objects.get().owner == rep


def test_an_administrator_may_leave_a_file_without_an_owner(as_, administrator: User) -> None:
    as_(administrator).post("/customers/new/", data(owner=""))
    assert Customer.objects.get().owner is None


def test_a_rep_cannot_give_her_customer_away(
    as_, rep: User, stranger: User, customer: Customer
) -> None:
    sent(as_(rep), customer, owner=stranger.pk, phone="13800138000")
    customer.refresh_from_db()
    assert (customer.owner, customer.phone) == (rep, "+8613800138000")


def test_a_change_is_in_the_audit_log_and_on_the_file(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    assert sent(client, customer, phone="0575-85120001").status_code == 302
    entry = AuditEntry.objects.of(customer).order_by("-id").first()
    assert entry is not None
    assert (entry.before, entry.after) == ({"phone": ""}, {"phone": "+8657585120001"})
    assert "0575 8512 0001" in client.get(f"/customers/{customer.pk}/file/").content.decode()


def test_sending_the_form_unchanged_changes_nothing(as_, rep: User) -> None:
    customer = make_customer(
        owner=rep, division="500105", tags=["a", "b"], founded_on=date(2001, 2, 3),
        custom={"n": 3, "list": [1, 2], "s": "x: y"},
        parent=make_customer(name="Above", external_id=None, owner=rep),
    )  # fmt: skip
    before = AuditEntry.objects.of(customer).count()
    assert sent(as_(rep), customer).status_code == 302
    assert AuditEntry.objects.of(customer).count() == before


def test_a_phone_that_nobody_could_read_does_not_stand_in_the_way(as_, rep: User) -> None:
    customer = make_customer(owner=rep, phone="0575-85123456/7")
    client = as_(rep)
    assert sent(client, customer, address="Mine").status_code == 302
    assert "phone" in errors(sent(client, customer, phone="0575-85123456/8"))
    customer.refresh_from_db()
    assert (customer.phone, customer.address) == ("0575-85123456/7", "Mine")


def test_a_supplier_out_of_sight_is_kept(
    as_, rep: User, stranger: User, customer: Customer
) -> None:
    customer.parent = make_customer(owner=stranger)
    customer.save()
    sent(as_(rep), customer, phone="13800138000", parent="")
    customer.refresh_from_db()
    assert customer.parent is not None


def test_no_customer_supplies_itself_or_what_is_above_it(as_, rep: User) -> None:
    top = make_customer(name="Top", owner=rep)
    low = make_customer(name="Low", owner=rep, parent=top)
    client = as_(rep)
    assert "parent" in errors(sent(client, top, parent="Low"))
    assert "parent" in errors(sent(client, low, parent="Low"))


def test_the_second_of_two_editors_is_told_what_the_first_changed(
    rep: User, manager: User, customer: Customer
) -> None:
    first, second = Client(), Client()
    first.force_login(rep)
    second.force_login(manager)
    stale = second.get(f"/customers/{customer.pk}/edit/").context["form"]["version"].value()
    sent(first, customer, phone="0575-85120001")
    answer = sent(second, customer, address="Mine", version=stale)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "Phone" in body
    assert "+8657585120001" in body
    assert 'value="Mine"' in body
    customer.refresh_from_db()
    assert (customer.phone, customer.address) == ("+8657585120001", "")
    version = answer.context["form"]["version"].value()
    again = sent(second, customer, address="Mine", version=version)
    assert again.status_code == 302
    customer.refresh_from_db()
    assert customer.address == "Mine"


def test_a_tier_run_in_between_is_no_conflict(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    stale = client.get(f"/customers/{customer.pk}/edit/").context["form"]["version"].value()
    customer.abc = "A"
    customer.save()
    assert sent(client, customer, phone="13800138000", version=stale).status_code == 302
    customer.refresh_from_db()
    assert (customer.abc, customer.phone) == ("A", "+8613800138000")


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999"])
def test_an_odd_version_is_no_crash(as_, rep: User, customer: Customer, version: str) -> None:
    assert sent(as_(rep), customer, phone="13800138000", version=version).status_code in (200, 302)


def test_editing_costs_the_same_however_many_customers_there_are(
    as_, rep: User, customer: Customer, django_assert_max_num_queries
) -> None:
    for _number in range(30):
        make_customer(owner=rep)
    client = as_(rep)
    with django_assert_max_num_queries(7):
        client.get(f"/customers/{customer.pk}/edit/")
