"""P39: credit reviews run over all customers, decided on the pages, and taken back."""

from __future__ import annotations

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django_celery_beat.models import PeriodicTask

from accounts.models import JobRun, JobState, User
from accounts.schedule import in_words
from customers.merging import merge
from customers.models import Customer
from orders import crediting, reviews
from orders.models import Credit, CreditReview, CreditRules
from orders.tasks import review_credit
from tests.factories import (
    local,
    make_credit,
    make_customer,
    make_hold,
    make_order,
    make_payment,
    make_user,
)

TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12)
pytestmark = pytest.mark.django_db


def run(today: date = TODAY) -> dict[str, Any]:
    return reviews.review_all(lambda _done, _total: None, today=today, now=NOW)


def buyer(
    owner: User | None = None, *, limit: int | None = 20_000, late: int = 0, **values: Any
) -> Customer:
    """Buys 30,000 on each of 12 days a month apart, and pays each 30 + `late` days later."""
    customer = make_customer(owner=owner, abc="B", **values)
    if limit is not None:
        make_credit(customer, limit=limit, terms_days=30)
    for n in range(12):
        at = local(2026, 6, 10, 9) - timedelta(days=30 * n)
        order = make_order(customer, "30000.00", status="completed", ordered_at=at)
        paid_at = at + timedelta(days=30 + late)
        if paid_at <= NOW:
            make_payment(customer, "30000.00", order=order, paid_at=paid_at)
    return customer


def open_one(customer: Customer) -> CreditReview:
    return CreditReview.objects.open().get(customer=customer)


class TestRunning:
    def test_p39_good_payers_are_raised_late_ones_lowered_and_the_rest_left_alone(self, rep):
        good, late = buyer(rep), buyer(rep, late=25)
        fitting = buyer(rep, limit=54_000)
        unlimited = buyer(rep, limit=None)
        idle = make_customer(owner=rep)
        result = run()
        assert result == {"set": 1, "raise": 1, "lower": 1, "stop": 0, "customers": 5}
        # 360,000 ÷ 365 × 55 = 54,246.58 at tier B; one review moves 20,000 by 30 % at most
        one = open_one(good)
        assert (one.kind, one.current, one.proposed) == ("raise", Decimal(20_000), Decimal(26_000))
        assert one.facts["wanted"] == f"{Decimal(360_000) / 365 * 55:.2f}"
        assert one.facts["pay_days"] == "30.0"
        assert (open_one(late).kind, open_one(late).proposed) == ("lower", Decimal(14_000))
        assert open_one(late).facts["pay_days"] == "55.0"
        assert (open_one(unlimited).kind, open_one(unlimited).proposed) == ("set", Decimal(54_000))
        assert not CreditReview.objects.filter(customer__in=[fitting, idle]).exists()

    def test_p39_what_is_overdue_for_very_long_is_stopped_and_says_so(self, rep):
        customer = make_customer(owner=rep)
        make_credit(customer, limit=5000)
        make_order(customer, "800.00", status="shipped", ordered_at=local(2026, 1, 1))
        make_payment(make_customer(), "1.00", paid_at=local(2025, 1, 1))
        run()
        one = open_one(customer)
        assert (one.kind, one.proposed) == ("stop", Decimal(0))
        with translation.override("en"):
            told = " ".join(reviews.why(one))
        # due on 31 January: 136 days ago
        assert "¥800.00 of ¥800.00 is overdue (100.0\xa0%; 20 % are allowed)" in told
        assert "overdue for 136 days; credit stops after 90" in told

    def test_releases_and_the_tier_are_read(self, rep, finance):
        often, key = buyer(rep), buyer(rep, key_account=True, limit=54_000)
        for n, order in enumerate(often.orders.all()[:4]):
            make_hold(
                order, released_by=finance, ended_at=local(2026, 6, 1 + n), reason="Pays soon"
            )
        run()
        assert not CreditReview.objects.filter(customer=often).exists()
        assert open_one(key).facts["tier"] == "A"
        assert open_one(key).proposed == 65_000  # 120 % of 54,246.58

    def test_the_cost_does_not_grow_with_customers(self, rep):
        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                run()
            return len(queries)

        buyer(rep)
        cost()
        few = cost()
        for _n in range(5):
            buyer(rep)
        cost()
        assert cost() <= few

    def test_a_new_run_brings_up_to_date_and_proposes_nothing_twice(self, rep, finance):
        customer = buyer(rep)
        run()
        first = open_one(customer)
        run(TODAY + timedelta(days=1))
        again = open_one(customer)
        assert (again.pk, again.as_of) == (first.pk, TODAY + timedelta(days=1))
        assert again.version == first.version + 1
        reviews.decline(
            review=again, reason="Wants none", version=again.version, by=finance, now=NOW
        )
        run()
        assert not CreditReview.objects.open().exists()
        Credit.objects.update(limit=10_000)  # other numbers are another matter
        run()
        assert open_one(customer).proposed == 13_000
        Credit.objects.update(limit=54_000)
        run()
        assert not CreditReview.objects.open().exists()

    def test_rules_hold_from_their_day_on(self, rep):
        customer = buyer(rep)
        CreditRules.objects.create(valid_from=TODAY, cap=100, spread_days=0, step=500)
        CreditRules.objects.create(valid_from=TODAY + timedelta(days=1), cap=1)
        run()
        assert open_one(customer).proposed == 29_500  # 360,000 ÷ 365 × 30 = 29,589.04

    def test_the_job_does_it_and_is_in_the_schedule_of_the_month(self, rep, finance):
        buyer(rep)
        job = JobRun.objects.create(kind="credit-review", owner=finance, created_at=NOW)
        review_credit(job_id=job.pk)
        job.refresh_from_db()
        assert (job.state, job.result["customers"]) == (JobState.DONE, 1)
        task = PeriodicTask.objects.get(task="orders.tasks.review_credit_monthly")
        with translation.override("en"):
            assert in_words(task) == "on day 2 of every month at 03:30"

    def test_p5_a_merge_hands_decisions_over_and_drops_what_is_open(self, rep, finance):
        gone, into = buyer(rep), buyer(rep)
        run()
        one = open_one(gone)
        reviews.decline(review=one, reason="No", version=one.version, by=finance, now=NOW)
        run()
        merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
        assert CreditReview.objects.filter(customer=into).count() == 2
        assert CreditReview.objects.open().filter(customer=into).count() == 1


