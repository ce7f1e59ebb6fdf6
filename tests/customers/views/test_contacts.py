"""The people at a customer, as pages (P3, P50)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import AuditEntry, User
from customers.models import Contact, Customer, Interaction
from tests.factories import make_contact, make_customer, make_interaction, make_user


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def text(answer: Any) -> str:
    return str(answer.content.decode())


def data(**values: Any) -> dict[str, Any]:
    return {"name": "王建国", "birthday_calendar": "solar", **values}


def sent(client: Client, contact: Contact, **changes: Any) -> Any:
    """The edit form as a browser sends it back, with some fields changed."""
    url = f"/customers/contacts/{contact.pk}/"
    form = client.get(url).context["form"]
    values = {
        field.html_name: "" if field.value() is None else field.value()
        for field in form
        if field.value() is not False
    }
    return client.post(url, values | changes)


def said(answer: Any) -> list[tuple[str, str]]:
    """The toasts of a page: what they say, and where undo leads."""
    return [(str(message), message.extra_tags) for message in answer.context["messages"]]


# --- the tab and the overview


def test_who_decides_comes_first_and_who_has_left_last(as_, rep: User, customer: Customer) -> None:
    make_contact(customer, name="Left", buying_role="decision_maker", has_left=True)
    make_contact(customer, name="User", buying_role="user", rapport=90)
    make_contact(customer, name="Nobody", rapport=None)
    make_contact(customer, name="Cool influencer", buying_role="influencer", rapport=10)
    make_contact(customer, name="Warm influencer", buying_role="influencer", rapport=80)
    make_contact(customer, name="Buyer", buying_role="purchaser")
    make_contact(customer, name="Boss", buying_role="decision_maker", rapport=82)
    answer = as_(rep).get(f"/customers/{customer.pk}/contacts/")
    assert [person.contact.name for person in answer.context["people"]] == [
        "Boss",
        "Buyer",
        "Warm influencer",
        "Cool influencer",
        "User",
        "Nobody",
        "Left",
    ]
    assert "no longer there" in text(answer)
    assert 'meter-good w-m" aria-hidden="true"><rect width="82%"' in text(answer)


def test_a_phone_is_dialled_in_e164_and_read_in_groups(as_, rep: User, customer: Customer) -> None:
    make_contact(customer, phone="+8613800138000")
    page = text(as_(rep).get(f"/customers/{customer.pk}/contacts/"))
    assert 'href="tel:+8613800138000"' in page
    assert "138 0013 8000" in page


def test_the_next_birthday_stands_there_in_both_calendars(
    as_, rep: User, customer: Customer, time_machine
) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)
    rep.language = "zh-hans"
    rep.save()
    make_contact(customer, birthday_calendar="lunar", birth_month=5, birth_day=3)
    make_contact(customer, birth_year=1968, birth_month=9, birth_day=8)
    client = as_(rep)
    assert "生日 9月8日（满 58 岁）" in text(client.get(f"/customers/{customer.pk}/contacts/"))
    assert "生日 6月17日（农历五月初三）" in text(client.get(f"/customers/{customer.pk}/contacts/"))
    assert "明天生日" in text(client.get(f"/customers/{customer.pk}/"))


def test_the_page_says_which_roles_nobody_is_known_in(as_, rep: User, customer: Customer) -> None:
    make_contact(customer, buying_role="purchaser")
    make_contact(customer, buying_role="influencer", has_left=True)
    answer = as_(rep).get(f"/customers/{customer.pk}/contacts/")
    assert [role.value for role in answer.context["unknown_roles"]] == [
        "decision_maker",
        "influencer",
    ]
    assert "?role=decision_maker" in text(answer)


def test_a_file_without_people_offers_to_add_one_to_who_may(
    as_, rep: User, finance: User, customer: Customer
) -> None:
    url = f"/customers/{customer.pk}/contacts/"
    assert "Add a contact" in text(as_(rep).get(url))
    assert "Add a contact" not in text(as_(finance).get(url))


def test_the_overview_shows_five_and_the_way_to_the_others(
    as_, rep: User, customer: Customer
) -> None:
    for _number in range(5):
        make_contact(customer)
    client = as_(rep)
    assert "All contacts" not in text(client.get(f"/customers/{customer.pk}/"))
    make_contact(customer, has_left=True)
    assert "All contacts" not in text(client.get(f"/customers/{customer.pk}/"))
    make_contact(customer)
    answer = client.get(f"/customers/{customer.pk}/")
    assert len(answer.context["people"]) == 5
    assert "All contacts" in text(answer)


def test_more_than_a_page_of_people_is_paged(as_, rep: User, customer: Customer) -> None:
    Contact.objects.bulk_create(
        Contact(customer=customer, name=f"Contact {number}") for number in range(101)
    )
    url = f"/customers/{customer.pk}/contacts/"
    client = as_(rep)
    assert len(client.get(url).context["people"]) == 100
    assert len(client.get(url, {"page": 2}).context["people"]) == 1
    assert client.get(url, {"page": "x"}).status_code == 200


def test_the_tab_costs_the_same_however_many_people(
    as_, rep: User, customer: Customer, django_assert_num_queries
) -> None:
    url = f"/customers/{customer.pk}/contacts/"
    client = as_(rep)
    make_contact(customer, birth_month=5, birth_day=3)
    client.get(url)
    with django_assert_num_queries(8) as few:
        client.get(url)
    for _number in range(5):
        make_contact(customer, birthday_calendar="lunar", birth_month=5, birth_day=3)
    with django_assert_num_queries(len(few)):
        client.get(url)


# --- who may


def test_who_may_not_write_reads_only(as_, finance: User, customer: Customer) -> None:
    contact = make_contact(customer, phone="+8613800138000")
    client = as_(finance)
    page = text(client.get(f"/customers/{customer.pk}/contacts/"))
    assert contact.name in page
    assert f"/customers/contacts/{contact.pk}/" not in page
    assert client.get(f"/customers/contacts/{contact.pk}/").status_code == 403
    assert client.get(f"/customers/{customer.pk}/contacts/new/").status_code == 403
    for verb in ("left", "back", "delete", "restore"):
        assert client.post(f"/customers/contacts/{contact.pk}/{verb}/").status_code == 403
    assert Contact.objects.get(pk=contact.pk).version == 1


def test_a_stranger_finds_nobody(as_, stranger: User, customer: Customer) -> None:
    contact = make_contact(customer)
    client = as_(stranger)
    assert client.get(f"/customers/{customer.pk}/contacts/").status_code == 404
    assert client.get(f"/customers/contacts/{contact.pk}/").status_code == 404
    assert client.post(f"/customers/{customer.pk}/contacts/new/", data()).status_code == 404
    for verb in ("left", "back", "delete", "restore"):
        url = f"/customers/contacts/{contact.pk}/{verb}/"
        assert client.post(url, {"version": 1}).status_code == 404
    assert Contact.objects.get(pk=contact.pk).version == 1


# --- the form


def test_everything_that_is_noted_is_kept(as_, rep: User, customer: Customer) -> None:
    answer = as_(rep).post(
        f"/customers/{customer.pk}/contacts/new/",
        data(
            title="总经理", buying_role="decision_maker", gender="male",
            phone="(0575) 85123456 转801",
            wechat="wang", email="w@example.com", birthday_calendar="lunar", birth_year="1971",
            birth_month="5", birth_day="12", birthday_leap="on", rapport="82", likes="龙井",
        ),
        follow=True,
    )  # fmt: skip
    contact = Contact.objects.get()
    assert (contact.customer, contact.name, contact.title) == (customer, "王建国", "总经理")
    assert (contact.buying_role, contact.gender) == ("decision_maker", "male")
    assert contact.phone == "+8657585123456;ext=801"
    assert contact.birthday == ("lunar", 5, 12, True, 1971)
    assert (contact.rapport, contact.likes, contact.has_left) == (82, "龙井", False)
    assert said(answer) == [("王建国 is on file.", "")]
    entry = AuditEntry.objects.of(contact).get()
    assert (entry.actor, entry.action, entry.after["name"]) == (rep, "create", "王建国")


def test_a_customer_is_found_by_its_people(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    client.post(f"/customers/{customer.pk}/contacts/new/", data(phone="13800138000"))
    assert "王建国" in customer.card.text


def test_one_more_opens_the_form_again(as_, rep: User, customer: Customer) -> None:
    url = f"/customers/{customer.pk}/contacts/new/"
    assert as_(rep).post(url, data(another="1"))["Location"] == url


def test_a_role_that_is_not_known_yet_is_chosen_already(as_, rep: User, customer: Customer) -> None:
    form = as_(rep).get(f"/customers/{customer.pk}/contacts/new/?role=influencer").context["form"]
    assert form["buying_role"].value() == "influencer"


@pytest.mark.parametrize("known", [{"birth_year": "1968"}, {"birth_month": "5", "birth_day": "3"}])
def test_the_year_or_the_day_may_be_unknown(
    as_, rep: User, customer: Customer, known: dict[str, str]
) -> None:
    as_(rep).post(f"/customers/{customer.pk}/contacts/new/", data(**known))
    contact = Contact.objects.get()
    assert (contact.birthday is None) == ("birth_year" in known)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, ("name", "required")),
        ({"phone": "1380013800"}, ("phone", "A mobile number has 11 digits, now 10.")),
        ({"email": "x"}, ("email", "valid email")),
        ({"rapport": "101"}, ("rapport", "less than or equal to 100")),
        ({"rapport": "-1"}, ("rapport", "greater than or equal to 0")),
        ({"birth_month": "5"}, ("birth_day", "Give the day, too.")),
        ({"birth_day": "5"}, ("birth_month", "Give the month, too.")),
        ({"birth_month": "2", "birth_day": "31"}, ("birth_day", "Month 2 has 29 days at most.")),
        (
            {"birth_year": "2023", "birth_month": "2", "birth_day": "29"},
            ("birth_day", "2023 has no 29 February."),
        ),
        ({"birth_month": "13", "birth_day": "1"}, ("birth_month", "less than or equal to 12")),
        ({"birth_year": "1899"}, ("birth_year", "greater than or equal to 1900")),
        ({"birth_year": "2099"}, ("birth_year", "This year has not come yet.")),
        (
            {"birth_month": "5", "birth_day": "3", "birthday_leap": "on"},
            ("birth_day", "Only the lunar calendar has leap months."),
        ),
        (
            {"birthday_calendar": "lunar", "birth_month": "5", "birth_day": "31"},
            ("birth_day", "A lunar month has 30 days at most."),
        ),
        (
            {
                "birthday_calendar": "lunar",
                "birth_month": "1",
                "birth_day": "3",
                "birthday_leap": "on",
            },
            ("birth_day", "No lunar year has a leap month after month 1."),
        ),
        ({"birthday_calendar": "martian"}, ("birthday_calendar", "valid choice")),
    ],
)
def test_wrong_input_is_named_beside_its_field_and_kept(
    as_, rep: User, customer: Customer, changes: dict[str, str], error: tuple[str, str]
) -> None:
    field, words = error
    answer = as_(rep).post(f"/customers/{customer.pk}/contacts/new/", data(**changes))
    form = answer.context["form"]
    assert any(words in message for message in form.errors[field])
    assert words in text(answer).replace("&#x27;", "'")
    assert not Contact.objects.exists()


def test_a_phone_that_nobody_could_read_does_not_stand_in_the_way(
    as_, rep: User, customer: Customer
) -> None:
    contact = make_contact(customer, phone="0575-85123456/7")
    assert sent(as_(rep), contact, title="Boss").status_code == 302
    contact.refresh_from_db()
    assert (contact.phone, contact.title) == ("0575-85123456/7", "Boss")


def test_sending_the_form_unchanged_changes_nothing(as_, rep: User, customer: Customer) -> None:
    contact = make_contact(
        customer, phone="+8657585123456;ext=801", birthday_calendar="lunar", birth_month=2,
        birth_day=30, rapport=0, gender="female",
    )  # fmt: skip
    before = AuditEntry.objects.of(contact).count()
    assert sent(as_(rep), contact).status_code == 302
    assert AuditEntry.objects.of(contact).count() == before


def test_the_second_of_two_editors_is_told_what_the_first_changed(
    rep: User, manager: User, customer: Customer
) -> None:
    contact = make_contact(customer, name="王建国")
    first, second = Client(), Client()
    first.force_login(rep)
    second.force_login(manager)
    url = f"/customers/contacts/{contact.pk}/"
    stale = second.get(url).context["form"]["version"].value()
    sent(first, contact, title="Boss")
    answer = sent(second, contact, likes="Tea", version=stale)
    assert answer.status_code == 200
    assert "Changed meanwhile" in text(answer)
    assert "Boss" in text(answer)
    contact.refresh_from_db()
    assert (contact.title, contact.likes) == ("Boss", "")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("birthday_calendar=lunar&birth_month=5&birth_day=3", "next on 2026-06-17, tomorrow"),
        ("birthday_calendar=solar&birth_month=2&birth_day=31", "Month 2 has 29 days at most."),
        ("birthday_calendar=lunar&birth_month=1&birth_day=3&birthday_leap=on", "No lunar year"),
        ("birthday_calendar=solar&birth_month=99999&birth_day=3", ""),
        ("birthday_calendar=solar&birth_month=x&birth_day=3", ""),
        ("", ""),
    ],
)
def test_what_a_birthday_comes_to_is_said_while_it_is_typed(
    as_, rep: User, time_machine, query: str, shown: str
) -> None:
    time_machine.move_to("2026-06-16T12:00:00+08:00", tick=False)
    answer = as_(rep).get(f"/customers/birthday/?{query}")
    assert shown in text(answer)
    assert bool(shown) == bool(text(answer).strip())


# --- one tap, and taken back by one


def test_who_left_can_come_back(as_, rep: User, customer: Customer) -> None:
    contact = make_contact(customer, name="王建国")
    client = as_(rep)
    answer = client.post(f"/customers/contacts/{contact.pk}/left/", follow=True)
    undo = f"/customers/contacts/{contact.pk}/back/"
    assert said(answer) == [("王建国 is marked as left.", undo)]
    assert f'action="{undo}"' in text(answer)
    assert Contact.objects.get().has_left
    client.post(f"/customers/contacts/{contact.pk}/left/")  # the second press of the button
    assert Contact.objects.get().version == 2
    client.post(undo)
    assert not Contact.objects.get().has_left


def test_who_was_deleted_can_be_brought_back_whole(as_, rep: User, customer: Customer) -> None:
    contact = make_contact(
        customer, name="王建国", external_id="P-1", birth_month=5, birth_day=3, rapport=82,
        source_updated_at=timezone.now().replace(microsecond=0),
    )  # fmt: skip
    before = Contact.objects.filter(pk=contact.pk).values(
        *(f.attname for f in Contact._meta.concrete_fields if f.name not in TIMES)
    )[0]
    client = as_(rep)
    url = f"/customers/contacts/{contact.pk}/delete/"
    answer = client.post(url, {"version": contact.version}, follow=True)
    undo = f"/customers/contacts/{contact.pk}/restore/"
    assert said(answer) == [("王建国 is deleted.", undo)]
    assert not Contact.objects.exists()
    assert "王建国" not in Customer.objects.get().card.text
    for _press in range(2):
        assert client.post(undo).status_code == 302
    assert Contact.objects.filter(pk=contact.pk).values(*before)[0] == before
    assert "王建国" in Customer.objects.get().card.text


TIMES = ("created_at", "updated_at", "version")


def test_only_who_deleted_a_contact_brings_it_back_and_only_today(
    as_, rep: User, manager: User, customer: Customer, time_machine
) -> None:
    contact = make_contact(customer)
    as_(rep).post(f"/customers/contacts/{contact.pk}/delete/", {"version": contact.version})
    undo = f"/customers/contacts/{contact.pk}/restore/"
    assert as_(manager).post(undo).status_code == 404
    time_machine.move_to(timezone.now() + timedelta(days=1))
    assert as_(rep).post(undo).status_code == 404
    assert not Contact.objects.exists()


def test_a_number_that_the_erp_gave_away_meanwhile_is_not_taken_back(
    as_, rep: User, customer: Customer
) -> None:
    contact = make_contact(customer, external_id="P-1")
    client = as_(rep)
    client.post(f"/customers/contacts/{contact.pk}/delete/", {"version": contact.version})
    make_contact(customer, external_id="P-1")
    assert client.post(f"/customers/contacts/{contact.pk}/restore/").status_code == 302
    assert Contact.objects.get(pk=contact.pk).external_id is None


def test_a_contact_that_was_changed_meanwhile_is_not_deleted(
    as_, rep: User, customer: Customer
) -> None:
    contact = make_contact(customer)
    client = as_(rep)
    sent(client, contact, title="Boss")
    url = f"/customers/contacts/{contact.pk}/delete/"
    answer = client.post(url, {"version": contact.version}, follow=True)
    assert said(answer)[-1][0].startswith("Rep changed this contact meanwhile.")
    assert Contact.objects.exists()


def test_a_contact_that_other_records_name_is_not_deleted(
    as_, rep: User, customer: Customer
) -> None:
    contact = make_contact(customer, name="王建国")
    make_interaction(customer, rep, contact=contact)
    url = f"/customers/contacts/{contact.pk}/delete/"
    answer = as_(rep).post(url, {"version": contact.version}, follow=True)
    assert said(answer)[0][0] == "王建国 is named in other records. Mark as left instead."
    assert Interaction.objects.get().contact == contact


# --- the timeline


def test_the_timeline_tells_what_became_of_the_people(as_, rep: User, customer: Customer) -> None:
    client = as_(rep)
    client.post(f"/customers/{customer.pk}/contacts/new/", data())
    contact = Contact.objects.get()
    sent(client, contact, title="Boss", rapport="5")
    client.post(f"/customers/contacts/{contact.pk}/left/")
    client.post(f"/customers/contacts/{contact.pk}/back/")
    make_contact(make_customer(owner=make_user()), name="Elsewhere")
    page = text(client.get(f"/customers/{customer.pk}/timeline/?kind=contact"))
    told = [
        "王建国 is there again, says Rep",
        "王建国 has left, says Rep",
        "Rep changed the contact 王建国",
        "Rep added the contact 王建国",
    ]
    places = [page.index(words) for words in told]
    assert places == sorted(places)
    assert "title, rapport" in page
    assert "Elsewhere" not in page
