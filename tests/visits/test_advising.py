"""Suggestions to customers: the worklist, the outcome, and what was bought after it (P26)."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.assigning import assign
from customers.models import Customer
from tests.factories import (
    local,
    make_customer,
    make_information,
    make_key,
    make_order,
    make_product,
    make_suggestion,
    make_user,
    make_visit,
)
from visits import effects
from visits.actions import make_suggestion as put_on_file
from visits.models import MarketInformation, Suggestion

TODAY = date(2026, 6, 16)
URL = "/visits/information/suggestions/"


def form(**values: Any) -> dict[str, Any]:
    day = timezone.localdate()
    usual = {
        "text": "Move the shelf", "product": "", "expected": "Sells more",
        "made_on": day.isoformat(), "follow_up_on": (day + timedelta(days=7)).isoformat(),
        "client_id": str(uuid4()),
    }  # fmt: skip
    return {**usual, **values}


def test_p26_a_suggestion_is_made_on_the_file_once(as_, rep: User, customer: Customer) -> None:
    product = make_product(name="菜籽油 5L")
    data = form(product=product.external_id)
    url = f"{URL}new/?customer={customer.pk}"
    shown = as_(rep).get(url).context["form"]
    day = timezone.localdate()
    assert (shown["made_on"].value(), shown["follow_up_on"].value()) == (
        day,
        day + timedelta(days=14),
    )
    answer = as_(rep).post(url, data)
    assert answer["Location"] == f"/customers/{customer.pk}/"
    as_(rep).post(url, data)
    made = Suggestion.objects.get()
    assert (made.text, made.product, made.by, made.visit) == ("Move the shelf", product, rep, None)
    assert made.is_open
    assert AuditEntry.objects.filter(model="visits.suggestion", action="create").count() == 1


def test_p26_a_suggestion_is_made_in_a_visit(as_, rep: User, customer: Customer) -> None:
    visit = make_visit(customer, rep, status="done", checked_in_at=timezone.now())
    other = make_visit(make_customer(owner=rep), rep)
    page = as_(rep).get(f"/visits/{visit.pk}/").content.decode()
    assert f"{URL}new/?customer={customer.pk}&amp;visit={visit.pk}" in page
    answer = as_(rep).post(f"{URL}new/?customer={customer.pk}&visit={visit.pk}", form())
    assert answer["Location"] == f"/visits/{visit.pk}/"
    assert Suggestion.objects.get().visit == visit
    assert "Move the shelf" in as_(rep).get(f"/visits/{visit.pk}/").content.decode()
    as_(rep).post(f"{URL}new/?customer={customer.pk}&visit={other.pk}", form())
    assert Suggestion.objects.latest("pk").visit is None
    with pytest.raises(ValidationError):
        put_on_file(
            suggestion=Suggestion(
                customer=customer, visit=other, by=rep, text="x", made_on=TODAY,
                follow_up_on=TODAY,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"product": "no such thing"}, "product"),
        ({"made_on": "2999-01-01"}, "made_on"),
        ({"follow_up_on": "2001-01-01"}, "follow_up_on"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_, rep, customer, wrong, field) -> None:
    page = as_(rep).post(f"{URL}new/?customer={customer.pk}", form(**wrong))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert not Suggestion.objects.exists()


def test_out_of_sight_is_not_there_and_not_allowed_is_refused(
    as_, rep, stranger, finance, customer
) -> None:
    made = make_suggestion(customer, rep)
    for path in (f"{made.pk}/", f"{made.pk}/edit/", f"new/?customer={customer.pk}"):
        assert as_(stranger).get(URL + path).status_code == 404
    assert as_(stranger).post(f"{URL}{made.pk}/outcome/", {"state": "declined"}).status_code == 404
    assert as_(finance).get(f"{URL}{made.pk}/").status_code == 200
    for path in (f"{made.pk}/edit/", f"new/?customer={customer.pk}"):
        assert as_(finance).get(URL + path).status_code == 403
    assert as_(finance).post(f"{URL}{made.pk}/outcome/", {"state": "declined"}).status_code == 403
    for wrong in ("", "?customer=x", "?customer=0", f"?customer={'9' * 20}"):
        assert as_(rep).get(f"{URL}new/{wrong}").status_code == 404


def test_p26_the_worklist_begins_with_what_is_due(as_, rep: User, manager, stranger) -> None:
    day = timezone.localdate()
    names = {}
    for text, days in (("late", -2), ("today", 0), ("later", 5)):
        names[text] = make_suggestion(
            make_customer(owner=rep), rep, text=text, follow_up_on=day + timedelta(days=days)
        )
    make_suggestion(make_customer(owner=rep), rep, text="done", state="taken_up")
    make_suggestion(make_customer(owner=stranger), stranger, text="hidden")

    def texts(user: User, **asked: str) -> list[str]:
        return [row.text for row in as_(user).get(URL, asked).context["page"].rows]

    assert texts(rep) == texts(manager) == ["late", "today", "later"]
    assert texts(rep, due_by=day.isoformat()) == ["late", "today"]
    assert texts(rep, state="taken_up") == ["done"]
    assert set(texts(rep, state="all")) == {"late", "today", "later", "done"}
    assert texts(rep, q="LATER") == ["later"]
    due = as_(rep).get(f"{URL}due/", headers={"HX-Request": "true"}).content.decode()
    assert "late" in due
    assert "later" not in due
    assert as_(rep).get(f"{URL}due/")["Location"] == f"{URL}?due_by={day.isoformat()}"
    assert f'hx-get="{URL}due/"' in as_(rep).get("/visits/today/").content.decode()


def test_p15_who_gets_the_customer_follows_up(as_, rep, manager, director, customer) -> None:
    successor = make_user("successor", team=rep.team)
    made = make_suggestion(customer, rep)
    assert made in as_(rep).get(URL).context["page"].rows
    files = Customer.objects.filter(pk=customer.pk)
    assign(files, to=successor, by=director, now=timezone.now())
    assert list(as_(rep).get(URL).context["page"].rows) == []
    assert list(as_(successor).get(URL).context["page"].rows) == [made]
    assert made.by == rep


def test_p26_an_outcome_in_one_tap_with_words_and_back(as_, rep: User, customer) -> None:
    made = make_suggestion(customer, rep)
    said = {"state": "taken_up", "version": made.version, "next": URL}
    assert as_(rep).post(f"{URL}{made.pk}/outcome/", said)["Location"] == URL
    made.refresh_from_db()
    assert (made.state, made.outcome_on) == ("taken_up", timezone.localdate())
    as_(rep).post(f"{URL}{made.pk}/outcome/", said)  # the second press
    stale = {"state": "declined", "words": "No room", "version": 1}
    page = as_(rep).post(f"{URL}{made.pk}/outcome/", stale, follow=True)
    assert "Somebody changed this meanwhile" in page.content.decode()
    made.refresh_from_db()
    assert made.state == "taken_up"
    as_(rep).post(f"{URL}{made.pk}/outcome/", {**stale, "version": made.version})
    made.refresh_from_db()
    assert (made.state, made.outcome_words) == ("declined", "No room")
    assert as_(rep).post(f"{URL}{made.pk}/outcome/", {"state": "open"}).status_code == 422
    as_(rep).post(f"{URL}{made.pk}/reopen/?version={made.version}")
    made.refresh_from_db()
    assert (made.state, made.outcome_words, made.outcome_on) == ("open", "", None)


def test_of_two_who_change_it_the_second_is_told(as_, rep: User, customer) -> None:
    made = make_suggestion(customer, rep)
    url = f"{URL}{made.pk}/edit/"
    data = form(version=made.version, made_on="2026-06-01", follow_up_on="2026-07-01")
    assert as_(rep).post(url, data).status_code == 302
    stale = as_(rep).post(url, {**data, "text": "Other"})
    assert stale.status_code == 422
    assert stale.context["form"].changes
    made.refresh_from_db()
    assert (made.text, made.follow_up_on) == ("Move the shelf", date(2026, 7, 1))


# --- what was bought of it


@pytest.mark.parametrize(
    ("ordered_at", "before", "after"),
    [
        (local(2026, 3, 2, 23, 59), 0, 0),
        (local(2026, 3, 3), 4, 0),
        (local(2026, 5, 31, 23, 59), 4, 0),
        (local(2026, 6, 1), 0, 4),
        (local(2026, 6, 16, 23, 59), 0, 4),
        (local(2026, 6, 17), 0, 0),
    ],
)
def test_p26_days_before_and_from_its_day_on(rep, customer, ordered_at, before, after) -> None:
    product = make_product()
    make_order(customer, lines=[(product, "4", "2.50")], ordered_at=ordered_at)
    made = make_suggestion(customer, rep, product=product, made_on=date(2026, 6, 1))
    effect = effects.of_suggestion(made, days=90, today=TODAY)
    assert effect is not None
    assert (effect.before.quantity, effect.after.quantity) == (before, after)
    assert (effect.before.first, effect.before.last) == (date(2026, 3, 3), date(2026, 5, 31))
    assert (effect.after.first, effect.after.last) == (date(2026, 6, 1), TODAY)
    assert not effect.is_complete


@pytest.mark.parametrize("seed", range(8))
def test_p26_the_figures_are_those_that_plain_python_counts(rep, customer, seed: int) -> None:
    rng = Random(seed)
    product, other = make_product(), make_product()
    made = make_suggestion(customer, rep, product=product, made_on=date(2026, 4, 10))
    sums = {"before": Decimal(0), "after": Decimal(0)}
    amounts = {"before": Decimal(0), "after": Decimal(0)}
    for _n in range(20):
        day = date(2026, 4, 10) + timedelta(days=rng.randrange(-40, 40))
        status = rng.choice(["draft", "confirmed", "shipped", "completed", "cancelled", "returned"])
        quantity, price = rng.randrange(1, 9), Decimal(rng.randrange(1, 999)) / 100
        wanted = rng.random() < 0.8
        whose = customer if rng.random() < 0.8 else make_customer(owner=rep)
        make_order(
            whose, status=status, ordered_at=local(day.year, day.month, day.day, 9),
            lines=[(product if wanted else other, str(quantity), str(price))],
        )  # fmt: skip
        off = (day - date(2026, 4, 10)).days
        if whose != customer or not wanted or not -30 <= off < 30:
            continue
        sign = {"returned": -1, "draft": 0, "cancelled": 0}.get(status, 1)
        name = "before" if off < 0 else "after"
        sums[name] += sign * quantity
        amounts[name] += sign * quantity * price
    effect = effects.of_suggestion(made, days=30, today=TODAY)
    assert effect is not None
    assert effect.is_complete
    assert {"before": effect.before.quantity, "after": effect.after.quantity} == sums
    assert {"before": effect.before.amount, "after": effect.after.amount} == amounts


def test_p26_each_figure_opens_its_orders(as_, rep: User, customer: Customer) -> None:
    product = make_product()
    day = timezone.localdate() - timedelta(days=10)
    made = make_suggestion(customer, rep, product=product, made_on=day, follow_up_on=day)
    orders = [
        make_order(
            customer, lines=[(product, "3", "2")],
            ordered_at=timezone.now() - timedelta(days=days),
        )
        for days in (60, 20, 5)
    ]  # fmt: skip
    page = as_(rep).get(f"{URL}{made.pk}/")
    effect = page.context["effect"]
    assert [line.order for line in effect.before.lines] == [orders[1], orders[0]]
    assert [line.order for line in effect.after.lines] == [orders[2]]
    for order in orders:
        assert f'href="/orders/{order.pk}/"' in page.content.decode()
    fewer = as_(rep).get(f"{URL}{made.pk}/", {"days": "30"}).context["effect"]
    assert [line.order for line in fewer.before.lines] == [orders[1]]
    assert as_(rep).get(f"{URL}{made.pk}/", {"days": "x"}).context["days"] == 90
    assert effects.of_suggestion(make_suggestion(customer, rep), days=90, today=TODAY) is None


def test_the_list_leaves_as_a_file_without_formulas(as_, rep: User) -> None:
    make_suggestion(make_customer(owner=rep, name="=1"), rep, text="+1", outcome_words="@x")
    answer = as_(rep).get(f"{URL}export/", {"format": "csv"})
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    rows = list(csv.reader(StringIO(data.decode("utf-8-sig"))))
    assert (rows[1][0], rows[1][3], rows[1][10]) == ("'=1", "'+1", "'@x")


@pytest.mark.parametrize(("one", "queries"), [(False, 10), (True, 10)])
def test_pages_cost_the_same_however_many_rows(
    as_, manager, rep, django_assert_num_queries, one: bool, queries: int
) -> None:
    product = make_product()
    customer = make_customer(owner=rep)
    made = make_suggestion(customer, rep, product=product)
    for _n in range(9):
        make_suggestion(make_customer(owner=rep), rep, product=make_product())
        make_order(customer, lines=[(product, "1", "1")], ordered_at=local(2026, 6, 1, 9))
    client = as_(manager)
    url = f"{URL}{made.pk}/" if one else URL
    client.get(url)
    with django_assert_num_queries(queries):
        client.get(url)


# --- by program


def api(user: User | None = None, *scopes: str) -> APIClient:
    _key, secret = make_key(user, scopes=list(scopes) or None)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_p26_a_program_writes_information_and_reads_it(rep: User) -> None:
    sent = {
        "title": "Oil rises", "text": "By 6 %", "source": "read", "learned_on": "2026-06-01",
        "areas": ["33"], "tiers": ["A", "none"],
    }  # fmt: skip
    client = api(rep)
    answer = client.post("/api/v1/market-information/", sent, format="json")
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert (made["by"], made["areas"], made["kinds"]) == ("rep", ["33"], [])
    assert MarketInformation.objects.get().by == rep
    listed = client.get("/api/v1/market-information/?source=read&in_time_on=2026-06-16").json()
    assert [row["id"] for row in listed["results"]] == [made["id"]]
    one = client.get(f"/api/v1/market-information/{made['id']}/").json()
    assert one == made
    for wrong in ({"areas": ["x"]}, {"source": "dreamt"}, {"title": ""}, {"tiers": ["D"]}):
        answer = client.post("/api/v1/market-information/", {**sent, **wrong}, format="json")
        assert answer.status_code == 400
        assert {name.split(".")[0] for name in answer.json()["errors"]} == wrong.keys()


def test_p26_a_program_makes_a_suggestion_and_reads_it(rep, stranger, customer) -> None:
    product = make_product(external_id="SKU-X")
    sent = {"customer": customer.pk, "text": "Move the shelf", "product": "SKU-X"}
    answer = api(rep).post("/api/v1/suggestions/", sent, format="json")
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    today = timezone.localdate()
    assert (made["made_on"], made["by"], made["state"]) == (today.isoformat(), "rep", "open")
    assert made["follow_up_on"] == (today + timedelta(days=14)).isoformat()
    assert Suggestion.objects.get().product == product
    assert api(stranger).get(f"/api/v1/suggestions/{made['id']}/").status_code == 404
    assert api(stranger).get("/api/v1/suggestions/").json()["results"] == []
    assert api(stranger).post("/api/v1/suggestions/", sent, format="json").status_code == 400
    assert api(None, "visits:read").post("/api/v1/suggestions/", sent).status_code == 403
    early = {**sent, "made_on": "2026-06-16", "follow_up_on": "2026-06-15"}
    answer = api(rep).post("/api/v1/suggestions/", early, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"].keys() == {"follow_up_on"}


def test_lists_of_programs_cost_the_same_however_many_rows(
    rep, django_assert_max_num_queries
) -> None:
    for _n in range(8):
        make_information(rep)
        make_suggestion(make_customer(owner=rep), rep, product=make_product())
    client = api(rep)
    for name in ("market-information", "suggestions"):
        with django_assert_max_num_queries(11):
            assert len(client.get(f"/api/v1/{name}/").json()["results"]) == 8
