"""P19, P36: exceptions to the minimum order, asked for, approved, in force, and withdrawn."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from crm.lib.formats import local_day
from customers.models import Customer
from orders.exceptions import ask_exception, change_exception
from orders.minimum import Lowered, Minimums, below, not_below, shortfall
from orders.models import MinimumException, Order, TradeTerms
from tests.factories import (
    local,
    make_customer,
    make_exception,
    make_order,
    make_product,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)


@pytest.mark.parametrize(
    ("day", "withdrawn_on", "holds"),
    [
        (date(2026, 4, 30), None, False),
        (date(2026, 5, 1), None, True),
        (date(2026, 5, 31), None, True),
        (date(2026, 6, 1), None, False),
        (date(2026, 5, 9), date(2026, 5, 10), True),
        (date(2026, 5, 10), date(2026, 5, 10), False),
        (date(2026, 5, 1), date(2026, 5, 1), False),
    ],
)
def test_p36_it_holds_on_its_days_and_before_it_is_withdrawn(day, withdrawn_on, holds):
    one = Lowered(Decimal(5), date(2026, 5, 1), date(2026, 5, 31), withdrawn_on)
    assert one.holds_on(day) is holds


@pytest.fixture
def terms(db: None) -> TradeTerms:
    """The company ships no order under 10,000."""
    return TradeTerms.objects.create(valid_from=date(2026, 1, 1), minimum_order="10000.00")


def small(customer: Customer, amount: str, at=None) -> Order:
    return make_order(customer, amount, ordered_at=at or local(2026, 6, 10, 9))


def test_p19_the_worked_example(as_, terms, rep, manager, customer, erp):
    """The company ships no order under 10,000; a county-level customer asks for 5,000; it is
    approved for that customer and period; orders between pass for it alone."""
    other = make_customer(owner=rep)
    mine, theirs = small(customer, "6000.00"), small(other, "6000.00")
    tiny = small(customer, "4999.99")
    early = small(customer, "6000.00", at=local(2026, 5, 31, 23, 59))
    late = small(customer, "6000.00", at=local(2026, 7, 1))
    client = as_(rep)
    ask = reverse("orders:exception-new", args=[customer.pk])
    data = {
        "minimum": "5000", "valid_from": "2026-06-01", "valid_to": "2026-06-30",
        "reason": "County customer, small store", "client_id": str(uuid4()),
    }  # fmt: skip
    assert client.post(ask, data).status_code == 302
    one = MinimumException.objects.get()
    everybody = {mine, theirs, tiny, early, late}
    assert set(below(Order.objects.all())) == everybody  # asked for is not approved
    approve = reverse("orders:exception-approve", args=[one.pk])
    assert client.post(approve).status_code == 403
    as_(manager).post(approve, {"reason": "For the opening season"})
    assert set(below(Order.objects.all())) == everybody - {mine}
    assert set(not_below(Order.objects.all())) == {mine}
    answer = erp.get("/api/v1/orders/?below_minimum=false").json()["results"]
    assert [row["id"] for row in answer] == [mine.pk]
    # the chips of lists and of the customer's file
    lacks = {
        row["id"]: row["lacks"] for row in as_(rep).get(reverse("orders:list")).context["rows"]
    }
    assert lacks[mine.pk] is None
    assert (lacks[theirs.pk], lacks[tiny.pk]) == (4000, Decimal("0.01"))
    page = client.get(reverse("orders:of-customer", args=[customer.pk]))
    assert sum(row["lacks"] is not None for row in page.context["rows"]) == 3
    detail = client.get(reverse("orders:detail", args=[mine.pk]))
    assert (detail.context["shortfall"], detail.context["minimum"]) == (None, 5000)
    assert reverse("orders:exceptions") in detail.content.decode()
    assert client.get(reverse("orders:detail", args=[theirs.pk])).context["shortfall"] == 4000


@pytest.mark.parametrize("seed", range(4))
def test_p36_the_statement_and_the_rule_agree(seed):
    dice = Random(seed)
    for month, minimum in ((1, 500), (4, None), (6, 800)):
        TradeTerms.objects.create(valid_from=date(2026, month, 1), minimum_order=minimum)
    customers = [make_customer() for _n in range(3)]
    boss = make_user(role="director")
    for _n in range(14):
        first = date(2026, 1, 1) + timedelta(days=dice.randint(0, 200))
        answer = dice.choice(["approved", "approved", "asked", "refused"])
        make_exception(
            dice.choice(customers),
            minimum=dice.choice([0, 100, 300, 900]),
            valid_from=first,
            valid_to=first + timedelta(days=dice.randint(0, 60)),
            answer=answer,
            answered_by=None if answer == "asked" else boss,
            withdrawn_on=dice.choice([None, None, first + timedelta(days=dice.randint(-3, 40))]),
        )
    for _n in range(60):
        make_order(
            dice.choice(customers),
            dice.choice(["50.00", "299.99", "300.00", "499.99", "700.00", "800.00"]),
            status=dice.choice(["confirmed", "completed", "cancelled", "draft"]),
            ordered_at=local(2026, 1, 1, dice.choice([0, 9, 23]), 59)
            + timedelta(days=dice.randint(0, 220)),
        )
    minimums = Minimums([one.pk for one in customers])
    wanted = {
        order.pk
        for order in Order.objects.all()
        if shortfall(
            status=order.status,
            amount=order.amount,
            minimum=minimums.on(local_day(order.ordered_at), order.customer_id),
        )
    }
    assert 0 < len(wanted) < 60
    assert set(below(Order.objects.all()).values_list("pk", flat=True)) == wanted
    rest = set(not_below(Order.objects.all()).values_list("pk", flat=True))
    assert rest == set(Order.objects.values_list("pk", flat=True)) - wanted


class TestAnswering:
    def test_nobody_approves_their_own_request_not_even_in_the_database(self, manager, customer):
        one = make_exception(customer, asked_by=manager)
        with pytest.raises(ValidationError) as no:
            change_exception(one, lambda it: it.reply("approved", by=manager, reason="", now=NOW))
        assert no.value.code == "own_request"
        with pytest.raises(IntegrityError), transaction.atomic():
            MinimumException.objects.update(answered_by=manager, answer="approved")

    @pytest.mark.parametrize(
        ("role", "allowed"),
        [
            ("director", True), ("finance", True), ("service", False), ("compliance", False),
            ("administrator", False),
        ],
    )  # fmt: skip
    def test_p19_who_may_approve(self, as_, customer, role, allowed):
        one = make_exception(customer)
        client = as_(make_user(role=role))
        answer = client.post(reverse("orders:exception-approve", args=[one.pk]))
        one.refresh_from_db()
        assert (answer.status_code == 302, one.answer == "approved") == (allowed, allowed)

    def test_a_manager_approves_in_sight_only(self, as_, stranger, customer, manager):
        south = make_user(role="manager", team=make_team(name="West"))
        one = make_exception(customer)
        approve = reverse("orders:exception-approve", args=[one.pk])
        assert as_(south).post(approve).status_code == 404
        own = make_exception(customer, asked_by=manager)
        as_(manager).post(reverse("orders:exception-approve", args=[own.pk]))
        own.refresh_from_db()
        assert own.answer == "asked"

    def test_refusing_needs_a_reason_and_an_answer_is_taken_back_the_same_day(
        self, as_, manager, customer, rep
    ):
        one = make_exception(customer, asked_by=rep)
        client = as_(manager)
        refuse = reverse("orders:exception-refuse", args=[one.pk])
        client.post(refuse, {"reason": " "})
        one.refresh_from_db()
        assert one.answer == "asked"
        page = client.post(refuse, {"reason": "Too small"}, follow=True)
        back = reverse("orders:exception-answer-back", args=[one.pk])
        assert back in page.content.decode()
        one.refresh_from_db()
        assert (one.answer, one.answer_reason) == ("refused", "Too small")
        client.post(reverse("orders:exception-approve", args=[one.pk]))
        one.refresh_from_db()
        assert one.answer == "refused"  # answered already
        client.post(back)
        one.refresh_from_db()
        assert (one.answer, one.answered_by) == ("asked", None)
        change_exception(
            one,
            lambda it: it.reply(
                "approved", by=manager, reason="", now=timezone.now() - timedelta(days=2)
            ),
        )
        client.post(back)
        one.refresh_from_db()
        assert one.answer == "approved"
        assert len(AuditEntry.objects.of(one)) == 4

    def test_what_is_withdrawn_let_pass_what_came_before(self, as_, terms, manager, customer):
        today = timezone.localdate()
        one = make_exception(
            customer, answer="approved", answered_by=manager,
            valid_from=today - timedelta(days=9), valid_to=today + timedelta(days=9),
        )  # fmt: skip
        TradeTerms.objects.update(valid_from=today - timedelta(days=99))
        before = small(customer, "6000.00", at=timezone.now() - timedelta(days=2))
        after = small(customer, "6000.00", at=timezone.now())
        client = as_(manager)
        page = client.post(reverse("orders:exception-withdraw", args=[one.pk]), follow=True)
        assert set(below(Order.objects.all())) == {after}
        restore = reverse("orders:exception-restore", args=[one.pk])
        assert restore in page.content.decode()
        client.post(restore)
        assert not below(Order.objects.all()).exists()
        assert before.pk
        MinimumException.objects.update(withdrawn_on=today - timedelta(days=1))
        client.post(restore)
        assert set(below(Order.objects.all())) == {after}

    def test_the_one_who_asked_takes_the_request_back_but_not_an_approval(
        self, as_, rep, manager, customer
    ):
        one = make_exception(customer, asked_by=rep)
        url = reverse("orders:exception-withdraw", args=[one.pk])
        client = as_(rep)
        client.post(url)
        assert not MinimumException.objects.waiting().exists()
        client.post(reverse("orders:exception-restore", args=[one.pk]))
        assert MinimumException.objects.waiting().exists()
        one.refresh_from_db()
        change_exception(one, lambda it: it.reply("approved", by=manager, reason="", now=NOW))
        assert client.post(url).status_code == 403


class TestPages:
    def test_a_double_click_asks_once_and_what_is_wrong_is_said(self, as_, terms, rep, customer):
        client = as_(rep)
        url = reverse("orders:exception-new", args=[customer.pk])
        data = {
            "minimum": "5000", "valid_from": "2026-06-01", "valid_to": "2026-06-30",
            "reason": "Small store", "client_id": str(uuid4()),
        }  # fmt: skip
        for wrong in (
            {"minimum": "10000"}, {"minimum": "-1"}, {"valid_to": "2026-05-31"}, {"reason": " "},
        ):  # fmt: skip
            assert client.post(url, {**data, **wrong}).status_code == 422
        assert not MinimumException.objects.exists()
        client.post(url, data)
        client.post(url, data)
        assert MinimumException.objects.count() == 1

    def test_order_entry_follows_it(self, as_, terms, rep, manager, customer):
        product = make_product(external_id="P-9", dealer_price="60.00")
        make_exception(customer, answer="approved", answered_by=manager)
        client = as_(rep)
        url = f"{reverse('orders:new')}?customer={customer.pk}"
        data = {
            "ordered_at": "2026-06-10T09:00", "lines": "1", "line-0-product": product.external_id,
            "line-0-quantity": "90", "check": "1", "client_id": str(uuid4()),
        }  # fmt: skip
        page = client.post(url, data)
        assert (page.context["minimum"], page.context["lacks"]) == (5000, None)
        page = client.post(url, {**data, "line-0-quantity": "80"})
        assert page.context["lacks"] == 200

    def test_the_list_is_narrowed_counted_and_exported(self, as_, manager, rep, stranger, customer):
        today = timezone.localdate()
        days = {"valid_from": today, "valid_to": today}
        make_exception(customer, reason="=Waiting", **days)
        held = make_exception(customer, answer="approved", answered_by=manager, **days)
        make_exception(customer, answer="refused", answered_by=manager, **days)
        make_exception(customer, withdrawn_on=today, **days)
        make_exception(make_customer(owner=stranger), **days)
        client = as_(manager)
        url = reverse("orders:exceptions")
        assert len(client.get(url).context["rows"]) == 4
        for state in ("waiting", "in_force", "refused", "withdrawn"):
            assert len(client.get(url, {"state": state}).context["rows"]) == 1
        rows = client.get(url, {"state": "in_force"}).context["rows"]
        assert rows[0]["id"] == held.pk
        answer = client.get(
            reverse("orders:exceptions-export"), {"format": "csv", "state": "waiting"}
        )
        (row,) = csv.reader(
            io.StringIO(b"".join(answer.streaming_content).decode().split("\r\n", 1)[1])
        )
        assert "'=Waiting" in row
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        for _n in range(60):
            make_exception(customer, asked_by=rep)
        with CaptureQueriesContext(connection) as many:
            client.get(url)
        assert len(many) <= len(few)


def test_another_app_asks_with_one_call(customer, rep: User):
    values = {
        "customer": customer, "minimum": Decimal(5000), "valid_from": date(2026, 6, 1),
        "valid_to": date(2026, 6, 30), "reason": " Support ", "by": rep, "now": NOW,
    }  # fmt: skip
    one = ask_exception(**values)
    assert (one.waits, one.reason, one.asked_by) == (True, "Support", rep)
    with pytest.raises(ValidationError):
        ask_exception(**{**values, "valid_to": date(2026, 5, 1)})