class TestDeciding:
    def test_p39_accepting_sets_the_credit_with_its_reason_and_is_taken_back(self, rep, finance):
        customer = buyer(rep)
        run()
        one = open_one(customer)
        reviews.accept(
            review=one, amount=Decimal(25_000), reason="", version=one.version, by=finance, now=NOW
        )
        credit = Credit.objects.get()
        assert credit.limit == 25_000
        assert "2026-06-16" in credit.reason
        one.refresh_from_db()
        assert (one.state, one.granted, one.decided_by) == ("accepted", Decimal(25_000), finance)
        reviews.reopen(review=one)
        assert Credit.objects.get().limit == 20_000
        again = open_one(customer)
        reviews.accept(
            review=again, amount=again.proposed, reason="Good payer", version=again.version,
            by=finance, now=NOW,
        )  # fmt: skip
        assert Credit.objects.get().reason == "Good payer"

    def test_a_stop_holds_orders_and_a_first_limit_goes_with_its_undo(self, rep, finance):
        late = make_customer(owner=rep)
        make_credit(late, limit=5000)
        make_order(late, "800.00", status="shipped", ordered_at=local(2026, 1, 1))
        new = buyer(rep, limit=None)
        run()
        for customer in (late, new):
            one = open_one(customer)
            reviews.accept(
                review=one, amount=one.proposed, reason="", version=one.version, by=finance, now=NOW
            )
        stopped = Credit.objects.get(customer=late)
        assert (stopped.limit, stopped.hold_at) == (Decimal(0), "order")
        order = make_order(late, "1.00", status="confirmed", ordered_at=NOW)
        crediting.settle_credit(customer_ids=[late.pk], today=TODAY, now=NOW)
        order.refresh_from_db()
        assert order.held
        for one in CreditReview.objects.filter(state="accepted"):
            reviews.reopen(review=one)
        stopped.refresh_from_db()
        assert (stopped.limit, stopped.hold_at) == (Decimal(5000), "never")
        assert Credit.objects.get(customer=new).limit is None

    def test_a_credit_that_somebody_changed_meanwhile_is_not_overwritten(self, as_, rep, finance):
        customer = buyer(rep)
        run()
        one = open_one(customer)
        other = make_user("wang", name="王会计", role="finance")
        client = as_(other)
        client.post(
            reverse("orders:credit-edit", args=[customer.pk]),
            {"limit": "22000", "terms_days": "30", "hold_at": "never", "reason": "By phone",
             "version": customer.credit.version},
        )  # fmt: skip
        with pytest.raises(ValidationError) as no:
            reviews.accept(
                review=one, amount=one.proposed, reason="", version=one.version, by=finance, now=NOW
            )
        assert no.value.code == "overtaken"
        assert "王会计" in no.value.messages[0]
        assert Credit.objects.get().limit == 22_000

    def test_of_stale_decided_and_replaced_proposals_each_is_refused(self, rep, finance):
        customer = buyer(rep)
        run()
        one = open_one(customer)
        run(TODAY + timedelta(days=1))
        wanted = {"amount": one.proposed, "reason": "", "by": finance, "now": NOW}
        with pytest.raises(ValidationError) as no:
            reviews.accept(review=one, version=one.version, **wanted)
        assert no.value.code == "changed"
        one.refresh_from_db()
        reviews.accept(review=one, version=one.version, **wanted)
        one.refresh_from_db()
        with pytest.raises(ValidationError) as no:
            reviews.decline(review=one, reason="No", version=one.version, by=finance, now=NOW)
        assert no.value.code == "decided"
        run()  # 26,000 may be raised once more
        with pytest.raises(ValidationError) as no:
            reviews.reopen(review=one)
        assert no.value.code == "newer"
        newer = open_one(customer)
        CreditReview.objects.filter(pk=newer.pk).delete()
        with pytest.raises(ValidationError) as no:
            reviews.accept(review=newer, version=newer.version, **wanted)
        assert no.value.code == "gone"
        credit = Credit.objects.get()
        credit.reason = "Something else"
        credit.save()
        with pytest.raises(ValidationError) as no:
            reviews.reopen(review=one)
        assert no.value.code == "overtaken"


