"""P39: customers that changed wait in rows, are worked out after it, and none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask

from customers.merging import merge
from customers.models import Merge
from customers.unmerging import undo
from orders import settling, tasks
from orders.models import Balance, StockPosition, Unsettled
from tests.factories import (
    local,
    make_customer,
    make_order,
    make_payment,
    make_product,
    make_stock_report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The messages that went into the queue."""
    names: list[str] = []
    monkeypatch.setattr(settling, "send", names.append)
    return names


def drained(into: list[list[int]]) -> Any:
    return settling.drain(lambda money, _stock: into.append(list(money)))


class TestMarking:
    def test_one_row_and_one_statement_however_many_customers(
        self, sent, django_assert_num_queries, django_capture_on_commit_callbacks
    ):
        with (
            django_capture_on_commit_callbacks(execute=True),
            django_assert_num_queries(1),
        ):
            settling.settle_later([3, 1, 2, 3, *range(10, 500)])
        assert Unsettled.objects.get().customer_ids == [1, 2, 3, *range(10, 500)]
        assert sent == ["orders.tasks.settle"]

    def test_nobody_changed_is_nothing(self, sent, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks() as queued:
            settling.settle_later([])
        assert not queued
        assert not Unsettled.objects.exists()

    def test_many_small_changes_make_one_message_until_they_are_drained(
        self, sent, django_capture_on_commit_callbacks
    ):
        for n in range(20):
            with django_capture_on_commit_callbacks(execute=True):
                settling.settle_later([n % 3])
        assert len(sent) == 1
        passes: list[list[int]] = []
        drained(passes)
        assert passes == [[0, 1, 2]]
        with django_capture_on_commit_callbacks(execute=True):
            settling.settle_later([7])
        assert len(sent) == 2

    def test_what_is_rolled_back_marks_nobody(self):
        with transaction.atomic():
            settling.settle_later([1])
            transaction.set_rollback(True)
        assert not Unsettled.objects.exists()

    def test_more_than_a_pass_takes_go_into_rows_of_their_own(self, monkeypatch):
        monkeypatch.setattr(settling, "CHUNK", 3)
        settling.settle_later(range(8))
        passes: list[list[int]] = []
        drained(passes)
        assert passes == [[0, 1, 2], [3, 4, 5], [6, 7]]
        assert not Unsettled.objects.exists()

    def test_a_queue_that_is_down_does_not_break_the_change(self, monkeypatch, caplog):
        def down(*_args: object, **_kwargs: object) -> None:
            raise OSError

        monkeypatch.setattr(current_app, "send_task", down)
        settling.send("orders.tasks.settle")
        assert "could not be queued" in caplog.text


class TestDraining:
    def test_an_error_leaves_its_customers_for_the_next_time(self):
        settling.settle_later([1, 2])

        def broken(_money: Sequence[int], _stock: Sequence[int]) -> None:
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="disk"):
            settling.drain(broken)
        passes: list[list[int]] = []
        drained(passes)
        assert passes == [[1, 2]]

    def test_what_comes_while_it_works_is_worked_out_too(self):
        settling.settle_later([1])
        passes: list[list[int]] = []

        def work(ids: Sequence[int], _stock: Sequence[int]) -> None:
            passes.append(list(ids))
            if ids == [1]:
                settling.settle_later([2])

        settling.drain(work)
        assert passes == [[1], [2]]

    def test_money_and_stock_are_worked_out_for_whom_they_changed(self):
        settling.settle_later([1, 2])
        settling.settle_later([2, 3], stock=True)
        settling.restock_later([4, 3])
        passes: list[tuple[list[int], list[int]]] = []
        settling.drain(lambda money, stock: passes.append((list(money), list(stock))))
        assert passes == [([1, 2, 3], [2, 3, 4])]

    def test_p39_the_task_brings_balances_up_to_date(self):
        customer = make_customer()
        make_order(customer, "100.00", status="completed", ordered_at=local(2026, 6, 1))
        make_payment(customer, "40.00")
        settling.settle_later([customer.pk, 999_999])
        tasks.settle()
        assert Balance.objects.get(customer=customer).delivered == 60

    def test_p5_a_merge_taken_back_has_both_customers_worked_out_again(self, rep):
        gone, into = make_customer(owner=rep, name="甲"), make_customer(owner=rep, name="乙")
        for customer, amount in ((gone, "100.00"), (into, "7.00")):
            make_order(customer, amount, status="completed", ordered_at=local(2026, 6, 1))
            make_stock_report(customer, {make_product(): 3})
        now = local(2026, 6, 16)
        figures = Balance.objects.order_by("delivered").values_list("customer", "delivered")
        stocked = StockPosition.objects.order_by("-customer").values_list("customer", flat=True)
        merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=now)
        tasks.settle()
        assert list(figures) == [(into.pk, D(107))]
        assert set(stocked) == {into.pk}
        undo(merge_id=Merge.objects.get().pk, by=rep, now=now)
        tasks.settle()
        assert list(figures.all()) == [(into.pk, D(7)), (gone.pk, D(100))]
        assert list(stocked.all()) == [into.pk, gone.pk]

    def test_a_task_of_every_hour_looks_for_what_was_left(self):
        task = PeriodicTask.objects.get(task="orders.tasks.settle")
        assert task.enabled
        assert (task.crontab.hour, task.crontab.minute) == ("*", "7")


@pytest.mark.django_db(transaction=True)
class TestTogether:
    @pytest.fixture(autouse=True)
    def on_postgresql(self, transactional_db) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has one writer at a time: there is nothing to interleave")

    def test_two_that_mark_the_same_customers_crosswise_do_not_wait_for_each_other(self, sent):
        meet = threading.Barrier(2, timeout=20)

        def mark(first: int, second: int) -> None:
            try:
                with transaction.atomic():
                    settling.settle_later([first])
                    meet.wait()  # both hold what they wrote
                    settling.settle_later([second])
                    meet.wait()
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(mark, (1, 2), (2, 1)))
        passes: list[list[int]] = []
        drained(passes)
        assert passes == [[1, 2]]

    def test_none_of_many_that_mark_while_others_drain_is_lost(self, sent):
        """Each message is answered by one drain, as the worker would; nothing else drains."""
        done: set[int] = set()
        guard = threading.Lock()

        def work(ids: Sequence[int], _stock: Sequence[int]) -> None:
            with guard:
                done.update(ids)

        def act(n: int) -> None:
            try:
                for part in range(10):
                    with guard:
                        before = len(sent)
                    with transaction.atomic():
                        settling.settle_later([n * 10 + part])
                    with guard:
                        mine = len(sent) > before
                    if mine:
                        settling.drain(work)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(act, range(6)))
        assert done == set(range(60))
        assert not Unsettled.objects.exists()

    def test_a_worker_that_dies_gives_its_customers_to_another(self):
        settling.settle_later([5])
        taken, let_die = threading.Event(), threading.Event()

        def dying(_money: Sequence[int], _stock: Sequence[int]) -> None:
            taken.set()
            let_die.wait(20)
            connection.close()  # the process is gone, and its transaction with it
            raise OSError

        def first() -> None:
            try:
                with pytest.raises(Exception):  # noqa: B017, PT011  # a lost connection
                    settling.drain(dying)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            dead = pool.submit(first)
            taken.wait(20)
            passes: list[list[int]] = []
            drained(passes)
            assert passes == []  # the other one is at it
            let_die.set()
            dead.result(20)
        for _n in range(100):  # the server takes a moment to notice
            drained(passes)
            if passes:
                break
            time.sleep(0.1)
        assert passes == [[5]]
