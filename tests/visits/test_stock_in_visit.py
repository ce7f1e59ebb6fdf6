"""Stock counted in a visit: kept in the draft, filed when the visit closes (P23, P27)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.merging import merge
from customers.models import Customer
from customers.timeline import collect
from orders.models import Product, StockLine, StockReport
from orders.stocktaking import Counted
from tests.factories import (
    local,
    make_customer,
    make_key,
    make_product,
    make_stock_line,
    make_stock_report,
    make_visit,
)
from tests.visits.records import FORM, FULL, log_data
from visits import actions
from visits.models import Visit

AT = local(2026, 6, 16, 10)
BEGUN = local(2026, 6, 16, 9)
VISITS = "/api/v1/visits/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def oil() -> Product:
    return make_product(external_id="OIL", name="压榨菜籽油 5L")


@pytest.fixture
def soy() -> Product:
    return make_product(external_id="SOY", name="头道酱油")


@pytest.fixture
def visit(customer: Customer, rep: User) -> Visit:
    return make_visit(customer, rep, status="checked_in", checked_in_at=BEGUN)


def record(visit: Visit, *counted: Counted, close: bool = True, **values: Any) -> Visit:
    return actions.record_visit(
        visit=visit,
        answers=FULL,
        words="",
        purpose="",
        close=close,
        counted=counted,
        **{"now": AT, **values},
    )


def filed() -> list[tuple[str, str, Decimal]]:
    rows = StockLine.objects.values_list("product__external_id", "batch", "quantity")
    return sorted(rows)


# --- keeping and filing


def test_p23_closing_a_visit_files_what_was_counted_at_its_check_in(visit, oil, soy) -> None:
    record(visit, Counted(oil, Decimal(27), "260402", date(2026, 4, 2)), Counted(soy, Decimal(0)))
    report = StockReport.objects.get()
    visit.refresh_from_db()
    assert visit.stock_report == report
    assert (report.customer, report.source) == (visit.customer, "visit")
    assert report.reported_at == BEGUN
    assert filed() == [("OIL", "260402", Decimal(27)), ("SOY", "", Decimal(0))]
    assert StockLine.objects.get(batch="260402").produced_on == date(2026, 4, 2)


def test_a_draft_keeps_its_counts_and_says_nothing_of_the_stock(visit, oil) -> None:
    record(visit, Counted(oil, Decimal(5)), close=False)
    visit.refresh_from_db()
    assert [(c.product, c.quantity) for c in actions.counted_in(visit)] == [(oil, Decimal(5))]
    assert not StockReport.objects.exists()
    actions.record_visit(visit=visit, answers=FULL, words="", purpose="", close=True, now=AT)
    assert filed() == [("OIL", "", Decimal(5))]


def test_a_correction_on_the_day_corrects_the_report_and_nothing_afterwards(
    visit, oil, soy
) -> None:
    record(visit, Counted(oil, Decimal(5)), Counted(soy, Decimal(1)))
    report, kept = StockReport.objects.get(), StockLine.objects.get(product=soy).pk
    record(visit, Counted(oil, Decimal(6)), Counted(soy, Decimal(1)))
    assert filed() == [("OIL", "", Decimal(6)), ("SOY", "", Decimal(1))]
    assert (StockReport.objects.get(), StockLine.objects.get(product=soy).pk) == (report, kept)
    with pytest.raises(ValidationError) as refused:
        record(visit, Counted(oil, Decimal(7)), now=AT + timedelta(days=1))
    assert refused.value.code == "closed"
    assert filed()[0][2] == 6
    entry = AuditEntry.objects.of(visit).first()
    assert entry is not None
    assert entry.after["counts"][0]["quantity"] == "6.000"


def test_what_was_counted_by_mistake_goes_and_the_log_keeps_it(visit, oil) -> None:
    record(visit, Counted(oil, Decimal(5)))
    report = StockReport.objects.get()
    record(visit)
    assert not StockReport.objects.exists()
    assert Visit.objects.get().stock_report is None
    gone = AuditEntry.objects.of(report).first()
    assert gone is not None
    assert (gone.action, gone.before["lines"][0]["product"]) == ("delete", "OIL")


def test_a_record_that_does_not_speak_of_stock_leaves_it(visit, oil) -> None:
    record(visit, Counted(oil, Decimal(5)))
    version = StockReport.objects.get().version
    actions.record_visit(visit=visit, answers=FULL, words="x", purpose="", close=True, now=AT)
    assert filed() == [("OIL", "", Decimal(5))]
    assert StockReport.objects.get().version == version


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"batch": "A"}, "counted twice"),
        ({"quantity": Decimal(-1)}, "less than nothing"),
        ({"produced_on": date(2026, 6, 17)}, "after the day"),
    ],
)
def test_refusals_leave_nothing_half_written(visit, oil, second, said) -> None:
    line = Counted(**{"product": oil, "quantity": Decimal(1), "batch": "B", **second})
    with translation.override("en"), pytest.raises(ValidationError, match=said) as refused:
        record(visit, Counted(oil, Decimal(1), "A"), line)
    assert set(refused.value.message_dict) == {"stock"}
    assert not StockReport.objects.exists()
    assert Visit.objects.get().status == "checked_in"


def test_sent_twice_it_is_filed_once(customer, rep, oil) -> None:
    number = uuid4()
    for _press in range(2):
        actions.log_visit(
            client_id=number, customer=customer, rep=rep, at=AT, answers=FULL, words="",
            purpose="", close=True, now=AT, counted=[Counted(oil, Decimal(5))],
        )  # fmt: skip
    assert StockReport.objects.count() == StockLine.objects.count() == 1


def test_an_old_version_may_say_the_same_but_nothing_else(visit, oil) -> None:
    version = visit.version
    record(visit, Counted(oil, Decimal(5)), version=version)
    record(visit, Counted(oil, Decimal(5)), version=version)
    with pytest.raises(ValidationError) as refused:
        record(visit, Counted(oil, Decimal(6)), version=version)
    assert refused.value.code == "changed"
    assert filed() == [("OIL", "", Decimal(5))]


def test_a_merge_takes_visit_and_count_along(visit, oil, rep) -> None:
    record(visit, Counted(oil, Decimal(5)))
    into = make_customer(owner=rep)
    merge(gone_id=visit.customer_id, into_id=into.pk, by=rep, now=AT)
    visit.refresh_from_db()
    assert visit.stock_report is not None
    assert visit.customer == visit.stock_report.customer == into


def test_p2_the_timeline_tells_it_with_the_visit_and_once(visit, oil, soy) -> None:
    record(
        visit,
        Counted(oil, Decimal(5), "A"),
        Counted(oil, Decimal(5), "B"),
        Counted(soy, Decimal(1)),
    )
    with translation.override("en"):
        told = collect(visit.customer, before=None, limit=20).entries
    assert ["2 products counted" in entry.text for entry in told if entry.kind == "visit"] == [True]
    assert not [entry for entry in told if entry.kind == "stock_report"]


# --- the form


def lines(*said: dict[str, Any]) -> dict[str, Any]:
    """What the form sends: every line with all of its fields."""
    data: dict[str, Any] = {}
    for number, line in enumerate(said):
        whole = {
            "offered": "",
            "product": "",
            "batch": "",
            "produced_on": "",
            "quantity": "",
            **line,
        }
        data |= {f"count-{number}-{name}": value for name, value in whole.items()}
    return data


@pytest.fixture
def counted_before(customer: Customer, oil: Product) -> StockReport:
    report = make_stock_report(customer, reported_at=timezone.now() - timedelta(days=30))
    make_stock_line(report, oil, 42, batch="260402", produced_on=date(2026, 4, 2))
    return report


OFFERED = {"offered": "True", "product": "OIL", "batch": "260402", "produced_on": "2026-04-02"}


def test_p27_a_visit_is_logged_with_what_was_counted(
    as_, rep, customer, oil, soy, counted_before
) -> None:
    client = as_(rep)
    form = client.get(f"/visits/new/?customer={customer.pk}").content.decode()
    assert "last 42 on" in form
    assert 'name="count-0-quantity"' in form
    said = lines({**OFFERED, "quantity": "27"}, {"product": "头道", "quantity": "3.5"}, {})
    answer = client.post("/visits/new/", log_data(customer, **said), follow=True)
    visit = Visit.objects.get()
    assert visit.stock_report is not None
    rows = visit.stock_report.lines.values_list("product__external_id", "batch", "quantity")
    assert sorted(rows) == [("OIL", "260402", Decimal(27)), ("SOY", "", Decimal("3.5"))]
    shown = answer.content.decode()
    assert f"/orders/stock-reports/{visit.stock_report_id}/" in shown
    assert "3.5" in shown


def test_offered_lines_that_nobody_touched_say_nothing(as_, rep, customer, counted_before) -> None:
    as_(rep).post("/visits/new/", log_data(customer, **lines(OFFERED, {})))
    assert Visit.objects.get().counts == []
    assert StockReport.objects.get() == counted_before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"product": "NOTHING", "quantity": "1"}, "No product is called"),
        ({**OFFERED, "quantity": "-1"}, "greater than or equal to 0"),
        ({**OFFERED, "quantity": "many"}, "Enter a number"),
        ({"product": "OIL"}, "How many?"),
        ({"product": "OIL", "quantity": "1", "produced_on": "2099-01-01"}, "after the day"),
    ],
)
def test_what_is_wrong_with_a_count_is_said_and_nothing_is_stored(
    as_, rep, customer, counted_before, line, words
) -> None:
    answer = as_(rep).post("/visits/new/", log_data(customer, **lines(line)))
    assert words in answer.content.decode()
    assert not Visit.objects.exists()


def test_a_draft_shows_again_what_was_counted(as_, rep, customer, oil, counted_before) -> None:
    now = timezone.now()
    visit = make_visit(customer, rep, status="checked_in", checked_in_at=now, scheduled_for=now)
    client, url = as_(rep), f"/visits/{visit.pk}/edit/"
    data = {**FORM, **lines({**OFFERED, "quantity": "27"}), "version": visit.version, "draft": "1"}
    assert client.post(url, data).status_code == 302
    page = client.get(url).content.decode()
    assert 'value="27"' in page
    assert page.count('<span class="strong">压榨菜籽油 5L</span>') == 1
    assert StockReport.objects.get() == counted_before


# --- the REST API


@pytest.fixture
def api(rep: User) -> APIClient:
    secret = make_key(rep)[1]
    return APIClient(headers={"Authorization": f"Bearer {secret}", "Accept-Language": "en"})


def sent(customer: Customer, *stock: dict[str, Any], **values: Any) -> dict[str, Any]:
    begun = timezone.localtime() - timedelta(hours=1)
    return {
        "client_id": str(uuid4()),
        "customer": customer.pk,
        "status": "done",
        "checked_in_at": begun.isoformat(timespec="seconds"),
        "answers": FULL,
        "stock": list(stock),
        **values,
    }


LINE = {"product": "OIL", "batch": "260402", "produced_on": "2026-04-02", "quantity": "27.000"}


def test_the_api_writes_and_reads_counts_and_a_second_sending_is_the_same(
    api, customer, oil, soy
) -> None:
    body = sent(customer, LINE, {"product": "SOY", "quantity": 3})
    first, second = api.post(VISITS, body, format="json"), api.post(VISITS, body, format="json")
    assert (first.status_code, second.status_code) == (201, 200), first.json()
    assert first.json() == second.json()
    assert first.json()["stock"] == [
        LINE,
        {"product": "SOY", "batch": "", "produced_on": None, "quantity": "3.000"},
    ]
    report = StockReport.objects.get()
    assert first.json()["stock_report"] == report.pk
    assert filed() == [("OIL", "260402", Decimal(27)), ("SOY", "", Decimal(3))]


def test_the_api_replaces_what_is_sent_and_leaves_what_is_not(api, customer, oil) -> None:
    made = api.post(VISITS, sent(customer, LINE), format="json").json()
    url = f"{VISITS}{made['id']}/"
    assert api.patch(url, {"words": "好"}, format="json").json()["stock"] == [LINE]
    changed = api.patch(url, {"stock": [{**LINE, "quantity": "5.000"}]}, format="json")
    assert changed.json()["stock"] == [{**LINE, "quantity": "5.000"}]
    assert filed() == [("OIL", "260402", Decimal(5))]
    assert api.patch(url, {"stock": []}, format="json").json()["stock_report"] is None
    assert not StockReport.objects.exists()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({**LINE, "product": "NO"}, "stock.0.product"),
        ({**LINE, "quantity": "-1"}, "stock.0.quantity"),
        ({**LINE, "quantity": "1e999"}, "stock.0.quantity"),
        ({**LINE, "quantity": "NaN"}, "stock.0.quantity"),
        ({**LINE, "quantity": None}, "stock.0.quantity"),
        ({**LINE, "produced_on": "2026-02-29"}, "stock.0.produced_on"),
        ({**LINE, "produced_on": "2099-01-01"}, "stock"),
        ({**LINE, "batch": "x" * 51}, "stock.0.batch"),
        ({**LINE, "batch": "\x00"}, "stock.0.batch"),
        ("x", "stock.0"),
    ],
)
def test_bad_lines_are_named_and_nothing_is_stored(api, customer, oil, line, field) -> None:
    answer = api.post(VISITS, sent(customer, line), format="json")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {field}
    assert not Visit.objects.exists()
    assert not StockReport.objects.exists()


@pytest.mark.parametrize("status", ["cancelled", "missed", "planned"])
def test_the_api_refuses_counts_of_what_did_not_take_place(api, customer, oil, status) -> None:
    body = sent(customer, LINE, status=status, checked_in_at=None)
    body["scheduled_for"] = (timezone.localtime() - timedelta(days=1)).isoformat()
    answer = api.post(VISITS, body, format="json")
    assert answer.status_code == 400, answer.json()
    assert not Visit.objects.exists()


def test_a_list_of_the_api_costs_the_same_with_more_counts(api, customer, rep, oil) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(VISITS).status_code == 200
        return len(queries)

    def grow(number: int) -> None:
        for _n in range(number):
            record(
                make_visit(customer, rep, status="checked_in", checked_in_at=BEGUN),
                Counted(oil, Decimal(1)),
                Counted(make_product(), Decimal(2)),
            )

    grow(1)
    cost()
    few = cost()
    grow(8)
    assert cost() == few