@pytest.mark.django_db(transaction=True)
def test_of_two_people_accepting_at_once_one_is_told(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
    customer = buyer()
    run()
    one = open_one(customer)
    people = [make_user(role="finance") for _n in range(2)]
    start = threading.Barrier(2)

    def press(user: User) -> str:
        try:
            start.wait(10)
            reviews.accept(
                review=one, amount=one.proposed, reason="", version=one.version, by=user, now=NOW
            )
            return "done"
        except ValidationError as no:
            return str(no.code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, people)) == ["decided", "done"]


class TestPages:
    def test_the_worklist_is_narrowed_counted_and_exported(self, as_, rep, finance, director):
        buyer(rep, name="=Good")
        late = buyer(rep, late=25)
        run()
        client = as_(finance)
        url = reverse("orders:reviews")
        page = client.get(url)
        assert {row["kind"] for row in page.context["rows"]} == {"raise", "lower"}
        assert [number for _l, number, _u, _t in page.context["tiles"]] == [0, 1, 1, 0]
        rows = client.get(url, {"kind": "lower"}).context["rows"]
        assert [row["customer_id"] for row in rows] == [late.pk]
        assert not client.get(url, {"abc": "A"}).context["rows"]
        answer = client.get(reverse("orders:reviews-export"), {"format": "csv", "kind": "raise"})
        (row,) = csv.DictReader(
            io.StringIO(b"".join(answer.streaming_content).decode().lstrip("\ufeff"))
        )
        assert "'=Good" in row.values()
        assert "26000.00" in row.values()
        assert as_(director).get(url).status_code == 200

    def test_a_manager_sees_her_team_and_decides_nothing(self, as_, rep, manager, stranger):
        customer, other = buyer(rep), buyer(stranger)
        run()
        client = as_(manager)
        rows = client.get(reverse("orders:reviews")).context["rows"]
        assert [row["customer_id"] for row in rows] == [customer.pk]
        assert client.get(reverse("orders:review", args=[open_one(other).pk])).status_code == 404
        one = open_one(customer)
        accept = reverse("orders:review-accept", args=[one.pk])
        data = {"amount": "1", "version": one.version}
        assert client.post(accept, data).status_code == 403
        assert client.post(reverse("orders:reviews-run")).status_code == 403
        client = as_(rep)
        assert client.get(reverse("orders:reviews")).status_code == 403
        panel = client.get(reverse("orders:credit", args=[customer.pk])).content.decode()
        assert reverse("orders:review", args=[one.pk]) not in panel

    def test_p39_finance_changes_the_amount_accepts_and_undoes(self, as_, rep, finance):
        customer = buyer(rep)
        run()
        one = open_one(customer)
        client = as_(finance)
        panel = client.get(reverse("orders:credit", args=[customer.pk])).content.decode()
        assert reverse("orders:review", args=[one.pk]) in panel
        page = client.get(reverse("orders:review", args=[one.pk]))
        text = page.content.decode()
        assert f"ordered_from=2025-06-17&amp;ordered_to={TODAY}" in text
        behind = client.get(page.context["orders_url"])
        assert sum(row["amount"] for row in behind.context["rows"]) == 360_000
        accept = reverse("orders:review-accept", args=[one.pk])
        assert client.post(accept, {"amount": "-1", "version": one.version}).status_code == 422
        answer = client.post(accept, {"amount": "24,000", "version": one.version}, follow=True)
        assert Credit.objects.get().limit == 24_000
        undo = reverse("orders:review-reopen", args=[one.pk])
        assert undo in answer.content.decode()
        client.post(undo)
        assert Credit.objects.get().limit == 20_000
        one.refresh_from_db()
        decline = reverse("orders:review-decline", args=[one.pk])
        empty = {"no-reason": "", "no-version": one.version}
        assert client.post(decline, empty).status_code == 422
        client.post(decline, {**empty, "no-reason": "Leaves us"})
        one.refresh_from_db()
        assert (one.state, one.reason) == ("declined", "Leaves us")

    def test_p39_several_are_accepted_at_once_at_most_fifty(self, as_, rep, finance):
        good = [buyer(rep) for _n in range(2)]
        changed = buyer(rep)
        run()
        credit = Credit.objects.get(customer=changed)
        credit.save()
        ids = [open_one(one).pk for one in (*good, changed)]
        client = as_(finance)
        url = reverse("orders:reviews-accept")
        answer = client.post(url, {"ids": ids}, follow=True)
        limits = Credit.objects.order_by("limit").values_list("limit", flat=True)
        assert list(limits) == [20_000, 26_000, 26_000]
        said = [str(message) for message in answer.context["messages"]]
        assert any(changed.name in one for one in said)
        client.post(f"{reverse('orders:reviews-reopen')}?ids={ids[0]},{ids[1]}")
        assert set(Credit.objects.values_list("limit", flat=True)) == {Decimal(20_000)}
        many = CreditReview.objects.bulk_create(
            CreditReview(
                customer=make_customer(), as_of=TODAY, kind="set", proposed=1000, version=1
            )
            for _n in range(51)
        )
        client.post(url, {"ids": [one.pk for one in many]})
        assert not CreditReview.objects.filter(state="accepted").exists()

    def test_rules_are_versions_and_late_begins_after_slow(self, as_, finance, rep):
        client = as_(finance)
        url = reverse("orders:credit-rules-new")
        data = {name: field.value() for name, field in
                ((f.name, f) for f in client.get(url).context["form"])}  # fmt: skip
        assert client.post(url, {**data, "slow_days": "30"}).status_code == 422
        data["valid_from"] = timezone.localdate().isoformat()
        assert client.post(url, {**data, "cap": "50"}).status_code == 302
        assert CreditRules.objects.on(timezone.localdate()).cap == 50
        one = CreditRules.objects.get()
        edit = reverse("orders:credit-rules-edit", args=[one.pk])
        assert client.post(edit, {**data, "cap": "40", "version": "9"}).status_code == 422
        assert client.post(edit, {**data, "cap": "40", "version": one.version}).status_code == 302
        assert as_(rep).get(reverse("orders:credit-rules")).status_code == 403

    def test_review_now_is_one_run_however_often_pressed(self, as_, finance, rep):
        client = as_(finance)
        url = reverse("orders:reviews-run")
        assert client.post(url).status_code == 302
        client.post(url)
        assert JobRun.objects.filter(kind="credit-review").count() == 1
