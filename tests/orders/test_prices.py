"""The uniform prices: one for each product and day, whoever writes them (P35.2, P39)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from orders.models import OrderLine, Price, Product
from orders.prices import Period, clashing, lines_priced, record_price, with_uniform
from tests.factories import local, make_key, make_order, make_price, make_product
from tests.orders.sending import became, refused, sync
from tests.orders.test_sync_together import together

URL = "/api/v1/prices/sync/"
JUNE = date(2026, 6, 1)


def day(text: str) -> date | None:
    return date.fromisoformat(f"2026-{text}") if text else None


def record(number: str = "PL-1", **values: Any) -> dict[str, Any]:
    return {
        "external_id": number,
        "product": "P-1",
        "dealer_price": "52.00",
        "retail_price": "70.00",
        "valid_from": "2026-01-01",
        **values,
    }


def days_of(sku: str = "P-1") -> list[tuple[Any, ...]]:
    found = Price.objects.filter(product__external_id=sku).order_by("valid_from")
    return list(found.values_list("external_id", "valid_from", "valid_to"))


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("01-01 01-31", "02-01 02-28", False),
        ("01-01 01-31", "01-31 02-28", True),
        ("01-01 01-31", "01-10 01-20", True),
        ("01-01 -", "03-01 -", True),
        ("01-01 -", "03-01 03-31", True),
        ("03-01 -", "01-01 02-28", False),
        ("03-01 -", "01-01 03-01", True),
        ("01-01 01-01", "01-01 01-01", True),
    ],
)
def test_which_periods_share_a_day(one: str, other: str, meet: bool) -> None:
    a, b = (
        Period(1, *(day(t.strip("-")) for t in text.split()))  # type: ignore[arg-type]  # the first is given
        for text in (one, other)
    )
    assert a.shares_a_day_with(b) is b.shares_a_day_with(a) is meet
    assert not a.shares_a_day_with(Period(2, b.first, b.last))
    assert bool(clashing({"a": a}, [b])) is bool(clashing({"a": a, "b": b}, [])) is meet


def test_of_periods_that_meet_the_one_that_comes_first_stands() -> None:
    months = {f"{n}": Period(1, date(2026, n, 1), date(2026, n, 28)) for n in range(12, 0, -1)}
    assert clashing(months, []) == {}
    long = Period(1, date(2026, 3, 28), date(2026, 5, 1))
    assert list(clashing({**months, "long": long}, [])) == ["long"]
    assert list(clashing({"long": long, **months}, [])) == ["5", "4", "3"]
    assert list(clashing(months, [long])) == ["5", "4", "3"]


@pytest.mark.django_db
class TestTheDay:
    """What holds on a day, for products and for the lines of orders."""

    def test_the_list_decides_and_else_the_product(self) -> None:
        product = make_product(dealer_price="50.00", retail_price="68.00")
        make_price(product, dealer_price="52.00", retail_price=None, valid_to=date(2026, 3, 31))
        make_price(product, dealer_price="54.00", valid_from=JUNE)
        make_price(make_product(), dealer_price="1.00")
        told = {
            date(2025, 12, 31): (False, "50.00", "68.00"),
            date(2026, 1, 1): (True, "52.00", None),
            date(2026, 3, 31): (True, "52.00", None),
            date(2026, 4, 1): (False, "50.00", "68.00"),
            date(2026, 6, 1): (True, "54.00", "70.00"),
            date(2030, 1, 1): (True, "54.00", "70.00"),
        }
        for on, (listed, dealer, retail) in told.items():
            one = with_uniform(Product.objects.filter(pk=product.pk), day=on).get()
            assert (one.listed, one.uniform_dealer) == (listed, Decimal(dealer))
            assert one.uniform_retail == (None if retail is None else Decimal(retail))
            on_day = list(Price.objects.filter(product=product).on(on))
            assert [p.dealer_price for p in on_day] == [Decimal(dealer)] * listed

    def test_prices_to_come_and_past(self) -> None:
        past = make_price(valid_to=date(2026, 5, 31))
        make_price(valid_from=JUNE)
        to_come = make_price(valid_from=date(2026, 6, 2))
        assert Price.objects.ended_before(JUNE).get() == past
        assert Price.objects.beginning_after(JUNE).get() == to_come


@pytest.mark.django_db
class TestRecording:
    def test_no_two_periods_of_a_product_share_a_day(self) -> None:
        first = make_price(valid_to=date(2026, 5, 31))
        meets = Price(
            product=first.product, dealer_price=1, valid_from=date(2026, 5, 31), valid_to=JUNE
        )
        with pytest.raises(ValidationError) as no:
            record_price(price=meets)
        assert no.value.error_dict["valid_from"][0].code == "overlaps"
        assert Price.objects.get() == first
        meets.valid_from = JUNE
        record_price(price=meets)
        first.valid_to = None
        with pytest.raises(ValidationError):
            record_price(price=first)
        assert Price.objects.get(pk=first.pk).valid_to == date(2026, 5, 31)

    def test_a_new_price_follows_the_open_one(self) -> None:
        open_one = make_price()
        new = Price(product=open_one.product, dealer_price=60, valid_from=JUNE)
        assert record_price(price=new, follow=True) == open_one
        open_one.refresh_from_db()
        assert open_one.valid_to == date(2026, 5, 31)
        (entry,) = AuditEntry.objects.of(open_one)[:1]
        assert entry.after == {"valid_to": "2026-05-31"}

    @pytest.mark.parametrize("valid_from", [date(2026, 1, 1), date(2025, 12, 1)])
    def test_what_does_not_follow_is_refused(self, valid_from: date) -> None:
        open_one = make_price()
        new = Price(product=open_one.product, dealer_price=60, valid_from=valid_from)
        with pytest.raises(ValidationError):
            record_price(price=new, follow=True)
        assert Price.objects.get().valid_to is None

    @pytest.mark.parametrize(("last", "fits"), [("12-31", 0), ("01-01", 1), ("06-30", 1)])
    def test_it_ends_on_a_day_on_which_it_holds(self, last: str, fits: bool) -> None:
        price = make_price()
        last_day = date(2025 if last == "12-31" else 2026, *map(int, last.split("-")))
        if fits:
            price.end(last_day=last_day)
        else:
            with pytest.raises(ValidationError):
                price.end(last_day=last_day)
        price.refresh_from_db()
        assert price.valid_to == (last_day if fits else None)


@pytest.mark.django_db
@pytest.mark.usefixtures("wares")
class TestSync:
    def test_sent_again_changes_nothing_and_older_never_overwrites(self, erp: APIClient) -> None:
        one = record(source_updated_at="2026-06-02T00:00:00Z", valid_to="2026-12-31")
        assert became(erp, one, url=URL) == {"created": 1}
        assert became(erp, one, url=URL) == {"unchanged": 1}
        older = {**one, "dealer_price": "1.00", "source_updated_at": "2026-06-01T00:00:00Z"}
        assert became(erp, older, url=URL) == {"stale": 1}
        open_end = {"external_id": "PL-1", "valid_to": None}
        assert became(erp, open_end, url=URL) == {"updated": 1}
        price = Price.objects.get()
        assert (price.valid_to, price.dealer_price) == (None, Decimal("52.00"))
        assert (price.version, AuditEntry.objects.of(price).count()) == (2, 2)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"product": "P-404"}, "product"),
            ({"product": ""}, "product"),
            ({"dealer_price": "-1"}, "dealer_price"),
            ({"dealer_price": "1.001"}, "dealer_price"),
            ({"retail_price": "99999999999"}, "retail_price"),
            ({"valid_from": "2026-02-30"}, "valid_from"),
            ({"valid_from": None}, "valid_from"),
            ({"valid_to": "2025-12-31"}, "valid_to"),
        ],
    )
    def test_a_wrong_record_is_named_and_stops_no_other(self, erp, wrong, field) -> None:
        body = sync(erp, [record(**wrong), record("PL-2", product="P-2")], URL)
        assert (body["created"], body["rejected"]) == (1, 1)
        assert list(body["errors"][0]["errors"]) == [field]

    def test_a_new_record_says_what_and_from_when(self, erp) -> None:
        missing = refused(erp, {"external_id": "PL-1"}, URL)
        assert sorted(missing) == ["dealer_price", "product", "valid_from"]

    def test_periods_that_meet_are_refused_in_one_body_and_across_two(self, erp) -> None:
        body = sync(
            erp,
            [
                record("PL-1", valid_to="2026-03-31"),
                record("PL-2", valid_from="2026-03-31", valid_to="2026-06-30"),
                record("PL-3", valid_from="2026-04-01"),
                record("PL-4", product="P-2", valid_from="2026-03-31"),
            ],
            URL,
        )
        assert (body["created"], body["rejected"]) == (3, 1)
        (no,) = body["errors"]
        assert (no["index"], no["external_id"]) == (1, "PL-2")
        assert "from 2026-01-01 to 2026-03-31" in no["errors"]["valid_from"][0]
        no_room = refused(erp, record("PL-5", valid_from="2026-12-31"), URL)
        assert "from 2026-04-01 on" in no_room["valid_from"][0]

    def test_days_may_move_from_one_price_to_its_neighbour_in_one_body(self, erp) -> None:
        became(
            erp, record("A", valid_to="2026-05-31"), record("B", valid_from="2026-06-01"), url=URL
        )
        moved = [
            {"external_id": "B", "valid_from": "2026-08-01"},
            {"external_id": "A", "valid_from": "2026-06-01", "valid_to": "2026-07-31"},
        ]
        assert became(erp, *moved, url=URL) == {"updated": 2}
        assert days_of() == [("A", JUNE, date(2026, 7, 31)), ("B", date(2026, 8, 1), None)]
        swapped = [
            {"external_id": "A", "valid_from": "2026-08-01", "valid_to": None},
            {"external_id": "B", "valid_from": "2026-06-01", "valid_to": "2026-07-31"},
        ]
        assert became(erp, *swapped, url=URL) == {"updated": 2}
        assert days_of() == [("B", JUNE, date(2026, 7, 31)), ("A", date(2026, 8, 1), None)]

    def test_a_refused_change_keeps_its_old_days_from_others(self, erp) -> None:
        became(
            erp, record("A", valid_to="2026-05-31"), record("B", valid_from="2026-06-01"), url=URL
        )
        body = sync(
            erp,
            [
                {"external_id": "A", "valid_to": "2026-06-30"},  # meets B
                record("C", valid_from="2026-02-01", valid_to="2026-02-28"),  # meets A as it was
            ],
            URL,
        )
        assert sorted(e["external_id"] for e in body["errors"]) == ["A", "C"]
        assert len(days_of()) == 2

    def test_a_price_that_a_person_entered_is_not_overlapped(self, erp) -> None:
        make_price(Product.objects.get(external_id="P-1"))
        assert list(refused(erp, record(), URL)) == ["valid_from"]

    def test_all_or_nothing(self, erp) -> None:
        body = [record(), record("PL-2")]
        assert erp.post(f"{URL}?atomic=true", body, format="json").status_code == 422
        assert not Price.objects.exists()

    def test_a_body_costs_the_same_however_long(self, erp) -> None:
        def cost(start: int, count: int) -> int:
            body = [
                record(
                    f"PL-{n}",
                    product=f"P-{n % 2 + 1}",
                    valid_from=(date(2000, 1, 1) + timedelta(days=n)).isoformat(),
                    valid_to=(date(2000, 1, 1) + timedelta(days=n + 1)).isoformat(),
                )
                for n in range(start, start + count)
            ]
            with CaptureQueriesContext(connection) as queries:
                assert became(erp, *body, url=URL) == {"created": count}
            return len(queries)

        cost(0, 2)
        assert cost(100, 3) == cost(1000, 400)


@pytest.mark.django_db(transaction=True)
class TestTogether:
    """Two people and an ERP that want the same days at the same moment (PostgreSQL)."""

    def test_one_of_many_gets_the_days(self) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has one writer at a time: there is nothing to interleave")
        product = make_product(external_id="P-1")
        _key, secret = make_key()

        def person(first: int) -> str:
            price = Price(product=product, dealer_price=1, valid_from=date(2026, 1, first))
            try:
                record_price(price=price)
            except ValidationError:
                return "refused"
            return "stored"

        def erp(first: int) -> str:
            client = APIClient(headers={"Authorization": f"Bearer {secret}"})
            answer = client.post(
                URL, [record(f"PL-{first}", valid_from=f"2026-01-0{first}")], format="json"
            )
            assert answer.status_code == 200, answer.content
            return "stored" if answer.json()["created"] else "refused"

        works = [partial(person, n) for n in (1, 2, 3)] + [partial(erp, n) for n in (4, 5, 6)]
        assert sorted(together(*works)) == ["refused"] * 5 + ["stored"]
        assert Price.objects.count() == 1


@pytest.mark.django_db
class TestApi:
    def test_a_price_comes_back_as_it_was_sent(self, erp: APIClient) -> None:
        make_product(external_id="P-1")
        sent = record(valid_to="2026-12-31", source_updated_at="2026-06-01T10:00:00+08:00")
        answer = erp.post("/api/v1/prices/", sent, format="json")
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert {name: body[name] for name in sent} == sent
        again = erp.post("/api/v1/prices/", record("PL-2"), format="json")
        assert (again.status_code, list(again.json()["errors"])) == (400, ["valid_from"])
        url = f"/api/v1/prices/{body['id']}/"
        assert erp.patch(url, {"valid_to": "2025-01-01"}, format="json").status_code == 400
        changed = erp.patch(url, {"valid_to": None}, headers={"If-Match": answer["ETag"]})
        assert (changed.status_code, changed.json()["valid_to"]) == (200, None)
        late = erp.patch(url, {"retail_price": "1"}, headers={"If-Match": answer["ETag"]})
        assert late.status_code == 412

    def test_filters_narrow_the_list(self, erp: APIClient) -> None:
        rice = make_product(external_id="R-1", name="Rice", category="Grain")
        make_price(rice, valid_to=date(2026, 5, 31), external_id="old")
        make_price(rice, valid_from=JUNE, external_id="new")
        make_price(make_product(external_id="O-1", name="Oil"), external_id="oil")

        def found(**query: Any) -> list[str]:
            answer = erp.get("/api/v1/prices/", query)
            assert answer.status_code == 200, answer.content
            return sorted(row["external_id"] for row in answer.json()["results"])

        assert found(product="R-1") == found(category="Grain") == found(q="ric") == ["new", "old"]
        assert found(on="2026-05-31", product="R-1") == ["old"]
        assert found(begins_after="2026-05-31") == ["new"]
        assert found(ended_before="2026-06-01") == ["old"]
        assert erp.get("/api/v1/prices/", {"on": "x"}).status_code == 400

    def test_a_key_needs_the_scopes_of_prices(self, finance: User) -> None:
        price = make_price()
        for scopes, reads, writes in (
            (["products:read", "products:write"], 403, 403),
            (["prices:read"], 200, 403),
            (["prices:read", "prices:write"], 200, 200),
        ):
            _key, secret = make_key(scopes=scopes)
            client = APIClient(headers={"Authorization": f"Bearer {secret}"})
            url = f"/api/v1/prices/{price.pk}/"
            assert client.get(url).status_code == reads
            assert client.patch(url, {"retail_price": "71"}).status_code == writes
            assert client.post(URL, [], format="json").status_code == writes


@pytest.mark.django_db
class TestPages:
    @pytest.fixture(autouse=True)
    def _today(self, time_machine: Any) -> None:
        time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)

    def test_the_list_says_how_each_price_stands(
        self, as_, rep: User, django_assert_max_num_queries
    ) -> None:
        rice = make_product(name="Rice " + "x" * 195)
        make_price(rice, valid_to=date(2026, 5, 31))
        make_price(rice, valid_from=JUNE, valid_to=date(2026, 6, 16))
        make_price(rice, valid_from=date(2026, 6, 17))
        client = as_(rep)
        with django_assert_max_num_queries(8):
            page = client.get("/orders/prices/")
        assert [row["label"] for row in page.context["rows"]] == ["to come", "in force", "past"]
        for tab, labels in zip(
            page.context["tabs"], (None, ["in force"], ["to come"], ["past"]), strict=True
        ):
            shown = [row["label"] for row in client.get(tab.url).context["rows"]]
            assert labels is None or shown == labels
        text = b"".join(client.get("/orders/prices/export/?format=csv")).decode()
        assert text.count("52.00") == 3
        assert client.get("/orders/prices/new/").status_code == 403

    def test_a_price_is_entered_changed_ended_and_opened_again(self, as_, finance: User) -> None:
        client = as_(finance)
        rice = make_product(external_id="R-1", name="Rice")
        old = make_price(rice)
        data = {
            "product": "rice",
            "dealer_price": "55",
            "retail_price": "75",
            "valid_from": "2026-06-10",
            "valid_to": "",
        }
        page = client.post("/orders/prices/new/", data, follow=True)
        assert "the one before ends on" in page.content.decode()
        new = Price.objects.get(valid_to=None)
        old.refresh_from_db()
        assert old.valid_to == date(2026, 6, 9)
        # The same form once more is refused, not stored twice.
        again = client.post("/orders/prices/new/", data)
        assert "valid_from" in again.context["form"].errors
        url = f"/orders/prices/{new.pk}/"
        late = {**data, "valid_from": "2026-06-09", "version": new.version}
        assert "valid_from" in client.post(f"{url}edit/", late).context["form"].errors
        better = {**data, "dealer_price": "54", "version": new.version}
        assert client.post(f"{url}edit/", better).status_code == 302
        page = client.post(f"{url}end/", follow=True)
        new.refresh_from_db()
        assert (new.valid_to, new.dealer_price) == (date(2026, 6, 16), Decimal(54))
        *_earlier, undo = [message.extra_tags for message in page.context["messages"]]
        client.post(f"{url}end/")
        client.post(undo)
        new.refresh_from_db()
        assert new.valid_to is None
        client.post(undo)  # of an older state: nothing happens
        assert Price.objects.get(pk=new.pk).version == new.version
        product_page = client.get(f"/orders/products/{rice.pk}/").content.decode()
        assert "54.00" in product_page
        assert "by the price list" in product_page

    @pytest.mark.parametrize(
        ("typed", "code"), [("zzz", "unknown"), ("oil", "several"), ("", "required")]
    )
    def test_a_product_that_nobody_can_mean_is_named(self, as_, finance, typed, code) -> None:
        make_product(name="Oil 1")
        make_product(name="Oil 2")
        form = as_(finance).post("/orders/prices/new/", {"product": typed}).context["form"]
        assert form.errors.as_data()["product"][0].code == code

    def test_products_are_suggested_while_typing(self, as_, rep: User) -> None:
        make_product(external_id="O-1", name="Oil & more")
        make_product(external_id="O-2", name="Oil, gone", active=False)
        text = as_(rep).get("/orders/products/options/?lines-0-product=oi").content.decode()
        assert 'value="O-1"' in text
        assert "&amp;" in text
        assert "O-2" not in text


@pytest.mark.django_db
def test_an_order_finds_the_prices_of_its_own_day(customer) -> None:
    product = make_product(dealer_price="50.00")
    make_price(product, dealer_price="52.00", valid_from=date(2026, 6, 2))
    late = make_order(customer, lines=[(product, "1", "1")], ordered_at=local(2026, 6, 1, 23, 59))
    early = make_order(customer, lines=[(product, "1", "1")], ordered_at=local(2026, 6, 2))
    told = {line.order_id: line.uniform_dealer for line in lines_priced(OrderLine.objects.all())}
    assert told == {late.pk: Decimal("50.00"), early.pk: Decimal("52.00")}
