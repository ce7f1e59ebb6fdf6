"""P39: a company that has sent no payments yet, or keeps none here, is not told fairy tales."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from orders import crediting, settling
from orders.models import Balance, Order, TradeTerms
from tests.factories import local, make_credit, make_customer, make_order, make_payment

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12)


def settle(customer) -> None:
    crediting.settle_credit(customer_ids=[customer.pk], today=TODAY, now=NOW)


@pytest.fixture
def late(rep):
    """Owes 300 since February and 50 not due yet, and has ordered 20 more."""
    customer = make_customer(owner=rep)
    make_credit(customer, hold_at="order", hold_overdue_days=10)
    make_order(customer, "300.00", status="completed", ordered_at=local(2026, 2, 1))
    make_order(customer, "50.00", status="shipped", ordered_at=local(2026, 6, 10))
    make_order(customer, "20.00", status="confirmed", ordered_at=local(2026, 6, 15))
    return customer


def held() -> bool:
    return Order.objects.filter(held=True).exists()


@pytest.mark.parametrize(
    ("first_paid", "waits"),
    [(None, False), (local(2026, 2, 2), False), (local(2026, 2, 1, 12), True)],
)
def test_nobody_is_late_in_books_that_do_not_go_back_so_far(late, first_paid, waits):
    if first_paid:
        make_payment(make_customer(), "1.00", paid_at=first_paid)
    settle(late)
    assert held() is waits
    assert Balance.objects.get(customer=late).overdue == 300  # visible all the same


def test_where_no_payments_are_kept_nobody_is_overdue_or_waits_for_it(late):
    make_payment(make_customer(), "1.00", paid_at=local(2025, 1, 1))
    settle(late)
    assert held()
    TradeTerms.objects.create(valid_from=TODAY, keeps_payments=False)
    settle(late)
    kept = Balance.objects.get(customer=late)
    # what is delivered counts as paid when it is due; the rest as before
    assert [kept.overdue, kept.not_due, kept.ordered, kept.exposure] == [0, 50, 20, 70]
    assert not held()
    crediting.settle_credit(customer_ids=[late.pk], today=TODAY - timedelta(days=1), now=NOW)
    assert held()  # the terms of the day before


def test_the_limit_still_holds_without_payments(late):
    late.credit.limit = 60
    late.credit.save()
    TradeTerms.objects.create(valid_from=TODAY, keeps_payments=False)
    settle(late)
    assert held()


@pytest.mark.parametrize(("now_kept", "messages"), [(False, 1), (True, 0)])
def test_switching_has_everybody_worked_out_again(
    monkeypatch, django_capture_on_commit_callbacks, now_kept, messages
):
    sent: list[str] = []
    monkeypatch.setattr(crediting, "send", sent.append)
    TradeTerms.objects.create(valid_from=date(2026, 1, 1), minimum_order=5)
    with django_capture_on_commit_callbacks(execute=True):
        crediting.set_terms(terms=TradeTerms(valid_from=TODAY, keeps_payments=now_kept))
    assert len(sent) == messages
    assert settling.TASK not in sent


class TestPages:
    def open(self, client, customer) -> tuple[str, str, str]:
        urls = (
            reverse("orders:receivables"),
            reverse("orders:credit", args=[customer.pk]),
        )
        pages = [client.get(url).content.decode() for url in urls]
        part = client.get(urls[1], headers={"HX-Request": "true"}).content.decode()
        return pages[0], pages[1], part

    def test_p39_without_a_single_payment_every_page_says_so_and_leads_on(self, as_, finance, late):
        settle(late)
        client = as_(finance)
        with translation.override("en"):
            pages = self.open(client, late)
        for page in pages:
            assert "No payments are stored yet" in page
            assert reverse("api-docs") in page
            assert f"{reverse('orders:terms-new')}?keeps_payments=no" in page
        assert reverse("orders:payment-new", args=[late.pk]) in pages[2]
        make_payment(make_customer())
        receivables, credit, part = self.open(client, late)
        assert "No payments are stored yet" not in receivables + credit + part
        assert "No payment of this customer is stored" in credit
        make_payment(late, "1.00")
        assert "No payment of this customer" not in self.open(client, late)[1]

    def test_finance_says_that_no_payments_are_kept_here(self, as_, finance, rep, late):
        client = as_(finance)
        url = f"{reverse('orders:terms-new')}?keeps_payments=no"
        form = client.get(url).context["form"]
        today = timezone.localdate()
        assert (form["keeps_payments"].value(), form["valid_from"].value()) == (False, today)
        client.post(url, {"valid_from": today.isoformat(), "minimum_order": ""})
        assert not TradeTerms.objects.on(today).keeps_payments
        settle(late)
        for page in self.open(client, late):
            assert "does not keep payments here" in page
        rows = client.get(reverse("orders:credit", args=[late.pk])).context["rows"]
        assert not any(row["days"] for row in rows)
        old = Order.objects.get(amount=300)
        page = client.get(reverse("orders:order-credit", args=[old.pk]))
        assert page.context["days"] == 0
