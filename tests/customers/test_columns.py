"""Columns that other apps add to the list of customers: growth and cadence (P8, P28)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from accounts.models import User
from customers.models import Customer
from orders.models import Order, OrderStatus
from tests.factories import local, make_customer, make_order
from tiers import columns as growth
from tiers.models import RunState, TierPolicy, TierRun
from visits import columns as cadence

TODAY = date(2026, 6, 16)


@pytest.mark.parametrize(
    ("now", "before", "text", "tone"),
    [
        (Decimal(1140), Decimal(1000), "+14.0\u00a0%", "good"),
        (Decimal(962), Decimal(1000), "−3.8\u00a0%", "bad"),
        (Decimal(1004), Decimal(1000), "+0.4\u00a0%", ""),
        (Decimal(1000), Decimal(1000), "0.0\u00a0%", ""),
        (Decimal(-50), Decimal(100), "−150.0\u00a0%", "bad"),
        (Decimal(10), None, "none before", ""),
        (Decimal(10), Decimal(-5), "none before", ""),
        (None, Decimal(100), "−100.0\u00a0%", "bad"),
        (None, None, "–", ""),
        (Decimal(0), Decimal(0), "–", ""),
    ],
)
def test_a_change_is_signed_and_coloured_beyond_noise(now, before, text: str, tone: str) -> None:
    with translation.override("en"):
        cell = growth.judged(now, before)
    assert (cell.text, cell.tone) == (text, tone)


@pytest.mark.parametrize(
    ("last", "text", "tone", "bar"),
    [
        (TODAY, "0 / 30", "", 0),
        (TODAY - timedelta(days=16), "16 / 30", "", 53),
        (TODAY - timedelta(days=27), "27 / 30", "warn", 90),
        (TODAY - timedelta(days=30), "30 / 30", "warn", 100),
        (TODAY - timedelta(days=31), "1 day over / 30", "bad", 100),
        (TODAY - timedelta(days=44), "14 days over / 30", "bad", 100),
        (None, "never / 30", "bad", 100),
        (TODAY + timedelta(days=1), "0 / 30", "", 0),
    ],
)
def test_p28_the_cadence_runs_out_after_its_last_day(last, text: str, tone: str, bar: int) -> None:
    with translation.override("en"):
        cell = cadence.judged(last, 30, TODAY)
    assert (cell.text, cell.tone, cell.bar) == (text, tone, bar)


def net_in(customer: Customer, after: date, until: date) -> Decimal:
    """The net amount of days after `after` up to `until`, order by order."""
    total = Decimal(0)
    for order in Order.objects.filter(customer=customer):
        if after < timezone.localtime(order.ordered_at).date() <= until:
            total += {"returned": -1, "draft": 0, "cancelled": 0}.get(
                order.status, 1
            ) * order.amount
    return total


@pytest.mark.django_db
def test_p8_the_change_is_that_of_the_window_against_the_one_before(
    as_, rep: User, director: User
) -> None:
    """Recounted order by order, to the day at which the two windows meet."""
    as_of = date(2026, 6, 15)
    policy = TierPolicy.objects.first() or TierPolicy.objects.create(
        name="P", effective_from=date(2020, 1, 1)
    )
    now = timezone.now()
    TierRun.objects.create(
        policy=policy, as_of=as_of, state=RunState.DONE, created_at=now, finished_at=now
    )
    days = [date(2024, 6, 15), date(2024, 6, 16), date(2025, 6, 15), date(2025, 6, 16), as_of]
    shops = [make_customer(owner=rep, name=f"Shop {n}") for n in range(3)]
    for number, shop in enumerate(shops[:2]):
        for place, day in enumerate(days):
            at = local(day.year, day.month, day.day, 23, 30)
            make_order(shop, 100 * (place + 1) + number, ordered_at=at)
        make_order(shop, 30, ordered_at=at - timedelta(days=400), status=OrderStatus.RETURNED)
        make_order(shop, 999, ordered_at=at - timedelta(days=400), status=OrderStatus.CANCELLED)
        shop.net_amount = net_in(shop, date(2025, 6, 15), as_of)
        shop.save()
    page = as_(rep).get("/customers/")
    assert "Change" in page.content.decode()
    for row in page.context["page"].rows:
        shop = next(shop for shop in shops if shop.pk == row["id"])
        before = net_in(shop, date(2024, 6, 15), date(2025, 6, 15))
        cell = row["added"]["net_amount"][0]
        if shop == shops[2]:
            assert cell.text == "–"
            continue
        assert shop.net_amount is not None
        change = (shop.net_amount - before) / before * 100
        assert str(cell.text) == f"{change:+.1f}\u00a0%".replace("-", "−")


@pytest.mark.django_db
def test_p28_the_list_shows_who_is_overdue(as_, rep: User) -> None:
    today = timezone.localdate()
    from visits.models import Cadence

    every = {one.abc: one.every_days for one in Cadence.objects.all()}
    make_customer(
        owner=rep, name="Late", abc="A", last_visited_on=today - timedelta(every["A"] + 3)
    )
    make_customer(owner=rep, name="Fine", abc="B", last_visited_on=today)
    make_customer(owner=rep, name="Unranked", last_visited_on=today - timedelta(days=900))
    rows = as_(rep).get("/customers/").context["page"].rows
    cells = {row["name"]: row["added"]["last_visited_on"][0] for row in rows}
    assert cells["Late"].text == f"3 days over / {every['A']}"
    assert cells["Late"].brief == "3 days overdue"
    assert cells["Fine"].tone == ""
    assert cells["Unranked"].text == "–"


@pytest.mark.django_db
def test_the_columns_cost_three_statements_whatever_the_page(
    as_, rep: User, django_assert_num_queries
) -> None:
    from customers.columns import added

    now = timezone.now()
    policy = TierPolicy.objects.first() or TierPolicy.objects.create(
        name="P", effective_from=date(2020, 1, 1)
    )
    TierRun.objects.create(
        policy=policy, as_of=TODAY, state=RunState.DONE, created_at=now, finished_at=now
    )
    for n in range(5):
        make_order(make_customer(owner=rep, name=f"Shop {n}", abc="A"))
    rows = list(Customer.objects.values("id", "abc", "net_amount", "last_visited_on"))
    with django_assert_num_queries(3):  # cadences, the last run, orders of the window before
        assert len(added(rows, user=rep, today=TODAY)) == 2


@pytest.mark.django_db
def test_on_the_phone_customers_are_picked_after_one_tap(as_, rep: User, customer) -> None:
    client = as_(rep)
    page = client.get("/customers/").content.decode()
    assert 'name="pick" value="1"' in page
    assert "picking" not in page.split("<main", 1)[1].split(">", 1)[0]
    page = client.get("/customers/?pick=1&abc=none").content.decode()
    assert "picking" in page.split("<main", 1)[1].split(">", 1)[0]
    assert 'form="bulk"' in page
