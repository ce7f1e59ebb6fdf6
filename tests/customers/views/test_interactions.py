"""Logging a contact from a sheet, a page and the file; taking it back; whose it is (P32)."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from customers.models import Contact, Customer, FileRead, Interaction
from tests.factories import make_customer, make_interaction, make_visit

LOG = "/customers/log/"
HTMX = {"HX-Request": "true"}


def here(path: str) -> dict[str, str]:
    """The headers htmx sends from the page at `path`."""
    return {**HTMX, "HX-Current-URL": f"http://testserver{path}"}


def filled(customer: Customer, **values: object) -> dict[str, object]:
    now = timezone.localtime()
    return {
        "customer": customer.pk,
        "channel": "call",
        "at": now.strftime("%Y-%m-%dT%H:%M"),
        "inbound": "",
        "words": "要两百箱",
        "client_id": str(uuid4()),
        **values,
    }


# --- the sheet


def test_the_sheet_is_a_dialog_and_its_address_a_page(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    sheet, page = client.get(LOG, headers=HTMX), client.get(LOG)
    assert sheet.content.decode().lstrip().startswith("<dialog")
    assert "<html" in page.content.decode()
    assert 'action="/customers/log/"' in page.content.decode()
    for kind in ("call", "message", "letter", "reception", "meeting", "magazine"):
        assert f'value="{kind}"' in page.content.decode()
    for later in ("complaint", "competitor", "gift"):  # what does not exist is not offered
        assert f'value="{later}"' not in page.content.decode()


def test_the_sheet_costs_the_same_however_many_customers_there_are(
    as_, rep: User, customer: Customer, django_assert_max_num_queries
) -> None:
    for number in range(30):
        other = make_customer(owner=rep)
        Contact.objects.create(customer=other, name=f"{number}")
        FileRead.objects.create(
            customer=other,
            reader=rep,
            on=timezone.localdate(),
            first_at=timezone.now(),
            last_at=timezone.now(),
        )
    client = as_(rep)
    with django_assert_max_num_queries(11):
        assert client.get(LOG, headers=HTMX).status_code == 200


def chosen(client: Client, path: str = "/visits/today/", **query: int) -> tuple[str, str]:
    context = client.get(LOG, query, headers=here(path)).context
    with translation.override("en"):
        return (context["customer"].name if context["customer"] else ""), str(context["hint"])


def test_the_likeliest_customer_is_chosen_already(as_, rep: User, customer: Customer) -> None:
    opened = make_customer(owner=rep, name="Opened")
    client = as_(rep)
    assert chosen(client)[0] == ""
    now = timezone.now()
    FileRead.objects.create(
        customer=opened, reader=rep, on=timezone.localdate(), first_at=now, last_at=now
    )
    assert chosen(client) == ("Opened", "last opened")
    make_visit(customer, rep, scheduled_for=now + timedelta(minutes=1))
    if timezone.localdate(now + timedelta(minutes=1)) == timezone.localdate():
        assert chosen(client) == (customer.name, "next stop")
    assert chosen(client, f"/customers/{opened.pk}/timeline/") == ("Opened", "")
    assert chosen(client, customer=customer.pk) == (customer.name, "")


def test_another_customer_is_found_by_its_name(
    as_, rep: User, customer: Customer, stranger: User
) -> None:
    make_customer(owner=stranger, name="绍兴越州副食品二店")
    client = as_(rep)
    found = client.get(LOG, {"part": "found", "q": "越州"}, headers=HTMX)
    assert [one.name for one in found.context["found"]] == [customer.name]
    assert "<dialog" not in found.content.decode()
    who = client.get(LOG, {"part": "who", "customer": customer.pk}, headers=HTMX)
    assert f'name="customer" value="{customer.pk}"' in who.content.decode()
    page = client.get(LOG, {"q": "越州"})  # without a script
    assert f"?customer={customer.pk}" in page.content.decode()


def test_a_strangers_customer_cannot_be_chosen(as_, stranger: User, customer: Customer) -> None:
    client = as_(stranger)
    assert client.get(LOG, {"customer": customer.pk}).status_code == 404
    assert client.post(LOG, filled(customer)).status_code == 404
    assert chosen(client, f"/customers/{customer.pk}/")[0] == ""
    assert not Interaction.objects.exists()


def test_who_may_only_read_files_logs_nothing(as_, director: User, customer: Customer) -> None:
    client = as_(director)
    assert client.get(LOG).status_code == 403
    assert client.post(LOG, filled(customer)).status_code == 403


# --- logging


def test_a_call_is_on_the_timeline_with_the_customers_words(
    as_, rep: User, customer: Customer
) -> None:
    contact = Contact.objects.create(customer=customer, name="王建国")
    sent = filled(customer, inbound="yes", contact=contact.pk)
    client = as_(rep)
    for _press in range(2):
        page = client.post(LOG, sent, follow=True)
    one = Interaction.objects.get()
    assert (one.channel, one.inbound, one.contact, one.by) == ("call", True, contact, rep)
    text = page.content.decode()
    assert "The customer called Rep" in text
    assert "with 王建国" in text
    assert '<div class="words">要两百箱</div>' in text


def test_from_today_one_stays_there_with_a_toast_that_takes_it_back(
    as_, rep: User, customer: Customer
) -> None:
    client = as_(rep)
    answer = client.post(LOG, filled(customer), headers=here("/visits/today/"))
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#log", "delete")
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert customer.name in toast["text"]
    undone = client.post(toast["undo"]["url"], headers=here("/visits/today/"))
    assert not Interaction.objects.exists()
    redone = json.loads(undone["HX-Trigger"])["toast"]["undo"]["url"]
    client.post(redone, headers=here("/visits/today/"))
    assert Interaction.objects.get().words == "要两百箱"


def test_from_the_file_its_timeline_is_drawn_anew(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    answer = client.post(LOG, filled(customer), headers=here(f"/customers/{customer.pk}/"))
    assert answer["HX-Refresh"] == "true"
    page = client.get(f"/customers/{customer.pk}/").content.decode()
    assert "要两百箱" in page
    one = Interaction.objects.get()
    assert f'action="/customers/interactions/{one.pk}/delete/?version=1"' in page  # the undo
    other = make_customer(owner=rep)
    there = client.post(LOG, filled(customer), headers=here(f"/customers/{other.pk}/"))
    assert "HX-Refresh" not in there


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"at": "2099-01-01T10:00"}, "at"),
        ({"at": "x"}, "at"),
        ({"channel": ""}, "channel"),
        ({"words": "x" * 2001}, "words"),
        ({"client_id": "x"}, "client_id"),
        ({"contact": "999999"}, "contact"),
        ({"customer": ""}, "__all__"),
    ],
)
def test_what_cannot_be_logged_comes_back_with_what_was_typed(
    as_, rep: User, customer: Customer, values: dict[str, str], field: str
) -> None:
    sent = {**filled(customer), **values}
    answer = as_(rep).post(LOG, sent, headers=HTMX)
    assert set(answer.context["form"].errors) == {field}
    assert str(sent["words"]) in answer.content.decode()
    assert "<dialog" not in answer.content.decode()  # the form alone is drawn anew
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    ("go", "to"),
    [
        ("visit", "/visits/new/?customer={}"),
        ("promise", "/customers/{}/promises/new/"),
        ("nonsense", "/customers/"),
    ],
)
def test_the_tiles_of_visit_and_promise_lead_on(
    as_, rep: User, customer: Customer, go: str, to: str
) -> None:
    client = as_(rep)
    sent = filled(customer, go=go)
    assert client.post(LOG, sent)["Location"] == to.format(customer.pk)
    assert client.post(LOG, sent, headers=HTMX)["HX-Redirect"] == to.format(customer.pk)
    assert not Interaction.objects.exists()


# --- one contact


def test_the_author_puts_it_right_on_the_same_day(as_, rep: User, customer: Customer) -> None:
    one = make_interaction(customer, rep, words="两百")
    client = as_(rep)
    url = f"/customers/interactions/{one.pk}/"
    sent = {**filled(customer, words="三百", channel="message"), "version": one.version}
    assert client.get(url).context["form"] is not None
    client.post(url, sent)
    one.refresh_from_db()
    assert (one.words, one.channel) == ("三百", "message")
    stale = client.post(url, {**sent, "words": "四百"})
    assert stale.context["form"].changes
    assert Interaction.objects.get(pk=one.pk).words == "三百"


def test_others_read_it_and_change_nothing(
    as_, rep: User, manager: User, stranger: User, customer: Customer
) -> None:
    one = make_interaction(customer, rep, words="两百")
    url = f"/customers/interactions/{one.pk}/"
    client = as_(manager)
    page = client.get(url)
    assert page.context["form"] is None
    assert "两百" in page.content.decode()
    client.post(url, {**filled(customer, words="x"), "version": one.version})
    client.post(f"{url}delete/?version={one.version}")
    assert Interaction.objects.get(pk=one.pk).words == "两百"
    client = as_(stranger)
    for path in ("", "delete/", "restore/"):
        assert client.post(f"{url}{path}").status_code == 404


def test_it_is_taken_out_and_brought_back_without_a_script(
    as_, rep: User, customer: Customer
) -> None:
    one = make_interaction(customer, rep)
    client = as_(rep)
    url = f"/customers/interactions/{one.pk}/"
    page = client.post(f"{url}delete/", {"version": one.version}, follow=True)
    assert not Interaction.objects.exists()
    assert f'action="{url}restore/"' in page.content.decode()
    client.post(f"{url}restore/")
    assert Interaction.objects.get().pk == one.pk


def test_a_button_drawn_before_a_change_takes_nothing_out(
    as_, rep: User, customer: Customer
) -> None:
    one = make_interaction(customer, rep)
    client = as_(rep)
    for version in ("", "0", "x"):
        client.post(f"/customers/interactions/{one.pk}/delete/", {"version": version})
    assert Interaction.objects.filter(pk=one.pk).exists()


def test_the_middle_button_and_n_open_the_sheet(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    for path in ("/visits/today/", "/customers/", f"/customers/{customer.pk}/"):
        page = client.get(path).content.decode()
        assert 'hx-get="/customers/log/' in page
        assert 'data-key="n"' in page
