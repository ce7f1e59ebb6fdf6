"""What "leaving silently" means is said by the policy, and kept with each estimate (P48, P8)."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest
from django.utils import translation

from accounts.models import User
from customers.models import Customer
from tests.factories import local, make_customer, make_key, make_order, make_outlook
from tests.tiers.churn.test_forecast import AS_OF, at, monthly, run
from tests.tiers.recount_questions import PURCHASES, Bought
from tests.tiers.test_questions import make_history
from tiers import policies
from tiers.churn import leaving
from tiers.models import ChurnRun, Outlook, TierPolicy
from visits.suggestions import of_day, reason_for

pytestmark = pytest.mark.django_db
URL = "/tiers/leaving/"


def policy_from(day: date, **values: Any) -> TierPolicy:
    return TierPolicy.objects.create(name="other", effective_from=day, **values)


def alive(*chances: str, **values: Any) -> list[Customer]:
    """A customer for each chance of being alive, last bought 84 days before 16 June 2026."""
    found = []
    for chance in chances:
        found.append(make_customer(name=f"Shop {chance}", **values))
        make_outlook(found[-1], alive=Decimal(chance))
    return found


# --- the line


@pytest.mark.parametrize(
    ("below", "gone_after", "leaves", "has_gone"),
    [
        ("0.5000", 365, [False, True, True], [False, False, False]),
        ("0.9000", 365, [True, True, True], [False, False, False]),
        ("0.4000", 365, [False, False, True], [False, False, False]),
        ("0.0500", 365, [False, False, False], [False, False, False]),
        ("0.5000", 85, [False, True, True], [False, False, False]),
        ("0.5000", 84, [False, True, True], [False, True, True]),
    ],
)
def test_p48_the_run_says_below_which_chance_and_until_when_a_customer_leaves(
    below: str, gone_after: int, leaves: list[bool], has_gone: list[bool]
) -> None:
    today = date(2026, 6, 16)
    customers = alive("0.500", "0.400", "0.399")
    ChurnRun.objects.update(leaving_below=below, gone_after_days=gone_after)
    job = ChurnRun.objects.get()
    outlooks = [Outlook.objects.get(customer=one) for one in customers]
    assert [job.says_leaving(one) for one in outlooks] == leaves
    assert [job.says_gone(one, today) for one in outlooks] == has_gone
    lists = [
        {one.customer_id for one in found}
        for found in (
            leaving(Customer.objects.all(), run=job, today=today),
            Outlook.objects.gone(job, today),
        )
    ]
    both = [(here and not long_ago) for here, long_ago in zip(leaves, has_gone, strict=True)]
    assert [one.pk in lists[0] for one in customers] == both
    assert [one.pk in lists[1] for one in customers] == has_gone


def test_p48_an_estimate_goes_by_the_policy_of_its_day_and_keeps_it() -> None:
    for silent in (12, 20, 35, 60, 110):
        monthly(silent=silent)
    policy_from(AS_OF, leaving_below=Decimal("0.9000"), gone_after_days=100, silence_days=30)
    run(as_of=AS_OF - timedelta(days=1), now=local(2026, 6, 30, 2, 30))
    run()
    before, after = ChurnRun.objects.order_by("id")
    assert (before.leaving_below, before.gone_after_days) == (Decimal("0.5000"), 365)
    assert (after.leaving_below, after.gone_after_days) == (Decimal("0.9000"), 100)
    for job, day in ((after, AS_OF),):
        found = [
            one for one in Outlook.objects.all()
            if one.alive < job.leaving_below
            and (day - one.last_on).days < job.gone_after_days
        ]  # fmt: skip
        assert job.leaving == len(found)
        assert job.value_at_risk == sum((one.value_at_risk for one in found), Decimal(0))
    assert 0 < before.leaving != after.leaving > 0
    TierPolicy.objects.filter(name="other").update(leaving_below="0.1")  # whatever comes later
    after.refresh_from_db()
    assert after.leaving_below == Decimal("0.9000")


def test_without_any_policy_the_usual_values_stand() -> None:
    TierPolicy.objects.all().delete()
    monthly(silent=110)
    run()
    job = ChurnRun.objects.get()
    assert (job.leaving_below, job.gone_after_days, job.measure) == (Decimal("0.5"), 365, "amount")


def test_p48_worklist_day_and_file_go_by_the_line_of_the_last_estimate(
    as_, rep: User, time_machine
) -> None:
    time_machine.move_to(local(2026, 6, 17, 9))
    there, doubtful, left = alive("0.800", "0.600", "0.300", owner=rep)
    today, everybody = date(2026, 6, 17), Customer.objects.all()
    for below, expected in (("0.7000", [doubtful, left]), ("0.5000", [left]), ("0.2000", [])):
        ChurnRun.objects.update(leaving_below=below)
        names = [row.outlook.customer for row in as_(rep).get(URL).context["rows"]]
        assert sorted(one.pk for one in names) == [one.pk for one in expected]
        beside = of_day(everybody, due=[], today=today, limit=9).besides
        assert sorted(one.customer.pk for one in beside) == [one.pk for one in expected]
        for one in (there, doubtful, left):
            assert bool(reason_for(one, today)) == (one in expected)
            assert as_(rep).get(f"{URL}{one.pk}/").context["is_leaving"] == (one in expected)
    ChurnRun.objects.update(leaving_below="0.7000", gone_after_days=85)
    assert as_(rep).get(URL).context["rows"] == []
    assert len(as_(rep).get(f"{URL}?state=gone").context["rows"]) == 2
    page = as_(rep).get(f"{URL}{left.pk}/").content.decode()
    assert "It bought nothing for 85 days" in page
    assert "below a chance of 70\u00a0% of being there" in page.replace("&nbsp;", "\u00a0")


# --- silence


def test_p48_the_page_begins_with_the_silence_of_the_policy_and_the_api_with_90_days(
    as_, client, director: User, time_machine
) -> None:
    time_machine.move_to(local(2026, 6, 16, 12))
    make_order(ordered_at=local(2026, 4, 16))  # two months ago
    page, api = "/tiers/questions/", "/api/v1/reports/retention/"
    key = {"Authorization": f"Bearer {make_key(scopes=['reports:read'])[1]}"}

    def silent(**query: str) -> tuple[str, int, int]:
        shown = as_(director).get(page, query)
        card = shown.context["cards"][2]
        listed = as_(director).get(card.url).context["count"]
        told = client.get(api, query, headers=key).json()
        return card.value, listed, told["one_and_silent"]

    assert silent() == ("0", 0, 0)
    policy_from(date(2026, 6, 1), silence_days=30)
    assert silent() == ("1", 1, 0)
    assert 'placeholder="30"' in as_(director).get(page).content.decode()
    assert silent(silence_days="90") == ("0", 0, 0)
    assert silent(silence_days="30") == ("1", 1, 1)


# --- amount or margin


def recount(orders: list[Bought], customer: str) -> Decimal | None:
    """What a purchase of a customer brings in margin: by day, over the year to the last one."""
    bought: set[date] = set()
    money: dict[date, Decimal] = defaultdict(Decimal)
    for order in orders:
        if order.customer != customer or order.day > AS_OF:
            continue
        if order.status not in {*PURCHASES, "returned"}:
            continue
        known = sum((line.margin for line in order.lines if line.margin is not None), Decimal(0))
        money[order.day] += -known if order.status == "returned" else known
        if order.status != "returned":
            bought.add(order.day)
    if not bought:
        return None
    last = max(bought)
    recent = [day for day in bought if (last - day).days < 365]
    net = sum((m for day, m in money.items() if (last - day).days < 365), Decimal(0))
    return max(net / len(recent), Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("seed", range(4))
def test_p8_where_the_policy_ranks_by_margin_margin_is_at_risk(seed: int, rep: User) -> None:
    history = make_history(Random(seed), [rep], customers=15)
    policy_from(date(2026, 1, 1), measure="margin")
    run()
    assert ChurnRun.objects.get().measure == "margin"
    found = dict(Outlook.objects.values_list("customer__external_id", "per_purchase"))
    expected = {name: recount(history.orders, name) for name in history.customers}
    assert found == {name: value for name, value in expected.items() if value is not None}
    assert any(found.values())


def test_p48_what_is_at_risk_is_said_by_its_name(
    as_, rep: User, director: User, time_machine
) -> None:
    time_machine.move_to(local(2026, 6, 17, 9))
    [customer] = alive("0.300", owner=rep)
    for measure, head, per, said in (
        ("amount", "Value at risk", "Per purchase", "At risk in 90 days"),
        ("margin", "Margin at risk", "Margin per purchase", "Margin at risk in 90 days"),
    ):
        ChurnRun.objects.update(measure=measure)
        page = as_(rep).get(URL).content.decode()
        assert f">{said}<" in page
        assert ("lines without a cost on file" in page) == (measure == "margin")
        answer = as_(rep).get(f"{URL}export/?format=csv")
        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        [row] = csv.DictReader(io.StringIO(text))
        assert (row[head], row[per]) == ("2250.00", "1000.00")
        one = as_(rep).get(f"{URL}{customer.pk}/").content.decode()
        assert f"<dt>{head}</dt>" in one
        assert f"<dt>{per}</dt>" in one
        card = as_(director).get("/tiers/questions/").context["cards"][5]
        assert ("Margin at risk" in card.meaning) == (measure == "margin")


# --- the policy's own page and resource


def test_p48_the_values_are_told_compared_and_made_by_the_api(policy: TierPolicy, client) -> None:
    key = make_key(scopes=["tiers:read", "tiers:write"])[1]
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"leaving_below": "0.4000", "gone_after_days": 300, "silence_days": 60}
    answer = client.post(
        "/api/v1/tier-policies/", asked, content_type="application/json", headers=headers
    )
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in asked} == asked
    made = TierPolicy.objects.get(pk=answer.json()["id"])
    with translation.override("en"):
        told = {one.field: (one.before, one.after) for one in policies.differences(policy, made)}
    assert told == {
        "Leaving below this chance of being alive": ("50\u00a0%", "40\u00a0%"),
        "Gone after days without a purchase": ("365", "300"),
        "Silent after days, having ordered once": ("90", "60"),
    }
    for wrong, field in (
        ({"leaving_below": "1"}, "leaving_below"),
        ({"gone_after_days": 1}, "gone_after_days"),
        ({"silence_days": 366}, ""),
    ):
        answer = client.post(
            "/api/v1/tier-policies/", wrong, content_type="application/json", headers=headers
        )
        assert answer.status_code in {400, 422}, wrong
        assert not field or field in answer.json()["errors"]


def test_orders_of_one_day_are_one_purchase_by_margin_too() -> None:
    policy_from(date(2026, 1, 1), measure="margin")
    customer = make_customer()
    for hour in (9, 15):
        make_order(customer, "50.00", ordered_at=at(AS_OF - timedelta(days=9), hour))
    run()
    one = Outlook.objects.get()
    assert one.intervals == one.per_purchase == one.value_at_risk == 0
