"""Payments: as an ERP sends them, as people enter them and take them back (P2, P39)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, SyncCall
from customers.merging import merge
from customers.models import Alias, Customer
from customers.timeline import collect
from customers.unmerging import undo
from orders import balances
from orders.models import Payment
from orders.payments import enter_payment, reverse_payment
from tests.factories import local, make_customer, make_order, make_payment
from tests.syncing import Bulk

URL = "/api/v1/payments/sync/"
NOW = local(2026, 6, 16, 12)
bulk = Bulk(URL)
sync, became, refused = bulk.sync, bulk.became, bulk.refused
pytestmark = pytest.mark.django_db


def record(number: str = "PAY-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number, "customer": "C-1", "paid_at": "2026-06-10T10:00:00+08:00",
        "amount": "100.00", **values,
    }  # fmt: skip


@pytest.fixture
def one(rep) -> Customer:
    return make_customer(external_id="C-1", owner=rep)


class TestSync:
    def test_every_field_comes_in_and_a_second_sending_changes_nothing(self, erp, one):
        order = make_order(one, external_id="SO-1")
        sent = record(
            order="SO-1",
            method="银行转账",
            amount="-12.5",
            source_updated_at="2026-06-10T03:00:00Z",
        )
        assert became(erp, sent) == {"created": 1}
        stored = Payment.objects.get()
        assert (stored.customer, stored.order, stored.method) == (one, order, "银行转账")
        assert (stored.amount, stored.paid_at) == (Decimal("-12.50"), local(2026, 6, 10, 10))
        assert became(erp, sent) == {"unchanged": 1}
        assert Payment.objects.get().version == 1
        entry = AuditEntry.objects.of(stored).get()
        assert (entry.action, entry.through, entry.object_name) == ("create", "sync", "PAY-1")
        assert SyncCall.objects.values_list("resource", "created").last() == ("payments", 1)

    def test_null_empties_and_what_is_left_out_stays(self, erp, one):
        make_order(one, external_id="SO-1")
        became(erp, record(order="SO-1", method="微信支付"))
        assert became(erp, {"external_id": "PAY-1", "order": None}) == {"updated": 1}
        stored = Payment.objects.get()
        assert (stored.order, stored.method, stored.amount) == (None, "微信支付", Decimal(100))

    def test_an_older_record_is_stale(self, erp, one):
        became(erp, record(amount="5.00", source_updated_at="2026-06-02T00:00:00Z"))
        old = record(amount="4.00", source_updated_at="2026-06-01T00:00:00Z")
        assert became(erp, old) == {"stale": 1}
        assert Payment.objects.get().amount == 5

    @pytest.mark.parametrize(
        ("values", "field", "words"),
        [
            ({"amount": "0.00"}, "amount", "not zero"),
            ({"amount": "1e999"}, "amount", ""),
            ({"amount": "0.001"}, "amount", ""),
            ({"amount": None}, "amount", "cannot be empty"),
            ({"customer": "C-404"}, "customer", "No customer has external_id 'C-404'."),
            ({"order": "SO-404"}, "order", "No order has external_id 'SO-404'."),
            ({"order": "SO-OTHER"}, "order", "another customer"),
            ({"paid_at": "2026-02-29T00:00:00Z"}, "paid_at", ""),
            ({"method": "x" * 51}, "method", ""),
        ],
    )
    def test_a_wrong_payment_is_rejected_by_field_and_stops_no_other(
        self, erp, one, values, field, words
    ):
        make_order(make_customer(external_id="C-2"), external_id="SO-OTHER")
        answer = sync(erp, record("BAD", **values), record("GOOD"))
        assert (answer["created"], answer["rejected"]) == (1, 1)
        (error,) = answer["errors"]
        assert words in str(error["errors"][field])

    def test_the_number_of_a_merged_file_means_the_one_that_survived(self, erp, one):
        Alias.objects.create(customer=one, external_id="C-OLD")
        assert became(erp, record(customer="C-OLD")) == {"created": 1}
        assert Payment.objects.get().customer == one

    def test_what_was_taken_back_here_stays_as_it_is(self, erp, one):
        became(erp, record())
        reverse_payment(payment=Payment.objects.get(), reason="Bounced", now=NOW)
        assert set(refused(erp, record(amount="99.00"))["PAY-1"]) == {"amount"}
        assert became(erp, record(method="cash")) == {"updated": 1}

    def test_with_atomic_one_rejection_writes_nothing(self, erp, one):
        answer = erp.post(f"{URL}?atomic=true", [record(), record("P-2", amount=0)], format="json")
        assert answer.status_code == 422
        assert not Payment.objects.exists()

    def test_the_number_of_queries_does_not_grow_with_the_batch(self, erp, one):
        make_order(one, external_id="SO-1")

        def cost(batch: range) -> int:
            records = [record(f"P-{n}", order="SO-1") for n in batch]
            with CaptureQueriesContext(connection) as queries:
                assert became(erp, *records) == {"created": len(records)}
            return len(queries)

        cost(range(1))
        few = cost(range(1, 3))
        assert cost(range(3, 80)) == few

    def test_a_sync_asks_for_the_balances_once_and_after_its_commit(
        self, erp, one, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks() as queued:
            became(erp, *(record(f"P-{n}") for n in range(20)))
        assert len(queued) == 1
        with django_capture_on_commit_callbacks() as queued:
            became(erp, *(record(f"P-{n}") for n in range(20)))
        assert queued == []

    @settings(
        max_examples=30,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        batch=st.lists(
            st.tuples(st.integers(1, 4), st.integers(-500, 500), st.sampled_from(["a", "", None])),
            max_size=8,
        )
    )
    def test_whatever_is_sent_twice_is_unchanged(self, erp, one, batch):
        Payment.objects.all().delete()
        latest = {
            f"P-{n}": record(f"P-{n}", amount=f"{cents / 100:.2f}", method=method)
            for n, cents, method in batch
        }
        first = sync(erp, *latest.values())
        again = sync(erp, *latest.values())
        assert (again["created"], again["updated"]) == (0, 0)
        assert again["unchanged"] == first["created"] == Payment.objects.count()


class TestApi:
    def test_a_payment_is_read_in_the_shape_of_the_contract(self, erp, one):
        order = make_order(one, external_id="SO-1")
        payment = make_payment(one, "12.50", external_id="PAY-9", order=order, method="cash")
        answer = erp.get(f"/api/v1/payments/{payment.pk}/")
        shown = answer.json()
        assert (shown["customer"], shown["order"], shown["amount"]) == ("C-1", "SO-1", "12.50")
        assert shown["paid_at"] == "2026-06-10T10:00:00+08:00"
        assert answer["ETag"]

    def test_it_is_read_only(self, erp, one):
        assert erp.post("/api/v1/payments/", record(), format="json").status_code == 405

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("customer=C-1", 2),
            ("customer=C-404", 0),
            ("order=SO-1", 1),
            ("paid_from=2026-06-11", 1),
            ("paid_to=2026-06-10", 1),
            ("state=standing", 2),
            ("updated_since=2020-01-01T00:00:00Z", 2),
            ("external_id=A", 1),
        ],
    )
    def test_filters(self, erp, one, query, found):
        make_payment(one, external_id="A", order=make_order(one, external_id="SO-1"))
        make_payment(one, external_id="B", paid_at=local(2026, 6, 11))
        answer = erp.get(f"/api/v1/payments/?{query}")
        assert answer.status_code == 200, answer.content
        assert len(answer.json()["results"]) == found


class TestByHand:
    def enter(self, customer: Customer, **values: Any) -> Payment:
        usual: dict[str, Any] = {
            "order": None, "paid_at": NOW - timedelta(hours=1), "amount": Decimal("50.00"),
            "method": "cash", "note": "", "client_id": uuid4(), "now": NOW,
        }  # fmt: skip
        return enter_payment(customer=customer, **{**usual, **values})

    def test_pressed_twice_it_is_there_once(self, one):
        mark = uuid4()
        assert self.enter(one, client_id=mark) == self.enter(one, client_id=mark)
        assert Payment.objects.count() == 1

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"amount": Decimal(0)}, "amount"),
            ({"amount": Decimal(-1)}, "amount"),
            ({"paid_at": NOW + timedelta(minutes=1)}, "paid_at"),
            ({"method": "x" * 51}, "method"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, one, values, field):
        with pytest.raises(ValidationError) as refusal:
            self.enter(one, **values)
        assert set(refusal.value.message_dict) == {field}
        assert not Payment.objects.exists()

    def test_the_order_of_another_customer_is_refused(self, one):
        with pytest.raises(ValidationError) as refusal:
            self.enter(one, order=make_order())
        assert set(refusal.value.message_dict) == {"order"}
        assert not Payment.objects.exists()

    def test_p39_a_reversal_is_a_payment_that_points_to_the_other(self, one):
        order = make_order(one, "80.00")
        payment = self.enter(one, order=order)
        reversal = reverse_payment(payment=payment, reason=" Bounced ", now=NOW)
        assert (reversal.amount, reversal.order, reversal.reverses) == (
            Decimal(-50),
            order,
            payment,
        )
        assert reversal.note == "Bounced"
        assert balances.ledger_of(one.pk).open == {order.pk: Decimal("80.00")}
        with pytest.raises(ValidationError) as refusal:
            reverse_payment(payment=payment, reason="Again", now=NOW)
        assert refusal.value.code == "reversed"
        back = reverse_payment(payment=reversal, reason="It came after all", now=NOW)
        assert (back.amount, back.reverses) == (Decimal(50), reversal)
        assert balances.ledger_of(one.pk).open == {order.pk: Decimal("30.00")}
        assert Payment.objects.count() == 3
        assert AuditEntry.objects.of(reversal).get().action == "create"

    def test_a_merge_hands_payments_over_and_back(self, one, rep):
        gone = make_customer(owner=rep)
        payment = make_payment(gone)
        done = merge(gone_id=gone.pk, into_id=one.pk, by=rep, now=NOW)
        payment.refresh_from_db()
        assert payment.customer == one
        undo(merge_id=done.pk, by=rep, now=NOW)
        payment.refresh_from_db()
        assert payment.customer_id == gone.pk


class TestPages:
    def post(self, client: Any, customer: Customer, **values: Any) -> Any:
        data = {
            "amount": "1,250.50", "paid_at": "2026-06-10T09:30", "method": "cash",
            "client_id": str(uuid4()), "order": "", "note": "", **values,
        }  # fmt: skip
        return client.post(reverse("orders:payment-new", args=[customer.pk]), data)

    def test_finance_enters_a_payment_and_takes_it_back_with_undo(self, as_, finance, one):
        make_order(one, external_id="SO-1")
        client = as_(finance)
        answer = self.post(client, one, order="SO-1")
        assert answer.status_code == 302
        payment = Payment.objects.get()
        assert (payment.amount, payment.paid_at) == (Decimal("1250.50"), local(2026, 6, 10, 9, 30))
        page = client.get(answer["Location"]).content.decode()
        undo = f"{reverse('orders:payment-reverse', args=[payment.pk])}?undo=1"
        assert undo in page
        client.post(undo)
        assert payment.reversal.amount == -payment.amount
        client.post(f"{reverse('orders:payment-reverse', args=[payment.reversal.pk])}?undo=1")
        assert sum(Payment.objects.values_list("amount", flat=True)) == Decimal("1250.50")

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({"amount": "0"}, "0.01"),
            ({"amount": "x"}, "Enter a number"),
            ({"order": "SO-404"}, "This customer has no order SO-404."),
            ({"paid_at": "2099-01-01T00:00"}, "This moment has not come yet."),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(
        self, as_, finance, one, values, words
    ):
        answer = self.post(as_(finance), one, **values)
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert not Payment.objects.exists()

    def test_a_reason_is_asked_for(self, as_, finance, one):
        payment = make_payment(one)
        as_(finance).post(reverse("orders:payment-reverse", args=[payment.pk]), {"reason": " "})
        assert not Payment.objects.exclude(pk=payment.pk).exists()

    def test_a_rep_reads_payments_and_writes_none(self, as_, rep, one):
        payment = make_payment(one)
        client = as_(rep)
        assert client.get(reverse("orders:payment", args=[payment.pk])).status_code == 200
        assert self.post(client, one).status_code == 403
        undo = reverse("orders:payment-reverse", args=[payment.pk])
        assert client.post(undo, {"reason": "x"}).status_code == 403
        assert Payment.objects.count() == 1

    def test_the_list_is_filtered_counted_and_exported(self, as_, finance, rep, one):
        for n in range(3):
            make_payment(one, 10 + n, external_id=f"A-{n}", paid_at=local(2026, 6, 1 + n))
        reverse_payment(payment=Payment.objects.get(external_id="A-0"), reason="x", now=NOW)
        client = as_(finance)
        url = reverse("orders:payments")
        with CaptureQueriesContext(connection) as few:
            client.get(url)
        for n in range(60):
            make_payment(one, external_id=f"B-{n}")
        with CaptureQueriesContext(connection) as many:
            page = client.get(url)
        assert len(many) <= len(few)
        assert page.context["page"].next
        found = client.get(url, {"state": "reversed"}).context["page"].rows
        assert sorted(row["amount"] for row in found) == [-10, 10]
        assert len(client.get(url, {"q": "a-"}).context["page"].rows) == 3
        sheet = client.get(reverse("orders:payments-export"), {"format": "csv", "q": "A-1"})
        lines = b"".join(sheet.streaming_content).decode().splitlines()
        assert len(lines) == 2
        assert "A-1,2026-06-02 00:00:00" in lines[1]

    def test_p2_payments_stand_on_the_timeline(self, as_, rep, one):
        payment = make_payment(one, "12.50", method="cash")
        reverse_payment(payment=payment, reason="Bounced", now=datetime(2026, 6, 12, tzinfo=UTC))
        with translation.override("en"):
            told = collect(one, before=None, kind="payment").entries
        assert [entry.title for entry in told] == ["Paid back ¥12.50", "Paid ¥12.50"]
        assert "taken back since" in told[1].text
        page = as_(rep).get(reverse("customers:timeline", args=[one.pk]), {"kind": "trade"})
        assert "Paid ¥12.50" in page.content.decode()
