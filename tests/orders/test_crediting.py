"""P39: balances, holds and releases as they are kept, on the pages and after a sync."""

from __future__ import annotations

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from accounts.models import AuditEntry, User
from customers.merging import merge
from customers.models import Customer
from orders import crediting
from orders.balances import refresh
from orders.models import Balance, Credit, Hold, Order
from orders.payments import reverse_payment
from tests.factories import (
    local,
    make_credit,
    make_customer,
    make_order,
    make_payment,
    make_user,
)

TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db


def settle(*customers: Customer, today: date = TODAY) -> None:
    crediting.settle_credit(customer_ids=[one.pk for one in customers], today=today, now=NOW)


def recount(customer: Customer, today: date, terms: int) -> dict[str, Decimal]:
    """What a customer owes, counted cent by cent: every cent paid goes to the next cent owed."""
    owed: list[list[Any]] = []
    cents = 0
    for one in Order.objects.filter(customer=customer).order_by("ordered_at", "external_id"):
        if one.status in ("confirmed", "shipped", "completed"):
            owed.append([one, int(one.amount * 100)])
        elif one.status == "returned":
            cents += int(one.amount * 100)
    for order in owed:
        mine = sum(int(p.amount * 100) for p in customer.payments.all() if p.order == order[0])
        kept = min(max(mine, 0), order[1])
        order[1] -= kept
        cents += mine - kept
    named = [order[0] for order in owed]
    cents += sum(int(p.amount * 100) for p in customer.payments.all() if p.order not in named)
    for order in owed:
        while cents > 0 and order[1] > 0:
            order[1] -= 1
            cents -= 1
    sums = dict.fromkeys(
        ["ordered", "not_due", "overdue_30", "overdue_60", "overdue_90", "overdue_over_90"], 0
    )
    for one, rest in owed:
        late = (today - timezone.localtime(one.ordered_at).date()).days - terms
        names = list(sums)[1:]
        edges = [late > 0, late > 30, late > 60, late > 90]
        name = "ordered" if one.status == "confirmed" else names[sum(edges)]
        sums[name] += rest
    found = {name: Decimal(value) / 100 for name, value in sums.items()}
    return found | {"on_account": Decimal(cents) / 100}


def traded(rep: User, seed: int) -> Customer:
    """A customer with orders of every status over half a year, and payments of every kind."""
    dice = Random(seed)
    customer = make_customer(owner=rep)
    make_credit(customer, terms_days=dice.choice([0, 15, 30, 60]))
    orders = [
        make_order(
            customer, Decimal(dice.randint(1, 3000)) / 100,
            ordered_at=NOW - timedelta(days=dice.randint(0, 190), hours=dice.randint(0, 23)),
            status=dice.choice(
                ["draft", "confirmed", "shipped", "completed", "completed", "cancelled", "returned"]
            ),
        )
        for _n in range(12)
    ]  # fmt: skip
    for _n in range(8):
        order = dice.choice([None, None, *orders])
        make_payment(customer, Decimal(dice.choice([-200, 500, 900, 1500, 1]) / 100), order=order)
    return customer


