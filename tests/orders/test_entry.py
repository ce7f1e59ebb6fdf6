"""Orders that people enter, change and move on where no ERP does it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.models import Customer
from orders.models import Order, OrderStatus, TradeTerms
from tests.factories import local, make_customer, make_order, make_price, make_product

pytestmark = pytest.mark.django_db
ADDRESS = "浙江省绍兴市越城区解放北路 12 号"


@pytest.fixture(autouse=True)
def _today(time_machine: Any) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)


@pytest.fixture
def house(rep: User) -> Customer:
    return make_customer(owner=rep, name="越州", address=ADDRESS, division="330602")


@pytest.fixture(autouse=True)
def _wares(db: None) -> None:
    """Rice at 50 until May, 55 from June on; oil has no price at all."""
    rice = make_product(external_id="R-1", name="Rice 5 kg", dealer_price="45.00")
    make_price(rice, dealer_price="50.00", valid_to=date(2026, 5, 31))
    make_price(rice, dealer_price="55.00", valid_from=date(2026, 6, 1))
    make_product(external_id="O-1", name="Oil", dealer_price=None, retail_price=None)


def data(*lines: tuple[str, str, str], **values: Any) -> dict[str, Any]:
    """The form with lines of (product, quantity, unit price)."""
    sent = {
        "ordered_at": "2026-06-16T10:00",
        "delivery_address": ADDRESS,
        "client_id": str(uuid4()),
        "lines": "5",
    }
    for number, (product, quantity, price) in enumerate(lines):
        prefix = f"line-{number}-"
        sent |= {
            f"{prefix}product": product,
            f"{prefix}quantity": quantity,
            f"{prefix}unit_price": price,
        }
    return {**sent, **values}


def url(customer: Customer) -> str:
    return f"/orders/new/?customer={customer.pk}"


def lines_of(order: Order) -> list[tuple[Any, ...]]:
    found = order.lines.order_by("line_no").values_list(
        "line_no", "product__external_id", "quantity", "unit_price"
    )
    return [(number, sku, str(q), str(p)) for number, sku, q, p in found]


def test_a_draft_takes_the_uniform_price_of_its_day(as_, rep: User, house: Customer) -> None:
    client = as_(rep)
    page = client.get(url(house))
    assert page.context["form"]["delivery_address"].value() == ADDRESS
    sent = data(("R-1", "10", ""), ("", "", ""), ("Rice 5 kg", "0.5", "54.99"))
    answer = client.post(url(house), sent)
    order = Order.objects.get()
    assert answer["Location"] == f"/orders/{order.pk}/"
    assert lines_of(order) == [(1, "R-1", "10.000", "55.00"), (2, "R-1", "0.500", "54.99")]
    assert (order.amount, order.status) == (Decimal("577.50"), "draft")
    assert (order.delivery_address, order.delivery_division) == (ADDRESS, "330602")
    assert (order.external_id, order.by_hand) == (None, True)
    made, lines = AuditEntry.objects.of(order).order_by("id")
    assert (made.action, made.actor, len(lines.after["lines"])) == ("create", rep, 2)
    # A second press of the button, and one that changed something meanwhile, make no second order.
    assert client.post(url(house), sent)["Location"] == answer["Location"]
    assert client.post(url(house), {**sent, "line-0-quantity": "9"})["Location"]
    assert Order.objects.get().amount == Decimal("577.50")
    may = client.post(url(house), data(("R-1", "1", ""), ordered_at="2026-05-31T23:59"))
    assert may.status_code == 302
    assert lines_of(Order.objects.order_by("-id")[0]) == [(1, "R-1", "1.000", "50.00")]


def test_prices_and_total_are_looked_up_before_anything_is_stored(as_, rep, house) -> None:
    TradeTerms.objects.create(valid_from=date(2026, 1, 1), minimum_order="700.00")
    sent = data(("R-1", "10", ""), ("R-1", "1", "50"), check="1")
    page = as_(rep).post(url(house), sent)
    assert not Order.objects.exists()
    assert (page.context["total"], page.context["lacks"]) == (Decimal(600), Decimal(100))
    first, second = page.context["lines"].forms[:2]
    assert (first["unit_price"].value(), first.amount, first.deviation) == ("55.00", 550, 0)
    assert (second.uniform, second.deviation) == (55, -5)
    text = page.content.decode()
    assert "uniform price 55.00, deviation −5.00" in text
    more = as_(rep).post(url(house), {**sent, "more": "1"})
    assert more.context["lines"].number == 8
    assert 'name="line-7-product"' in more.content.decode()


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        (("R-9", "1", "1"), "product", "unknown"),
        (("", "1", "1"), "product", "required"),
        (("R-1", "", ""), "quantity", "required"),
        (("R-1", "0", ""), "quantity", "zero"),
        (("R-1", "-1", ""), "quantity", "negative"),
        (("R-1", "x", ""), "quantity", "invalid"),
        (("R-1", "1.2345", ""), "quantity", "max_decimal_places"),
        (("R-1", "1", "-1"), "unit_price", "min_value"),
        (("R-1", "1", "NaN"), "unit_price", "invalid"),
        (("O-1", "1", ""), "unit_price", "no_price"),
    ],
)
def test_a_wrong_line_is_named_and_stores_nothing(as_, rep, house, line, field, code) -> None:
    page = as_(rep).post(url(house), data(("R-1", "1", "1"), line))
    assert not Order.objects.exists()
    form = page.context["lines"].forms[1]
    assert code in {error.code for error in form.errors.as_data()[field]}
    assert form["quantity"].value() == line[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ordered_at": ""},
        {"ordered_at": "1026-01-01T10:00"},
        {"lines": "0"},
        {"lines": "x"},
        {"line-0-product": "", "line-0-quantity": ""},
        {"line-0-quantity": "99999999999", "line-0-unit_price": "9999999999.99"},
        {"delivery_address": "x" * 301},
    ],
)
def test_a_wrong_order_is_refused_whole(as_, rep, house, wrong) -> None:
    page = as_(rep).post(url(house), {**data(("R-1", "1", "")), **wrong})
    assert page.status_code == 200
    assert page.context["form"].errors
    assert not Order.objects.exists()


def test_the_customer_is_found_first(as_, rep: User, stranger: User, house: Customer) -> None:
    hidden = make_customer(owner=stranger, name="越外")
    client = as_(rep)
    page = client.get("/orders/new/?q=越")
    assert [one.name for one in page.context["customers"]] == ["越州"]
    assert client.get(url(hidden)).status_code == 404
    assert client.post(url(hidden), data(("R-1", "1", ""))).status_code == 404
    assert client.get("/orders/new/?customer=x").status_code == 200


def test_the_area_follows_another_address(as_, rep: User, house: Customer) -> None:
    other = "浙江省杭州市西湖区文三路 1 号"
    as_(rep).post(url(house), data(("R-1", "1", ""), delivery_address=other))
    order = Order.objects.get()
    assert (order.delivery_address, order.delivery_division) == (other, "330106")


@pytest.fixture
def draft(house: Customer) -> Order:
    product = make_product(external_id="S-1", dealer_price="5.00")
    return make_order(
        house,
        lines=[(product, "2", "5.00")],
        external_id=None,
        status="draft",
        ordered_at=local(2026, 6, 1),
    )


def press(client: Client, order: Order, verb: str, version: int | None = None) -> Any:
    order.refresh_from_db()
    sent = {"version": order.version if version is None else version}
    return client.post(f"/orders/{order.pk}/{verb}/", sent, follow=True)


@pytest.mark.parametrize(
    ("verbs", "status"),
    [
        ("confirm", "confirmed"),
        ("confirm ship", "shipped"),
        ("confirm ship complete", "completed"),
        ("confirm ship complete return", "returned"),
        ("confirm ship return", "returned"),
        ("cancel", "cancelled"),
        ("confirm cancel", "cancelled"),
        ("ship", "draft"),  # from here on: not in this order
        ("complete", "draft"),
        ("return", "draft"),
        ("confirm complete", "confirmed"),
        ("confirm ship cancel", "shipped"),
        ("cancel confirm", "cancelled"),
    ],
)
def test_an_order_moves_on_step_by_step(as_, finance: User, draft, verbs, status) -> None:
    client = as_(finance)
    for verb in verbs.split():
        assert press(client, draft, verb).status_code == 200
    draft.refresh_from_db()
    assert draft.status == status
    page = client.get(f"/orders/{draft.pk}/")
    assert len(page.context["verbs"]) == len(draft.next_statuses)


def test_a_step_is_taken_back_by_who_took_it(as_, finance, manager, draft: Order) -> None:
    client = as_(finance)
    page = press(client, draft, "confirm")
    *_more, undo = [message.extra_tags for message in page.context["messages"]]
    as_(manager).post(undo)
    draft.refresh_from_db()
    assert draft.status == "confirmed"
    client = as_(finance)
    client.post(undo)
    draft.refresh_from_db()
    assert draft.status == "draft"
    press(client, draft, "confirm")
    draft.refresh_from_db()
    draft.promotion = "618"
    draft.save()
    client.post(undo)  # something came after it
    draft.refresh_from_db()
    assert draft.status == "confirmed"


def test_a_button_of_an_older_page_does_nothing(as_, finance: User, draft: Order) -> None:
    client = as_(finance)
    page = press(client, draft, "confirm", version=draft.version - 1)
    assert "changed this order meanwhile" in page.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"
    press(client, draft, "confirm")
    version = Order.objects.get(pk=draft.pk).version
    press(client, draft, "confirm", version=version - 1)  # the second press of the button
    assert Order.objects.get(pk=draft.pk).version == version


def test_a_draft_is_changed_and_two_editors_are_told(as_, rep: User, draft: Order) -> None:
    client = as_(rep)
    address = f"/orders/{draft.pk}/edit/"
    page = client.get(address)
    assert page.context["lines"].forms[0]["product"].value() == "S-1"
    version = page.context["form"]["version"].value()
    sent = data(("S-1", "3", "5.00"), ("R-1", "1", ""), version=version)
    assert client.post(address, sent).status_code == 302
    draft.refresh_from_db()
    assert lines_of(draft) == [(1, "S-1", "3.000", "5.00"), (2, "R-1", "1.000", "55.00")]
    assert draft.amount == Decimal("70.00")
    page = client.post(address, {**sent, "line-0-quantity": "4"})
    assert page.context["form"].changes
    draft.refresh_from_db()
    assert draft.amount == Decimal("70.00")


def test_who_may_what(as_, rep, stranger, service, finance, draft: Order) -> None:
    base = f"/orders/{draft.pk}/"
    for user, edits, confirms in (
        (stranger, 404, 404),
        (service, 403, 403),
        (rep, 200, 403),
        (finance, 200, 302),
    ):
        client = as_(user)
        assert client.get(f"{base}edit/").status_code == edits
        sent = {"version": draft.version}
        assert client.post(f"{base}confirm/", sent).status_code == confirms
    assert as_(rep).get(f"{base}edit/").status_code == 403  # confirmed: no longer a draft
    assert as_(rep).get(base).context["verbs"] == []


def test_a_rep_drops_her_own_draft(as_, rep: User, draft: Order) -> None:
    client = as_(rep)
    (only,) = client.get(f"/orders/{draft.pk}/").context["verbs"]
    assert only["url"] == f"/orders/{draft.pk}/cancel/"
    page = press(client, draft, "cancel")
    *_more, undo = [message.extra_tags for message in page.context["messages"]]
    client.post(undo)
    draft.refresh_from_db()
    assert draft.status == "draft"


@pytest.mark.parametrize(
    "origin", [{"external_id": "SO-1"}, {"source_updated_at": local(2026, 6, 1)}]
)
def test_an_order_of_the_erp_is_not_changed_by_hand(as_, finance, house, origin) -> None:
    order = make_order(house, status="draft", **{"external_id": None, **origin})
    client = as_(finance)
    assert client.get(f"/orders/{order.pk}/edit/").status_code == 302
    sent = data(("R-1", "1", ""), version=order.version)
    assert client.post(f"/orders/{order.pk}/edit/", sent).status_code == 302
    assert "came from the ERP" in press(client, order, "confirm").content.decode()
    order.refresh_from_db()
    assert (order.status, order.lines.count()) == (OrderStatus.DRAFT, 0)
    page = client.get(f"/orders/{order.pk}/")
    assert (page.context["verbs"], page.context["may_edit"]) == ([], False)


def test_what_waits_for_credit_is_not_shipped(as_, finance: User, draft: Order) -> None:
    browser = as_(finance)
    press(browser, draft, "confirm")
    Order.objects.filter(pk=draft.pk).update(held=True)
    draft.refresh_from_db()
    press(browser, draft, "ship")
    draft.refresh_from_db()
    assert draft.status == OrderStatus.CONFIRMED


def test_moving_an_order_on_changes_what_its_customer_owes(
    as_, finance: User, draft: Order, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks() as later:
        press(as_(finance), draft, "confirm")
    assert later


def test_a_person_leaves_the_orders_of_the_erp_alone_over_the_api_too(
    finance: User, house: Customer
) -> None:
    client = APIClient()
    client.force_login(finance)
    erp, ours = make_order(house, external_id="SO-7"), make_order(house, external_id=None)
    change = {"status": "cancelled"}
    assert client.patch(f"/api/v1/orders/{erp.pk}/", change).status_code == 403
    assert client.patch(f"/api/v1/orders/{ours.pk}/", change).status_code == 200
