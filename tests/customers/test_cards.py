"""Index cards: no writer leaves one that is out of date, and those that are, are found."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import User
from customers import cards
from customers.models import Contact, Customer, IndexCard
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


def stale() -> dict[int, cards.Content]:
    return cards.differing(list(Customer.objects.values_list("pk", flat=True)))


def test_a_card_holds_all_that_people_search_by() -> None:
    card = cards.content(
        cards.Source(
            "绿城商贸",
            "K-1",
            "91AB",
            "+8657585123456;ext=8",
            "",
            "",
            [("李强", "13900001111")],
            ["Old-2"],
        )
    )
    assert card.text.split("\n") == [
        "绿城商贸", "lvchengshangmao", "lcsm", "k-1", "old-2", "91ab", "李强", "057585123456",
        "13900001111",
    ]  # fmt: skip
    assert card.name_key
    assert card.phone_key
    assert not card.address_key
    assert not card.place


@pytest.mark.parametrize(
    ("address", "division", "line"),
    [
        ("解放北路 12 号", "330602", "浙江省绍兴市越城区解放北路12号"),
        ("绍兴市越城区解放北路12号", "330602", "浙江省绍兴市越城区解放北路12号"),
        ("紹興市越城區", "", "绍兴市越城区"),
        ("", "3306", "浙江省绍兴市"),
        ("No. 12 Jiefang Road", "", "no.12jiefangroad"),
        ("", "", ""),
    ],
)
def test_a_card_says_where_the_customer_is(address: str, division: str, line: str) -> None:
    assert cards.whereabouts(address, division) == line


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("+8613812345678", ["13812345678"]),
        ("+8657585123456;ext=801", ["057585123456"]),
        ("+864001234567", ["4001234567"]),
        ("+12025550123", ["12025550123"]),
        ("0575-85123456 / 13812345678", ["057585123456", "13812345678"]),
        ("none", []),
        ("", []),
    ],
)
def test_phones_stand_on_cards_as_people_type_them(stored: str, typed: list[str]) -> None:
    assert cards.dialled(stored) == typed


def test_files_made_and_changed_by_page_have_fresh_cards(as_, rep: User) -> None:
    client = as_(rep)
    client.post(
        "/customers/new/", {"name": "绿城商贸", "kind": "dealer", "status": "active", "anyway": "1"}
    )
    made = Customer.objects.get(name="绿城商贸")
    assert "lcsm" in made.card.text
    assert not stale()
    form = {"name": "重庆食品", "kind": "dealer", "status": "active", "version": made.version}
    client.post(f"/customers/{made.pk}/edit/", form)
    made.refresh_from_db()
    assert made.name == "重庆食品"
    assert not stale()
    assert list(Customer.objects.named_like("cqsp")) == [made]
    assert not Customer.objects.named_like("lcsm").exists()


def test_files_written_by_the_api_and_the_sync_have_fresh_cards(erp: APIClient) -> None:
    made = erp.post("/api/v1/customers/", {"name": "绿城商贸", "external_id": "K-1"}).json()
    assert not stale()
    erp.patch(f"/api/v1/customers/{made['id']}/", {"name": "越城粮油", "tax_id": "91XY"})
    assert list(Customer.objects.named_like("91xy ycly").values_list("pk", flat=True)) == [
        made["id"]
    ]
    assert not stale()
    for name in ("锦澜纺织", "锦程纺织"):
        body = [
            {"external_id": f"S-{n}", "name": f"{name}{n}", "phone": "13812345678"}
            for n in range(3)
        ]
        answer = erp.post(
            "/api/v1/customers/sync/", json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 200
        assert Customer.objects.named_like(name).count() == 3
        assert not stale()


def test_contacts_written_by_the_api_and_the_sync_are_found(erp: APIClient) -> None:
    customer = make_customer(external_id="K-1")
    body = {"external_id": "P-1", "customer": "K-1", "name": "李强", "phone": "13900001111"}
    answer = erp.post("/api/v1/contacts/sync/", json.dumps([body]), content_type="application/json")
    assert answer.json()["created"] == 1
    assert list(Customer.objects.named_like("李强 0000")) == [customer]
    contact = Contact.objects.get()
    assert erp.patch(f"/api/v1/contacts/{contact.pk}/", {"name": "王芳"}).status_code == 200
    assert not stale()
    assert list(Customer.objects.named_like("王芳")) == [customer]


def test_the_demo_company_has_fresh_cards() -> None:
    call_command("load_demo", stdout=StringIO())
    assert Customer.objects.count() == IndexCard.objects.count() > 300
    assert not stale()


def test_only_cards_that_differ_are_written(django_assert_num_queries) -> None:
    some = [make_customer().pk for _ in range(5)]
    with django_assert_num_queries(4):  # files, contacts, aliases, cards
        assert cards.refresh(some) == 0
    Customer.objects.filter(pk__in=some[:2]).update(name="新名")
    with django_assert_num_queries(5):
        assert cards.refresh(some) == 2


def test_cards_that_are_out_of_date_are_named_and_mended() -> None:
    first, second, third = (make_customer() for _ in range(3))
    Customer.objects.filter(pk=first.pk).update(name="改了")
    IndexCard.objects.filter(pk=second.pk).delete()
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command("reindex_customers", check=True, stdout=said)
    assert f"customer {first.pk} has a stale card" in said.getvalue()
    assert f"customer {second.pk} has a stale card" in said.getvalue()
    assert f"customer {third.pk} " not in said.getvalue()
    assert set(stale()) == {first.pk, second.pk}
    said = StringIO()
    call_command("reindex_customers", stdout=said)
    assert "3 cards looked at, 2 brought up to date" in said.getvalue()
    assert not stale()