class TestBalances:
    @pytest.mark.parametrize("seed", range(6))
    def test_p39_a_balance_agrees_with_a_recount(self, rep, seed):
        customers = [traded(rep, seed * 10 + n) for n in range(4)]
        settle(*customers)
        for one in customers:
            kept = Balance.objects.get(customer=one)
            wanted = recount(one, TODAY, one.credit.terms_days)
            assert {name: getattr(kept, name) for name in wanted} == wanted
            assert kept.overdue == kept.delivered - kept.not_due
            assert kept.exposure == kept.ordered + kept.delivered - kept.on_account

    def test_the_cost_does_not_grow_with_customers_and_orders(self, rep):
        def cost(*customers: Customer) -> int:
            with CaptureQueriesContext(connection) as queries:
                settle(*customers)
            return len(queries)

        few = cost(traded(rep, 1))
        assert cost(*(traded(rep, n) for n in range(2, 12))) <= few

    def test_it_follows_every_change_and_goes_with_the_last_order(self, rep):
        one = make_customer(owner=rep)
        order = make_order(one, "100.00", ordered_at=NOW)
        settle(one)
        assert Balance.objects.get(customer=one).not_due == 100
        payment = make_payment(one, "40.00")
        settle(one)
        assert Balance.objects.get(customer=one).not_due == 60
        reverse_payment(payment=payment, reason="Bounced", now=NOW)
        settle(one)
        assert Balance.objects.get(customer=one).not_due == 100
        order.status = "cancelled"
        order.save()
        settle(one)
        kept = Balance.objects.filter(customer=one).owing()
        assert not kept.exists()

    def test_the_night_makes_it_a_day_older(self, rep):
        one = make_customer(owner=rep)
        make_order(one, "100.00", ordered_at=local(2026, 5, 17, 23, 59))
        crediting.settle_all(today=TODAY, now=NOW)
        assert Balance.objects.get(customer=one).overdue == 0
        crediting.settle_all(today=TODAY + timedelta(days=1), now=NOW)
        kept = Balance.objects.get(customer=one)
        assert (kept.overdue_30, kept.as_of) == (Decimal(100), TODAY + timedelta(days=1))

    def test_it_is_in_the_schedule_of_the_night(self):
        task = PeriodicTask.objects.get(task="orders.tasks.settle_credit_nightly")
        assert task.enabled

    def test_a_merge_hands_the_credit_over_and_counts_both_as_one(self, rep):
        gone, into = make_customer(owner=rep), make_customer(owner=rep)
        make_credit(gone, limit=500)
        make_order(gone, "10.00", ordered_at=NOW)
        make_order(into, "20.00", ordered_at=NOW)
        settle(gone, into)
        merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
        settle(into)
        assert Credit.objects.get().customer_id == into.pk
        assert Balance.objects.get().not_due == 30


@pytest.fixture
def limited(rep: User) -> Customer:
    """A customer that may owe 100."""
    customer = make_customer(owner=rep)
    make_credit(customer, limit=100, hold_at="order")
    return customer


def confirmed(customer: Customer, amount: str, hour: int = 9) -> Order:
    at = local(2026, 6, 15, hour)
    return make_order(customer, amount, status="confirmed", ordered_at=at)


def is_held(order: Order) -> bool:
    return Order.objects.get(pk=order.pk).held


