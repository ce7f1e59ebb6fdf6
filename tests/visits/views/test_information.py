"""The pages of market information (P26): list, one piece, sending, letter, outcome, report."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from customers.models import Customer
from tests.factories import (
    make_contact,
    make_customer,
    make_information,
    make_sending,
    make_suggestion,
)
from visits.models import MarketInformation, Sending

LIST = "/visits/information/"
SENT = "/visits/information/sent/"


def today() -> str:
    return timezone.localdate().isoformat()


def form(**values: Any) -> dict[str, Any]:
    usual = {
        "title": "Oil rises", "text": "By 6 %", "source": "heard", "where": "A buyer",
        "learned_on": today(), "valid_until": "", "client_id": str(uuid4()), "areas": "",
        "tags": "",
    }  # fmt: skip
    return {**usual, **values}


def table(answer: Any) -> list[list[str]]:
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.reader(StringIO(data.decode("utf-8-sig"))))


def test_p26_a_rep_writes_down_what_she_heard(as_, rep: User) -> None:
    client = as_(rep)
    data = form(kinds=["dealer"], tiers=["A", "none"], areas="浙江，3205", tags="会员、夜市")
    answer = client.post(f"{LIST}new/", data, follow=True)
    known = MarketInformation.objects.get()
    assert (known.by, known.source, known.where) == (rep, "heard", "A buyer")
    assert (known.kinds, known.tiers) == (["dealer"], ["A", "none"])
    assert (known.areas, known.tags) == (["33", "3205"], ["会员", "夜市"])
    assert "The information is on file." in answer.content.decode()
    client.post(f"{LIST}new/", data)  # the second press of the button
    assert MarketInformation.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"source": "dreamt"}, "source"),
        ({"learned_on": "2999-01-01"}, "learned_on"),
        ({"valid_until": "2001-01-01"}, "valid_until"),
        ({"areas": "Atlantis"}, "areas"),
        ({"text": "x" * 4001}, "text"),
        ({"categories": ["no such"]}, "categories"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_, rep, wrong, field) -> None:
    page = as_(rep).post(f"{LIST}new/", form(**wrong))
    assert page.status_code == 422
    assert field in page.context["form"].errors
    assert page.context["form"]["where"].value() == "A buyer"
    assert not MarketInformation.objects.exists()


def test_its_author_and_managers_change_it_and_nobody_else(as_, rep, manager, stranger) -> None:
    known = make_information(rep, title="Before")
    url = f"{LIST}{known.pk}/edit/"
    data = form(title="After", version=known.version)
    assert as_(stranger).post(url, data).status_code == 403
    assert as_(stranger).get(f"{LIST}{known.pk}/").status_code == 200
    assert as_(rep).post(url, data).status_code == 302
    stale = as_(manager).post(url, {**data, "title": "Late"})
    assert stale.status_code == 422
    assert stale.context["form"].changes
    known.refresh_from_db()
    assert (known.title, known.by) == ("After", rep)


def test_p26_the_page_says_whom_it_fits_and_who_received_it(as_, rep, manager, stranger) -> None:
    known = make_information(rep, kinds=["dealer"])
    fits, got = make_customer(owner=rep, name="Fits"), make_customer(owner=rep, name="Got it")
    make_customer(owner=stranger, name="Hidden")
    make_customer(owner=rep, name="Outlet", kind="outlet")
    make_sending(got, rep, known, outcome="taken_up", outcome_words="Ordered 20")
    for user in (rep, manager):
        page = as_(user).get(f"{LIST}{known.pk}/")
        assert list(page.context["fitting"]) == [fits]
        assert page.context["fitting_count"].n == 1
        shown = page.content.decode()
        assert "Ordered 20" in shown
        assert "1 of 1 took it up" in shown
        assert "Hidden" not in shown
    hers = as_(stranger).get(f"{LIST}{known.pk}/")
    assert "Got it" not in hers.content.decode()
    assert hers.context["tally"] is None


@pytest.fixture
def known(rep: User) -> MarketInformation:
    return make_information(rep, learned_on=timezone.localdate() - timedelta(days=5))


def test_p26_it_is_noted_for_the_chosen_customers_and_taken_back(as_, rep, known) -> None:
    chosen = [make_customer(owner=rep) for _n in range(3)]
    left = make_customer(owner=rep)
    client, url = as_(rep), f"{LIST}{known.pk}/send/"
    assert client.get(url).status_code == 200
    data = {
        "ids": [one.pk for one in chosen], "way": "visit", "sent_on": today(), "note": "Shown",
    }  # fmt: skip
    page = client.post(url, data, follow=True)
    rows = list(Sending.objects.order_by("customer"))
    assert [row.customer for row in rows] == chosen
    assert {(row.way, row.note, row.by, row.outcome) for row in rows} == {
        ("visit", "Shown", rep, "waiting")
    }
    assert "Noted as sent to 3 customers." in page.content.decode()
    client.post(url, data)
    assert Sending.objects.count() == 3
    (message,) = [one for one in page.context["messages"] if one.extra_tags]
    assert client.post(message.extra_tags).status_code == 302
    assert not Sending.objects.exists()
    client.post(message.extra_tags)  # twice
    assert left.information_received.count() == 0


def test_a_day_before_is_noted_at_noon_and_a_future_one_refused(as_, rep, known, customer) -> None:
    url = f"{LIST}{known.pk}/send/"
    before = timezone.localdate() - timedelta(days=2)
    data = {"ids": [customer.pk], "way": "call", "note": ""}
    late = as_(rep).post(url, {**data, "sent_on": "2999-01-01"})
    assert late.status_code == 422
    assert not Sending.objects.exists()
    early = as_(rep).post(
        url, {**data, "sent_on": (known.learned_on - timedelta(days=1)).isoformat()}
    )
    assert early.status_code == 422
    as_(rep).post(url, {**data, "sent_on": before.isoformat()})
    at = timezone.localtime(Sending.objects.get().sent_at)
    assert (at.date(), at.hour) == (before, 12)


def test_above_fifty_it_asks_once_more(as_, rep, known) -> None:
    for number in range(51):
        make_customer(owner=rep, name=f"{number:02}", abc="B" if number else "A")
    client, url = as_(rep), f"{LIST}{known.pk}/send/"
    data = {"all": "1", "way": "letter", "sent_on": today(), "note": ""}
    page = client.post(url, data)
    assert page.status_code == 200
    assert "51 customers are noted as having received it." in page.content.decode()
    assert not Sending.objects.exists()
    client.post(url, {**data, "query": "abc=B"})  # 50: nothing to ask
    assert Sending.objects.count() == 50
    client.post(url, {**data, "sure": "7"})
    assert Sending.objects.count() == 51


def test_nobody_notes_what_she_cannot_see_or_write(as_, rep, stranger, finance, known) -> None:
    customer = make_customer(owner=rep)
    data = {"ids": [customer.pk], "way": "call", "sent_on": today(), "note": ""}
    url = f"{LIST}{known.pk}/send/"
    assert as_(finance).post(url, data).status_code == 403
    as_(stranger).post(url, data)
    letter = f"{LIST}{known.pk}/letter/?customer={customer.pk}"
    assert as_(stranger).get(letter).status_code == 404
    assert as_(stranger).post(letter, data).status_code == 404
    assert as_(finance).get(letter).status_code == 200
    assert as_(finance).post(letter, data).status_code == 403
    assert not Sending.objects.exists()
    for wrong in ("x", "0", "9" * 20):
        assert as_(rep).get(f"{LIST}{known.pk}/letter/?customer={wrong}").status_code == 404


def test_p26_the_letter_is_for_one_person_and_mailed_by_the_reader(as_, rep, known) -> None:
    customer = make_customer(owner=rep, name="Shop", email="shop@example.com")
    person = make_contact(customer, name="Ms Li", email="li@example.com")
    make_contact(make_customer(owner=rep), name="Elsewhere")
    url = f"{LIST}{known.pk}/letter/?customer={customer.pk}"
    page = as_(rep).get(url)
    assert page.context["letter"].body.startswith("Shop,")
    assert "mailto:shop@example.com?" in page.content.decode()
    assert "Elsewhere" not in page.content.decode()
    page = as_(rep).get(f"{url}&contact={person.pk}")
    assert page.context["letter"].body.startswith("Ms Li,")
    assert "mailto:li@example.com?" in page.content.decode()
    data = {"contact": person.pk, "way": "email", "sent_on": today(), "note": ""}
    done = as_(rep).post(f"{url}&contact={person.pk}", data, follow=True)
    sending = Sending.objects.get()
    assert (sending.contact, sending.way, sending.customer) == (person, "email", customer)
    assert "Received on" in done.content.decode()


def test_p26_what_is_no_longer_in_time_warns(as_, rep, customer) -> None:
    known = make_information(rep, valid_until=timezone.localdate() - timedelta(days=1))
    url = f"{LIST}{known.pk}/send/"
    assert "It was in time until" in as_(rep).get(url).content.decode()
    data = {"ids": [customer.pk], "way": "call", "sent_on": today(), "note": ""}
    page = as_(rep).post(url, data, follow=True)
    assert "It was no longer in time on that day." in page.content.decode()
    assert not Sending.objects.get().was_in_time
    assert [row.pk for row in as_(rep).get(f"{SENT}?late=true").context["page"].rows] == [
        Sending.objects.get().pk
    ]


def test_p26_an_outcome_in_one_tap_with_words_and_back(as_, rep, stranger, customer) -> None:
    sending = make_sending(customer, rep)
    url = f"{SENT}{sending.pk}/"
    said = {"outcome": "taken_up", "version": sending.version, "next": SENT}
    assert as_(stranger).post(url, said).status_code == 404
    answer = as_(rep).post(url, said)
    assert answer["Location"] == SENT
    sending.refresh_from_db()
    assert (sending.outcome, sending.outcome_on) == ("taken_up", timezone.localdate())
    as_(rep).post(url, said)  # the second press
    stale = as_(rep).post(
        url, {"outcome": "not_taken_up", "words": "No", "version": 1, "next": "https://evil.test/"}
    )
    assert stale["Location"] == url
    sending.refresh_from_db()
    assert sending.outcome == "taken_up"
    as_(rep).post(url, {"outcome": "taken_up", "words": "Ordered 20", "version": sending.version})
    sending.refresh_from_db()
    assert sending.outcome_words == "Ordered 20"
    take_back = f"{SENT}{sending.pk}/take-back/?version="
    as_(rep).post(f"{take_back}{sending.version}")
    assert Sending.objects.exists()
    as_(rep).post(f"{SENT}{sending.pk}/wait/?version={sending.version}")
    sending.refresh_from_db()
    assert sending.is_waiting
    as_(rep).post(f"{take_back}1")
    assert Sending.objects.exists()
    for _press in range(2):
        answer = as_(rep).post(f"{take_back}{sending.version}")
        assert answer["Location"] == f"{LIST}{sending.information_id}/"
        assert not Sending.objects.exists()


def test_lists_are_filtered_and_leave_as_files(as_, rep, manager, stranger) -> None:
    day = timezone.localdate()
    old = make_information(
        rep, title="Old", source="read", where="Weekly", valid_until=day - timedelta(days=1)
    )
    new = make_information(manager, title="=New", source="seen", valid_until=day)
    customer = make_customer(owner=rep, name="+Shop")
    make_sending(customer, rep, old, outcome="taken_up", outcome_words="=1+1")
    make_sending(make_customer(owner=stranger), stranger, old)

    def titles(**asked: str) -> set[str]:
        page = as_(rep).get(LIST, asked)
        return {row["information"].title for row in page.context["rows"]}

    assert titles() == {"Old", "=New"}
    assert titles(source="read") == {"Old"}
    assert titles(by="manager") == {"=New"}
    assert titles(q="weekly") == {"Old"}
    assert titles(in_time_on=day.isoformat()) == {"=New"}
    assert titles(expired_on=day.isoformat()) == {"Old"}
    assert titles(learned_from="2999-01-01") == set()
    rows = {row[0]: row for row in table(as_(rep).get(f"{LIST}export/", {"format": "csv"}))[1:]}
    assert rows["Old"][8:12] == ["1", "1", "0", "0"]
    assert rows["'=New"][8:12] == ["0", "0", "0", "0"]
    sent = table(as_(rep).get(f"{SENT}export/", {"format": "csv"}))[1:]
    assert [(row[0], row[2], row[12]) for row in sent] == [("Old", "'+Shop", "'=1+1")]
    assert new.sendings.count() == 0


def test_p26_every_figure_of_the_report_opens_its_rows(as_, rep, manager, stranger) -> None:
    for number in range(7):
        make_sending(
            make_customer(owner=rep), [rep, manager][number % 2],
            make_information(rep, source=["read", "heard", "seen"][number % 3]),
            outcome=["taken_up", "not_taken_up", "waiting"][number % 3 - 1],
            sent_at=timezone.now() - timedelta(days=17 * number),
        )  # fmt: skip
    make_sending(make_customer(owner=stranger), stranger)
    first = (timezone.localdate() - timedelta(days=80)).isoformat()
    client = as_(manager)
    page = client.get(f"{LIST}report/", {"sent_from": first})
    lines = [page.context["total"], *(one for part in page.context["parts"] for one in part[2])]
    assert page.context["total"]["row"].sent == 5
    assert len(lines) > 6
    for line in lines:
        for name, url in line["urls"].items():
            assert urlsplit(url).path == SENT
            assert client.get(url).context["count"].n == getattr(line["row"], name), url


def test_the_panel_of_a_file_shows_both(as_, rep, stranger, customer) -> None:
    make_sending(customer, rep, make_information(rep, title="Oil rises"))
    make_suggestion(customer, rep, text="Move the shelf")
    url = f"{LIST}of-customer/{customer.pk}/"
    part = as_(rep).get(url, headers={"HX-Request": "true"}).content.decode()
    assert "Oil rises" in part
    assert "Move the shelf" in part
    assert as_(rep).get(url)["Location"] == f"{SENT}?customer={customer.pk}"
    assert as_(stranger).get(url).status_code == 404
    assert f'hx-get="{url}"' in as_(rep).get(f"/customers/{customer.pk}/").content.decode()


def test_the_search_page_finds_information(as_, rep: User) -> None:
    known = make_information(rep, title="菜籽收购价上涨", where="粮油周报")
    for words in ("收购价", "粮油"):
        page = as_(rep).get("/search/", {"q": words}).content.decode()
        assert reverse("visits:information", args=[known.pk]) in page


@pytest.mark.parametrize(
    ("path", "queries"),
    [("", 8), ("sent/", 10), ("report/", 11), ("{pk}/", 11), ("{pk}/send/", 10)],
)
def test_pages_cost_the_same_however_many_rows(
    as_, manager, rep, known, django_assert_num_queries, path: str, queries: int
) -> None:
    for _n in range(9):
        make_sending(make_customer(owner=rep), rep, known)
        make_customer(owner=rep)
        make_sending(make_customer(owner=rep), manager, make_information(manager))
    client = as_(manager)
    url = LIST + path.format(pk=known.pk)
    client.get(url)
    with django_assert_num_queries(queries):
        client.get(url)


def test_without_customers_every_page_says_so(client: Client, as_, rep: User) -> None:
    known = make_information(rep)
    pages = ("", "sent/", "report/", f"{known.pk}/", f"{known.pk}/send/", "suggestions/")
    for path in pages:
        page = as_(rep).get(LIST + path)
        assert page.status_code == 200
    assert (
        "Nobody is left to send it to" in as_(rep).get(f"{LIST}{known.pk}/send/").content.decode()
    )
    assert Customer.objects.count() == 0
