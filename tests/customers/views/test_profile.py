"""The page on which the profile of a customer is filled (P1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditEntry, User
from customers.forms.profile import MoneyField
from customers.models import Customer, Profile, Supplier

LINE = {"suppliers": "1", "supplier-0-name": "Rival", "supplier-0-satisfaction": "4"}


def url(customer: Customer) -> str:
    return f"/customers/{customer.pk}/profile/"


@pytest.fixture
def filled(customer: Customer) -> Profile:
    Supplier.objects.create(customer=customer, name="Old rival", supplies="oil", satisfaction=8)
    return Profile.objects.create(customer=customer, staff_count=3)


def sent(profile: Profile, **values: Any) -> dict[str, Any]:
    """The form as the browser sends it back, with the suppliers on file in their lines."""
    data: dict[str, Any] = {"version": profile.version, "staff_count": profile.staff_count}
    lines = list(Supplier.objects.filter(customer=profile.customer_id))
    for number, line in enumerate(lines):
        prefix = f"supplier-{number}"
        data |= {f"{prefix}-id": line.pk, f"{prefix}-name": line.name}
        data |= {
            f"{prefix}-supplies": line.supplies,
            f"{prefix}-satisfaction": line.satisfaction or "",
        }
    return {**data, "suppliers": len(lines), **values}


def words(customer: Customer) -> list[str]:
    return [one.in_words for one in Supplier.objects.filter(customer=customer)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1240000", "1240000"),
        ("1,240,000.50", "1240000.50"),
        ("124万", "1240000"),
        ("１２４ 万", "1240000"),
        ("1.24m", "1240000"),
        ("¥ 3.5 亿", "350000000"),
        ("", None),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, amount: str | None) -> None:
    assert MoneyField().clean(text) == (amount and Decimal(amount))


@pytest.mark.parametrize("text", ["x", "万", "1e999", "-5", "99999999999999999", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused_not_broken(as_, rep, customer: Customer, text: str) -> None:
    answer = as_(rep).post(url(customer), {"capital": text})
    assert answer.status_code == 200
    assert "capital" in answer.context["form"].errors


def test_p1_the_profile_is_filled_in_one_go(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    answer = client.post(
        url(customer),
        {
            "yearly_sales": "300万",
            "credit_standing": "good",
            "purchase_rhythm": "monthly",
            "purchase_months": ["9", "1"],
            "past_categories": "酱油，食醋、食醋",
            "product_satisfaction": "8",
            **LINE,
        },
    )
    assert answer["Location"] == f"/customers/{customer.pk}/file/"
    profile = Profile.objects.get(customer=customer)
    assert profile.yearly_sales == 3_000_000
    assert profile.purchase_months == [1, 9]
    assert profile.past_categories == ["酱油", "食醋"]
    assert profile.product_satisfaction == 8
    assert profile.service_satisfaction is None
    assert words(customer) == ["Rival · 4"]
    body = client.get(f"/customers/{customer.pk}/file/").content.decode()
    for shown in ("3,000,000.00", "good", "monthly", "Jan, Sep", "酱油, 食醋", "Rival", "4 of 10"):
        assert shown in body


def test_suppliers_are_changed_added_and_taken_out(as_, rep: User, filled: Profile) -> None:
    Supplier.objects.create(customer=filled.customer, name="Gone")
    Supplier.objects.create(customer=filled.customer, name="Emptied")
    data = sent(filled, suppliers=4)
    data |= {"supplier-0-satisfaction": "2", "supplier-1-out": "on", "supplier-2-name": "",
             "supplier-3-name": "New"}  # fmt: skip
    assert as_(rep).post(url(filled.customer), data).status_code == 302
    assert words(filled.customer) == ["Old rival · oil · 2", "New"]


def test_more_lines_keep_what_was_typed_and_save_nothing(as_, rep: User, filled: Profile) -> None:
    data = sent(filled, staff_count="7", more="1")
    answer = as_(rep).post(url(filled.customer), data)
    assert len(answer.context["lines"].forms) == 3
    assert 'value="7"' in answer.content.decode()
    filled.refresh_from_db()
    assert filled.staff_count == 3


def test_one_entry_of_the_log_tells_the_whole_change(as_, rep: User, filled: Profile) -> None:
    data = sent(filled, staff_count="9", **{"supplier-0-name": "Other"})
    as_(rep).post(url(filled.customer), data)
    entry = AuditEntry.objects.of(filled).order_by("-id")[0]
    assert (entry.before, entry.after) == (
        {"staff_count": 3, "suppliers": ["Old rival · oil · 8"]},
        {"staff_count": 9, "suppliers": ["Other · oil · 8"]},
    )
    body = as_(rep).get(f"/customers/{filled.customer_id}/log/").content.decode()
    assert "Main suppliers: <s>Old rival · oil · 8</s> → Other · oil · 8" in body


def test_what_is_sent_unchanged_is_not_written(as_, rep: User, filled: Profile) -> None:
    as_(rep).post(url(filled.customer), sent(filled))
    version = filled.version
    filled.refresh_from_db()
    assert filled.version == version


def test_two_people_do_not_overwrite_each_other(
    as_, rep: User, manager: User, filled: Profile
) -> None:
    seen = sent(filled)
    as_(manager).post(url(filled.customer), sent(filled, **{"supplier-0-name": "Hers"}))
    answer = as_(rep).post(url(filled.customer), {**seen, "staff_count": "50"})
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "Changed meanwhile" in body
    assert "Hers" in body
    filled.refresh_from_db()
    assert filled.staff_count == 3
    again = {**seen, "staff_count": "50", "version": filled.version}
    assert as_(rep).post(url(filled.customer), again).status_code == 302


def test_a_profile_made_meanwhile_is_not_overwritten(as_, rep: User, customer: Customer) -> None:
    Profile.objects.create(customer=customer, staff_count=3)
    answer = as_(rep).post(url(customer), {"staff_count": "5"})
    assert answer.status_code == 200
    assert Profile.objects.get(customer=customer).staff_count == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"suppliers": "x"},
        {"suppliers": "999"},
        {"suppliers": "-1"},
        {"suppliers": "1", "supplier-0-id": "9" * 30, "supplier-0-name": "x"},
        {"suppliers": "1", "supplier-0-name": "x", "supplier-0-satisfaction": "11"},
        {"suppliers": "1", "supplier-0-supplies": "nobody's"},
        {"purchase_months": "13"},
        {"past_categories": "x" * 51},
        {"past_categories": ",".join(map(str, range(30)))},
        {"staff_count": "9" * 30},
        {"buys": "a\x00b"},
    ],
)
def test_odd_input_breaks_nothing(as_, rep: User, customer: Customer, odd) -> None:
    assert as_(rep).post(url(customer), odd).status_code in {200, 302}


def test_a_gap_leads_to_its_field(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    body = client.get(f"/customers/{customer.pk}/file/").content.decode()
    assert f'href="{url(customer)}?at=capital"' in body
    assert f'href="/customers/{customer.pk}/edit/?at=phone"' in body
    assert "autofocus" in client.get(f"{url(customer)}?at=capital").content.decode()
    assert "autofocus" not in client.get(f"{url(customer)}?at=nonsense").content.decode()


def test_who_may_only_read_sees_the_gaps_but_no_way_to_fill_them(
    as_, finance: User, stranger: User, customer: Customer
) -> None:
    body = as_(finance).get(f"/customers/{customer.pk}/file/").content.decode()
    assert "Still missing" in body
    assert url(customer) not in body
    assert as_(finance).get(url(customer)).status_code == 403
    assert as_(stranger).get(url(customer)).status_code == 404