class TestHolding:
    def test_p39_an_order_beyond_the_limit_waits_until_there_is_room(self, limited):
        first, second = confirmed(limited, "80.00", 9), confirmed(limited, "30.00", 10)
        settle(limited)
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.held, second.held) == (False, True)
        hold = Hold.objects.get()
        assert hold.facts == {"limit": "100.00", "used": "80.00", "open": "30.00"}
        entry = AuditEntry.objects.of(second)[0]
        assert (entry.before, entry.after) == ({"held": False}, {"held": True})
        version = second.version
        settle(limited)
        second.refresh_from_db()
        assert (second.version, Hold.objects.count()) == (version, 1)
        make_payment(limited, "10.00")
        settle(limited)
        assert not is_held(second)
        assert Hold.objects.get().ended_at == NOW

    @pytest.mark.parametrize("status", ["cancelled", "shipped", "draft"])
    def test_an_order_that_goes_on_waits_no_more(self, limited, status):
        order = confirmed(limited, "130.00")
        settle(limited)
        Order.objects.update(status=status)
        settle(limited)
        assert not is_held(order)
        assert not Hold.objects.open().exists()

    def test_p39_released_with_a_reason_it_is_not_held_again_for_that(self, limited, finance):
        order = confirmed(limited, "130.00")
        settle(limited)
        crediting.release(order=order, by=finance, reason=" Pays on Friday ", now=NOW)
        settle(limited)
        assert not is_held(order)
        hold = Hold.objects.get()
        assert (hold.released_by, hold.reason, hold.ended_at) == (finance, "Pays on Friday", NOW)
        # another cause is another matter
        make_payment(make_customer(), "1.00", paid_at=local(2025, 12, 31))
        Credit.objects.update(hold_overdue_days=5)
        make_order(limited, "1.00", status="shipped", ordered_at=local(2026, 1, 1))
        settle(limited)
        assert is_held(order)
        assert Hold.objects.open().get().cause == "overdue"

    def test_releasing_without_a_reason_twice_or_too_late_is_refused(self, limited, finance):
        order = confirmed(limited, "130.00")
        settle(limited)
        with pytest.raises(ValidationError) as no:
            crediting.release(order=order, by=finance, reason="  ", now=NOW)
        assert no.value.error_dict.keys() == {"reason"}
        crediting.release(order=order, by=finance, reason="Yes", now=NOW)
        with pytest.raises(ValidationError) as no:
            crediting.release(order=order, by=finance, reason="Yes", now=NOW)
        assert no.value.code == "released"
        other = confirmed(limited, "131.00", 11)
        settle(limited)
        Order.objects.filter(pk=other.pk).update(status="cancelled")
        with pytest.raises(ValidationError) as no:
            crediting.release(order=other, by=finance, reason="Yes", now=NOW)
        assert no.value.code == "gone_on"
        settle(limited)
        with pytest.raises(ValidationError) as no:
            crediting.release(order=other, by=finance, reason="Yes", now=NOW)
        assert no.value.code == "not_held"

    def test_a_release_is_taken_back(self, limited, finance):
        order = confirmed(limited, "130.00")
        settle(limited)
        crediting.release(order=order, by=finance, reason="Yes", now=NOW)
        crediting.hold_again(order=order, now=NOW)
        settle(limited)
        assert is_held(order)
        assert Hold.objects.get().released_by is None
        with pytest.raises(ValidationError):
            crediting.hold_again(order=order, now=NOW)

    def test_raising_the_limit_lets_go(self, limited):
        order = confirmed(limited, "130.00")
        settle(limited)
        credit = Credit.objects.get()
        credit.limit, credit.reason = Decimal(200), "Good payer"
        crediting.set_credit(credit=credit)
        settle(limited)
        assert not is_held(order)

    def test_a_synced_order_is_judged_after_its_commit(
        self, erp, limited, monkeypatch, django_capture_on_commit_callbacks
    ):
        sent = {
            "external_id": "SO-X", "customer": limited.external_id, "amount": "500.00",
            "ordered_at": "2026-06-15T10:00:00+08:00", "status": "confirmed",
        }  # fmt: skip
        with django_capture_on_commit_callbacks() as queued:
            erp.post("/api/v1/orders/sync/", [sent], format="json")
        assert len(queued) == 1
        settle(limited)
        answer = erp.get("/api/v1/orders/?held=true").json()
        assert [one["external_id"] for one in answer["results"]] == ["SO-X"]


@pytest.mark.django_db(transaction=True)
def test_of_two_people_releasing_at_once_one_is_told(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    customer = make_customer()
    make_credit(customer, limit=1, hold_at="order")
    order = confirmed(customer, "130.00")
    settle(customer)
    people = [make_user(role="finance") for _n in range(2)]
    start = threading.Barrier(2)

    def press(user: User) -> str:
        try:
            start.wait(10)
            crediting.release(order=order, by=user, reason="Yes", now=NOW)
            return "done"
        except ValidationError as no:
            return str(no.code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, people)) == ["done", "released"]
    assert Hold.objects.exclude(released_by=None).count() == 1


