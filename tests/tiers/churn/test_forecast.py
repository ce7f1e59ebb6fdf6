"""The estimate of all customers, over the database: counted, judged, written where it differs."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from customers.merging import merge
from customers.models import Customer
from customers.unmerging import undo
from orders.models import Order, OrderStatus
from tests.factories import SHANGHAI, local, make_customer, make_order
from tiers.churn import leaving, rhythm
from tiers.churn.forecast import figures, forecast
from tiers.churn.gathering import gather
from tiers.models import ChurnRun, Method, Outlook, Staying

pytestmark = pytest.mark.django_db
AS_OF = date(2026, 6, 30)
NOW = local(2026, 7, 1, 2, 30)


def nothing(_done: int, _total: int) -> None:
    pass


def run(as_of: date = AS_OF, now: datetime = NOW) -> dict[str, Any]:
    return forecast(nothing, as_of=as_of, now=now)


def at(day: date, hour: int = 10) -> datetime:
    return local(day.year, day.month, day.day, hour)


def buy(customer: Customer, *days_ago: int, amount: str = "1000.00", **values: Any) -> None:
    for days in days_ago:
        make_order(customer, amount, ordered_at=at(AS_OF - timedelta(days=days)), **values)


def monthly(silent: int, times: int = 12, **values: Any) -> Customer:
    """Buys every thirty days, and has been silent since."""
    customer = make_customer(**values)
    buy(customer, *(silent + 30 * number for number in range(times)))
    return customer


# --- what is counted


def recount(customer: Customer, as_of: date) -> tuple[int, int, int, Decimal] | None:
    """Repeats, their span and the age in days, and the money of a purchase; from the orders."""
    bought: set[date] = set()
    money: dict[date, Decimal] = defaultdict(Decimal)
    for order in Order.objects.filter(customer=customer):
        day = order.ordered_at.astimezone(SHANGHAI).date()
        if day > as_of or order.status in {"draft", "cancelled"}:
            continue
        if order.status == "returned":
            money[day] -= order.amount
        else:
            bought.add(day)
            money[day] += order.amount
    if not bought:
        return None
    first, last = min(bought), max(bought)
    recent = [day for day in bought if (last - day).days < 365]
    net = sum((m for day, m in money.items() if (last - day).days < 365), Decimal(0))
    each = max(net / len(recent), Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return len(bought) - 1, (last - first).days, (as_of - first).days, each


def test_p48_purchases_are_days_with_a_counted_order() -> None:
    plain, returns, nobody = make_customer(), make_customer(), make_customer()
    buy(plain, 400, 40, 40, 10, amount="333.33")  # two orders of one day are one purchase
    buy(plain, 5, status=OrderStatus.DRAFT)
    buy(plain, 6, status=OrderStatus.CANCELLED)
    make_order(plain, ordered_at=local(2026, 7, 1, 0))  # the day after
    make_order(plain, "80", ordered_at=local(2026, 6, 30, 23, 59))  # the last minute
    buy(returns, 60, 30, amount="100.00")
    buy(returns, 30, 20, amount="25.50", status=OrderStatus.RETURNED)
    buy(nobody, 30, status=OrderStatus.RETURNED)
    found = gather(AS_OF)
    assert list(found.customers) == [plain.pk, returns.pk]
    for place, customer in enumerate((plain, returns)):
        x, t_x, age, each = recount(customer, AS_OF) or (0, 0, 0, Decimal(0))
        assert found.history(place) == (x, t_x, age)
        assert Decimal(found.cents[place]) / 100 == each
    assert found.history(0) == (3, 400, 400)
    assert found.rhythm(0) == ([360, 30, 10], 0)
    assert found.rhythm(1) == ([30], 30)
    assert found.cents[1] == 7450  # (100 + 100 - 25.50 - 25.50) / 2


def test_days_are_those_of_the_company() -> None:
    customer = make_customer()
    make_order(customer, ordered_at=local(2026, 6, 1, 0, 30))  # 16:30 of the day before in UTC
    make_order(customer, ordered_at=local(2026, 5, 31, 23, 30))
    assert gather(AS_OF).history(0) == (1, 1, 30)


def test_what_is_returned_beyond_all_purchases_is_no_money() -> None:
    customer = make_customer()
    buy(customer, 20, 10, amount="10.00")
    buy(customer, 5, amount="500.00", status=OrderStatus.RETURNED)
    assert list(gather(AS_OF).cents) == [0]


def test_peers_are_of_one_kind_and_tier() -> None:
    kinds = [("dealer", "A"), ("dealer", "A"), ("outlet", "A"), ("dealer", None)]
    for kind, abc in kinds:
        make_customer(kind="group_buyer")  # never bought
        buy(make_customer(kind=kind, abc=abc), 10)
    groups = list(gather(AS_OF).groups)
    assert groups[0] == groups[1]
    assert len({groups[0], groups[2], groups[3]}) == 3


# --- what is stored


def test_p48_the_figures_can_be_multiplied_by_hand() -> None:
    left = monthly(silent=100)
    run()
    one = Outlook.objects.get(customer=left)
    assert one.method == Method.RHYTHM
    assert one.per_purchase == 1000
    assert (one.intervals, one.shorter, one.usual_days) == (11, 11, 30)
    assert one.last_on == AS_OF - timedelta(days=100)
    cent, thousandth = Decimal("0.01"), Decimal("0.001")
    assert one.expected == (one.pace * one.alive).quantize(thousandth, ROUND_HALF_UP)
    risk = one.pace * one.per_purchase * (1 - one.alive)
    assert one.value_at_risk == risk.quantize(cent, ROUND_HALF_UP)
    assert one.pace == 3  # every thirty days, ninety days
    assert ChurnRun.objects.get().says_leaving(one)


def test_who_bought_once_is_not_counted_on_as_often_as_its_peers() -> None:
    for _number in range(4):
        monthly(silent=20)
    once = make_customer()
    buy(once, 300, amount="175000.00")
    run()
    one = Outlook.objects.get(customer=once)
    assert one.pace == 1
    assert one.value_at_risk <= 175_000


def test_p48_never_quite_there_never_quite_gone() -> None:
    monthly(silent=0)
    buy(make_customer(), 0)
    buy(make_customer(), 9000)
    monthly(silent=8000)
    run()
    for one in Outlook.objects.all():
        assert Decimal(0) < one.alive < Decimal(1)
    assert figures(1.0, 2.0, 500)[0] == Decimal("0.999")
    assert figures(0.0, 2.0, 500)[0] == Decimal("0.001")


def test_p48_too_few_customers_are_judged_by_their_rhythm_and_the_run_says_why() -> None:
    there, gone = monthly(silent=12), monthly(silent=110)
    told = run()
    assert told["outcome"] == "too_few"
    job = ChurnRun.objects.get()
    assert (job.as_of, job.method, job.outcome) == (AS_OF, Method.RHYTHM, "too_few")
    assert (job.customers, job.repeat_customers, job.leaving, job.written) == (2, 2, 1, 2)
    assert [one.customer_id for one in leaving(Customer.objects.all(), run=job, today=AS_OF)] == [
        gone.pk
    ]
    assert Outlook.objects.get(customer=there).alive > Decimal("0.8")


def test_an_unchanged_night_writes_nothing_and_a_new_order_writes_one_row() -> None:
    customers = [monthly(silent=silent) for silent in (5, 30, 120)]
    assert run()["written"] == 3
    before = list(Outlook.objects.order_by("pk").values())
    assert run()["written"] == 0
    assert list(Outlook.objects.order_by("pk").values()) == before
    # nothing but the size of a purchase changes: no peer is judged otherwise by that
    Order.objects.filter(customer=customers[1]).update(amount="1234.00")
    assert run()["written"] == 1
    assert Outlook.objects.get(customer=customers[1]).per_purchase == 1234
    kept = [row for row in before if row["customer_id"] != customers[1].pk]
    rest = Outlook.objects.exclude(customer=customers[1]).order_by("pk")
    assert list(rest.values()) == kept


def test_who_has_no_purchase_any_more_goes_from_the_list() -> None:
    first, second = monthly(silent=20), monthly(silent=120)
    run()
    Order.objects.filter(customer=second).update(status=OrderStatus.CANCELLED)
    run()
    assert [one.customer_id for one in Outlook.objects.all()] == [first.pk]


def test_an_older_day_does_not_overwrite_a_newer_one() -> None:
    monthly(silent=20)
    run()
    before = list(Outlook.objects.values())
    assert run(as_of=AS_OF - timedelta(days=3)) == {"superseded": True}
    assert list(Outlook.objects.values()) == before
    assert ChurnRun.objects.count() == 1


def test_a_worker_that_dies_in_the_middle_leaves_the_last_estimate(monkeypatch) -> None:
    customer = monthly(silent=20)
    run()
    before = list(Outlook.objects.values())
    buy(customer, 1)
    real = rhythm.judge

    def dies(*args: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(rhythm, "judge", dies)
    with pytest.raises(MemoryError):
        run()
    assert list(Outlook.objects.values()) == before
    monkeypatch.setattr(rhythm, "judge", real)
    assert run()["written"] == 1  # taken up again, it finds no trace of the first attempt


def test_it_says_how_far_it_is() -> None:
    for _number in range(3):
        monthly(silent=20)
    heard: list[tuple[int, int]] = []
    forecast(lambda done, total: heard.append((done, total)), as_of=AS_OF, now=NOW)
    assert {total for _done, total in heard} == {100}
    parts = [done for done, _total in heard]
    assert parts == sorted(parts)
    assert parts[0] == 0
    assert parts[-1] <= 100


# --- the model in use


def sell(folder: Path) -> dict[str, Customer]:
    """The customers and orders of a public data set, as they would have been synced."""

    def rows(name: str) -> Iterator[dict[str, str]]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)

    Customer.objects.bulk_create(
        Customer(external_id=row["external_id"], name=row["name"], kind="dealer")
        for row in rows("customers.csv")
    )
    customers = {one.external_id or "": one for one in Customer.objects.all()}
    Order.objects.bulk_create(
        (
            Order(
                external_id=row["external_id"],
                customer=customers[row["customer_external_id"]],
                ordered_at=datetime.fromisoformat(row["ordered_at"]).replace(
                    hour=12, tzinfo=SHANGHAI
                ),
                amount=abs(Decimal(row["amount"])),
                status="returned" if row.get("kind") == "return" else "completed",
            )
            for row in rows("orders.csv")
        ),
        batch_size=2000,
    )
    return customers


def told(folder: Path, name: str) -> dict[str, dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return {row["external_id"]: row for row in csv.DictReader(file)}


@pytest.mark.data
def test_p48_the_published_customers_through_the_whole_product(data_dir: Path) -> None:
    folder = data_dir / "cdnow_sample"
    customers = sell(folder)
    run(as_of=date(1998, 6, 30), now=local(2026, 7, 1, 3))
    job = ChurnRun.objects.get()
    known = json.loads((folder / "reference.json").read_text())["bgnbd"]["own_scipy_mle"]
    assert (job.outcome, job.method, job.customers) == ("fitted", Method.MODEL, 2357)
    assert job.parameters == pytest.approx({**known, "alpha": known["alpha"] * 7}, rel=1e-4)
    expected = told(folder, "bgnbd.csv")
    outlooks = {one.customer_id: one for one in Outlook.objects.all()}
    assert len(outlooks) == 2357
    half = Decimal("0.00051")
    for number, row in expected.items():
        one = outlooks[customers[number].pk]
        assert one.intervals == int(row["x"])
        if not one.intervals:  # the model says 1 of everybody who bought once; the product does not
            assert one.method == Method.RHYTHM
            assert one.alive < Decimal("0.9")
            continue
        assert one.method == Method.MODEL
        alive = min(max(Decimal(row["p_alive"]), Decimal("0.001")), Decimal("0.999"))
        assert abs(one.alive - alive) <= half
        assert abs(one.expected - Decimal(row["e_90d"])) <= Decimal("0.005")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "as_of", "outcome"),
    [
        ("adventureworks_resellers", date(2020, 5, 31), "runs_off"),
        ("online_retail", date(2011, 12, 9), "all_alive"),
    ],
)
def test_p48_where_the_model_fails_nobody_is_silently_taken_for_alive(
    data_dir: Path, name: str, as_of: date, outcome: str
) -> None:
    customers = sell(data_dir / name)
    run(as_of=as_of, now=local(2026, 7, 1, 3))
    job = ChurnRun.objects.get()
    assert (job.outcome, job.method) == (outcome, Method.RHYTHM)
    assert not Outlook.objects.exclude(method=Method.RHYTHM).exists()
    assert not Outlook.objects.filter(alive__gte="0.9995").exists()
    # Of the customers that were silent for a year, and had bought regularly, nobody is kept.
    silent = Outlook.objects.filter(last_on__lt=as_of - timedelta(days=365), intervals__gte=2)
    if name == "adventureworks_resellers":
        assert silent.count() > 50
    assert not silent.filter(alive__gte="0.5").exists()
    # Most of those that bought within their usual interval stand.
    fresh = [
        one
        for one in Outlook.objects.filter(intervals__gte=3)
        if (as_of - one.last_on).days <= one.usual_days
    ]
    assert len(fresh) > 50
    assert sum(one.alive > Decimal("0.5") for one in fresh) / len(fresh) > 0.95
    assert customers


# --- who is leaving


def test_p48_leaving_is_below_the_line_within_a_year_and_not_said_to_stay(rep: User) -> None:
    for _number in range(3):
        monthly(silent=10)
    small = monthly(silent=150, times=6)
    large = monthly(silent=140, times=6)
    Order.objects.filter(customer=large).update(amount=90_000)
    long_gone, stays = monthly(silent=400), monthly(silent=150)
    run()
    Staying.objects.create(customer=stays, reason="moves", until=AS_OF, by=rep)
    everybody, job = Customer.objects.all(), ChurnRun.objects.get()
    found = leaving(everybody, run=job, today=AS_OF)
    assert [one.customer_id for one in found] == [large.pk, small.pk]
    assert [one.customer_id for one in Outlook.objects.gone(job, AS_OF)] == [long_gone.pk]
    assert [one.customer_id for one in Outlook.objects.said_to_stay(AS_OF)] == [stays.pk]
    assert not leaving(everybody.filter(pk=stays.pk), run=job, today=AS_OF).exists()
    tomorrow = AS_OF + timedelta(days=1)  # what was said held to its last day
    assert leaving(everybody.filter(pk=stays.pk), run=job, today=tomorrow).exists()


def test_p5_files_of_one_company_have_one_outlook(rep: User, manager: User) -> None:
    one, other = monthly(silent=100, owner=rep), monthly(silent=20, owner=rep)
    run()
    Staying.objects.create(customer=other, reason="moves", until=AS_OF, by=rep)
    before = list(Outlook.objects.order_by("pk").values())
    record = merge(gone_id=other.pk, into_id=one.pk, by=manager, now=NOW)
    assert [row.customer_id for row in Outlook.objects.all()] == [one.pk]
    assert Staying.objects.get().customer_id == one.pk
    assert run()["written"] == 1
    undo(merge_id=record.pk, by=manager, now=NOW)
    assert Staying.objects.get().customer_id == other.pk
    run()
    assert list(Outlook.objects.order_by("pk").values()) == before


def test_of_two_words_the_survivors_own_stays(rep: User) -> None:
    one, other = make_customer(owner=rep), make_customer(owner=rep)
    for customer, why in ((one, "ours"), (other, "theirs")):
        Staying.objects.create(customer=customer, reason=why, until=AS_OF, by=rep)
    record = merge(gone_id=other.pk, into_id=one.pk, by=rep, now=NOW)
    assert Staying.objects.get().reason == "ours"
    undo(merge_id=record.pk, by=rep, now=NOW)
    assert {word.reason for word in Staying.objects.all()} == {"ours", "theirs"}


def test_the_list_costs_one_statement(django_assert_num_queries) -> None:
    for _number in range(4):
        monthly(silent=120)
    run()
    job = ChurnRun.objects.get()
    with django_assert_num_queries(1):
        assert len(leaving(Customer.objects.all(), run=job, today=AS_OF)) == 4


def test_the_estimate_costs_the_same_statements_for_more_customers(
    django_assert_max_num_queries,
) -> None:
    for _number in range(12):
        monthly(silent=120, times=3)
    most = 22 if connection.vendor == "postgresql" else 20
    with django_assert_max_num_queries(most):
        run()
