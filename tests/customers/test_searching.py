"""Finding customers by what people type: the same rows on both databases."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction

from customers import cards
from customers.models import Alias, Contact, Customer
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def files() -> dict[str, Customer]:
    made = {
        "lc": make_customer(
            name="绿城商贸有限公司",
            external_id="K-7",
            phone="+8613812343456",
            tax_id="91330602MA2X",
        ),
        "cq": make_customer(name="重慶長沙銀行食堂（總店）", phone="+8657585123456;ext=8"),
        "sign": make_customer(name="100%_真\\好", address="解放北路 1180 号", division="330602"),
        "plain": make_customer(name="１００ 真 好 Foods", external_id="ERP 2024-001"),
    }
    Contact.objects.create(customer=made["lc"], name="李强", phone="+8613900001111")
    Alias.objects.create(customer=made["cq"], external_id="OLD-99")
    cards.refresh([customer.pk for customer in made.values()])
    return made


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("绿城", "lc"),
        ("城商", "lc"),
        ("綠城商貿", "lc"),
        ("绿城 公司", "lc"),
        ("绿城 银行", ""),
        ("lcsm", "lc"),
        ("LCSM", "lc"),
        ("lc", "lc"),
        ("l", "lc"),
        ("绿", "lc"),
        ("城", ""),
        ("lvcheng", "lc"),
        ("ｌｖｃｈｅｎｇ", "lc"),
        ("lv cheng shangmao", "lc"),
        ("绿城 sm", "lc"),
        ("sm 绿城", "lc"),
        ("lv cheng yinhang", ""),
        ("3456", "lc cq"),
        ("138-1234-3456", "lc"),
        ("+86 138 1234 3456", "lc"),
        ("+8613812343456", "lc"),
        ("0575-8512", "cq"),
        ("+86-575-85123456", "cq"),
        ("k-7", "lc"),
        ("MA2X", "lc"),
        ("李强", "lc"),
        ("李", "lc"),
        ("0000 1111", "lc"),
        ("重庆", "cq"),
        ("chongqingchangsha", "cq"),
        ("zhongqing", "cq"),
        ("(总店)", "cq"),
        ("总店", "cq"),
        ("old-99", "cq"),
        ("%", ""),
        ("_", ""),
        ("\\", ""),
        ("0%", "sign"),
        ("%_", "sign"),
        ("100%", "sign"),
        ("_真\\", "sign"),
        ("\\好", "sign"),
        ("1_0", ""),
        ("100", "sign plain"),
        ("foods", "plain"),
        ("2024-001", "plain"),
        ("erp 2024-001", "plain"),
        ("（）", ""),
        ("\x00", ""),
        ("", "lc cq sign plain"),
        ("  ", "lc cq sign plain"),
        ("'; drop table", ""),
        ("越城", "sign"),
        ("绍兴市越城区", "sign"),
        ("浙江 真", ""),
        ("解放北路1180", "sign"),
        ("解放 1180", "sign"),
        ("北路", "sign"),
        ("1180", ""),
        ("路", ""),
        ("解放 lv", ""),
        ("越城 100%", "sign"),
        ("解放南路", ""),
    ],
)
def test_words_find_customers(words: str, found: str, files: dict[str, Customer]) -> None:
    names = {customer.pk: name for name, customer in files.items()}
    assert {
        names[pk] for pk in Customer.objects.named_like(words).values_list("pk", flat=True)
    } == set(found.split())


def test_who_fills_in_a_name_is_not_offered_an_address(files) -> None:
    assert list(Customer.objects.known_as("越城")) == []
    assert list(Customer.objects.known_as("绿城")) == [files["lc"]]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
@pytest.mark.parametrize(
    ("word", "index"),
    [("绿", "pair"), ("绿城", "pair"), ("lcsm", "trigram"), ("绿城", "place"), ("lcsm", "place")],
)
def test_every_word_is_served_by_an_index(word: str, index: str, files) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    plan = Customer.objects.named_like(word).order_by().explain()
    assert f"card_by_{index}" in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
def test_a_role_that_may_not_create_the_extension_is_told_what_to_do() -> None:
    create = import_module("customers.migrations.0003_search_indexes").create
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        cursor.execute("CREATE ROLE lesser NOLOGIN")
        cursor.execute("SET LOCAL ROLE lesser")
    with (
        pytest.raises(CommandError, match=r"(?s)pg_trgm.*superuser.*migrate again"),
        transaction.atomic(),
        connection.schema_editor(atomic=False) as editor,
    ):
        create(None, editor)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