class TestPages:
    def test_finance_sets_the_credit_with_a_reason(self, as_, finance, limited):
        client = as_(finance)
        url = reverse("orders:credit-edit", args=[limited.pk])
        data = {
            "limit": "1,250.50", "terms_days": "45", "hold_at": "delivery",
            "hold_overdue_days": "", "reason": "Yearly review", "version": limited.credit.version,
        }  # fmt: skip
        assert client.post(url, {**data, "reason": ""}).status_code == 422
        assert client.post(url, data).status_code == 302
        credit = Credit.objects.get()
        assert (credit.limit, credit.terms_days) == (Decimal("1250.50"), 45)
        page = client.get(reverse("orders:credit", args=[limited.pk])).content.decode()
        assert "Yearly review" in page
        stale = client.post(url, {**data, "limit": "1"})
        assert stale.status_code == 422
        assert stale.context["form"].changes
        assert Credit.objects.get().limit == Decimal("1250.50")

    def test_a_rep_sees_the_credit_and_sets_none(self, as_, rep, limited):
        client = as_(rep)
        assert client.get(reverse("orders:credit", args=[limited.pk])).status_code == 200
        assert client.get(reverse("orders:credit-edit", args=[limited.pk])).status_code == 403
        assert client.get(reverse("orders:receivables")).status_code == 403

    def test_p39_every_figure_opens_the_orders_behind_it(self, as_, finance, rep):
        one = traded(rep, 3)
        today = timezone.localdate()
        refresh([one.pk], today=today)
        client = as_(finance)
        url = reverse("orders:credit", args=[one.pk])
        (row,) = client.get(reverse("orders:receivables")).context["rows"]
        for name, value in row["parts"]:
            rows = client.get(url, {"part": name}).context["rows"]
            assert sum(r["open"] for r in rows) == value

    def test_the_list_adds_up_filters_and_leaves_as_a_file(self, as_, finance, rep, limited):
        others = [traded(rep, n) for n in range(5)]
        confirmed(limited, "130.00")
        settle(limited, *others)
        client = as_(finance)
        url = reverse("orders:receivables")
        page = client.get(url)
        owing = [b for b in Balance.objects.all() if b.exposure or b.ordered or b.delivered]
        assert page.context["totals"]["exposure"] == sum(b.exposure for b in owing)
        over = client.get(url, {"over_limit": "true"}).context["rows"]
        assert [row["customer_id"] for row in over] == [limited.pk]
        assert over[0]["available"] == -30
        late = client.get(url, {"overdue": "true"}).context["rows"]
        assert {row["customer_id"] for row in late} == {b.customer_id for b in owing if b.overdue}
        sheet = client.get(
            reverse("orders:receivables-export"), {"format": "csv", "over_limit": "true"}
        )
        text = b"".join(sheet.streaming_content).decode("utf-8-sig")
        (line,) = csv.DictReader(io.StringIO(text))
        assert (line["Credit limit"], line["Available"]) == ("100.00", "-30.00")

    def test_a_manager_sees_her_teams_and_no_other(self, as_, manager, rep, stranger):
        mine, other = traded(rep, 1), traded(stranger, 2)
        settle(mine, other)
        rows = as_(manager).get(reverse("orders:receivables")).context["rows"]
        assert [row["customer_id"] for row in rows] == [mine.pk]

    def test_the_order_says_why_it_waits_and_is_released(self, as_, finance, limited):
        order = confirmed(limited, "130.00")
        settle(limited)
        client = as_(finance)
        part = client.get(reverse("orders:order-credit", args=[order.pk])).content.decode()
        assert "Limit ¥100.00; ¥0.00 counts already, this order adds ¥130.00: ¥30.00" in part
        release = reverse("orders:release", args=[order.pk])
        client.post(release, {"reason": "\x00"})
        assert is_held(order)
        said = client.post(release, {"reason": "Pays on Friday"}, follow=True).content.decode()
        assert reverse("orders:hold-again", args=[order.pk]) in said
        assert not is_held(order)
        client.post(reverse("orders:hold-again", args=[order.pk]))
        assert is_held(order)

    def test_a_rep_releases_nothing(self, as_, rep, limited):
        order = confirmed(limited, "130.00")
        settle(limited)
        answer = as_(rep).post(reverse("orders:release", args=[order.pk]), {"reason": "x"})
        assert answer.status_code == 403
        assert is_held(order)

    def test_days_sales_outstanding_of_a_customer(self, as_, finance, rep):
        one = make_customer(owner=rep)
        now: datetime = timezone.now()
        make_order(one, "300.00", status="shipped", ordered_at=now - timedelta(days=10))
        enter = make_payment(one, "200.00", paid_at=now)
        assert enter.amount == 200
        page = as_(finance).get(reverse("orders:credit", args=[one.pk]))
        assert page.context["dso"] == Decimal("30.0")
