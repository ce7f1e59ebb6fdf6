"""How complete a file is (P4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from customers import completeness
from customers.completeness import BY_NAME, TOTAL, WANTED, lacking, of, percentage, without
from customers.models import Contact, Customer, Profile, Supplier
from tests.factories import make_customer


def fill(customer: Customer, owner: User) -> None:
    """Everything that a file should hold."""
    Customer.objects.filter(pk=customer.pk).update(
        owner=owner, phone="13800000000", address="人民路 1 号", division="330602", latitude=30,
        longitude=120, email="a@example.com", tax_id="91330602", founded_on="2001-02-03",
    )  # fmt: skip
    Profile.objects.create(
        customer=customer, capital=Decimal(0), staff_count=0, yearly_sales=1, buys="oil",
        credit_standing="good", yearly_purchase=1, purchase_rhythm="weekly", purchase_months=[1],
        favourites="x", past_categories=["soy sauce"], promotion_attitude="open",
        product_satisfaction=1, service_satisfaction=10,
    )  # fmt: skip
    Supplier.objects.create(customer=customer, name="Rival", satisfaction=3)
    Contact.objects.create(
        customer=customer, name="Wang", buying_role="decision_maker", birth_month=5, birth_day=3
    )


@pytest.mark.parametrize(
    ("missing", "percent"),
    [
        ([], 100),
        (["email"], 100 * (TOTAL - 1) // TOTAL),
        (["contact", "decision_maker", "contact_birthday"], 100 * (TOTAL - 6) // TOTAL),
        ([wanted.name for wanted in WANTED if wanted.name != "email"], 100 // TOTAL),
        (list(BY_NAME), 0),
    ],
)
def test_p4_the_percentage_weighs_what_is_missing_and_rounds_down(
    missing: list[str], percent: int
) -> None:
    assert percentage(missing) == percent


def test_p4_one_missing_trifle_is_not_100_per_cent() -> None:
    assert percentage(["email"]) < 100


def test_p4_every_wish_has_a_weight_and_a_reason() -> None:
    assert all(wanted.weight in {1, 2, 3} and str(wanted.why) for wanted in WANTED)


def test_p4_a_full_file_lacks_nothing_and_an_empty_one_everything(rep: User) -> None:
    full, bare = make_customer(), make_customer()
    fill(full, rep)
    assert lacking([full.pk, bare.pk]) == {full.pk: [], bare.pk: list(WANTED)}
    assert of([full.pk, bare.pk]) == {full.pk: 100, bare.pk: 0}
    assert of([]) == {}


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        (lambda c: Customer.objects.filter(pk=c.pk).update(owner=None), ["owner"]),
        (lambda c: Customer.objects.filter(pk=c.pk).update(phone=""), ["phone"]),
        (lambda c: Profile.objects.update(capital=None, buys=""), ["capital", "buys"]),
        (lambda c: Profile.objects.update(purchase_months=[]), ["purchase_months"]),
        (lambda c: Supplier.objects.update(satisfaction=None), ["supplier_satisfaction"]),
        (lambda c: Supplier.objects.all().delete(), ["suppliers", "supplier_satisfaction"]),
        (lambda c: Contact.objects.update(buying_role="user"), ["decision_maker"]),
        (
            lambda c: Contact.objects.update(has_left=True),
            ["contact", "decision_maker", "contact_birthday"],
        ),
        (
            lambda c: Profile.objects.all().delete(),
            [
                wanted.name
                for wanted in WANTED
                if wanted.form == "profile" and "suppl" not in wanted.name
            ],
        ),
    ],
)
def test_p4_what_was_taken_out_is_missing_and_found_by_the_filter(
    rep: User, change: Any, missing: list[str]
) -> None:
    full = make_customer()
    fill(full, rep)
    change(full)
    assert [wanted.name for wanted in lacking([full.pk])[full.pk]] == missing
    found = [name for name in BY_NAME if without(Customer.objects.all(), name).exists()]
    assert found == missing


def test_p4_many_files_cost_one_statement(rep: User, django_assert_num_queries) -> None:
    customers = [make_customer() for _number in range(5)]
    for customer in customers[:3]:
        fill(customer, rep)
    with django_assert_num_queries(1):
        assert list(completeness.of([c.pk for c in customers]).values()).count(100) == 3
