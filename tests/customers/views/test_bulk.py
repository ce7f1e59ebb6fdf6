"""Owner, tag and export for many customers at once; each in sight, and taken back."""

from __future__ import annotations

import csv
import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import make_customer, make_user

URL = "/customers/bulk/"


@pytest.fixture
def own(rep: User) -> list[Customer]:
    return [make_customer(owner=rep, name=f"Shop {n}", tags=["old"]) for n in range(3)]


def ids(customers: list[Customer]) -> list[int]:
    return [customer.pk for customer in customers]


def said(answer) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def undo_of(answer) -> str:
    return next(
        message.extra_tags for message in get_messages(answer.wsgi_request) if message.extra_tags
    )


def tags_of(customers: list[Customer]) -> list[list[str]]:
    return [Customer.objects.get(pk=customer.pk).tags for customer in customers]


def test_picked_customers_get_a_tag_and_lose_it_by_undo(as_, rep: User, own) -> None:
    client = as_(rep)
    answer = client.post(
        URL, {"do": "tag", "tag": " 样板 ", "ids": ids(own[:2]), "query": "abc=A&x=1"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "/customers/?abc=A")
    assert tags_of(own) == [["old", "样板"], ["old", "样板"], ["old"]]
    assert "2 customers tagged “样板”." in said(answer)
    entry = AuditEntry.objects.of(own[0]).latest("id")
    assert (entry.before, entry.after) == ({"tags": ["old"]}, {"tags": ["old", "样板"]})
    assert Customer.objects.get(pk=own[0].pk).version == own[0].version + 1
    undo = undo_of(answer)
    client.post(undo)
    assert tags_of(own) == [["old"]] * 3
    again = client.post(undo)
    assert said(again)[-1] == "This can no longer be taken back."


def test_a_tag_is_taken_off_where_it_is(as_, rep: User, own) -> None:
    make_customer(owner=rep)
    client = as_(rep)
    answer = client.post(URL, {"do": "untag", "tag": "old", "all": "1"})
    assert tags_of(own) == [[]] * 3
    assert "1 customer stays as it was." in said(answer)
    client.post(undo_of(answer))
    assert tags_of(own) == [["old"]] * 3


def test_what_is_out_of_sight_is_left_alone_and_said(as_, rep: User, stranger: User, own) -> None:
    hidden = make_customer(owner=stranger)
    answer = as_(rep).post(URL, {"do": "tag", "tag": "x", "ids": [own[0].pk, hidden.pk, 10**17]})
    assert tags_of([hidden]) == [[]]
    assert tags_of(own[:1]) == [["old", "x"]]
    assert "2 customers are not in your sight any more and were left alone." in said(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"do": "assign", "to": "rep", "ids": ["1"]}, 403),
        ({"do": "burn", "ids": ["1"]}, 404),
        ({"ids": ["1"]}, 404),
        ({"do": "tag", "tag": "x"}, 302),
        ({"do": "tag", "tag": "x", "ids": ["x", "-1", "9" * 30, "１"]}, 302),
        ({"do": "tag", "tag": "x", "all": "1", "query": "abc=Z&cursor=1&owner=%00"}, 302),
    ],
)
def test_odd_requests_change_nothing(as_, rep: User, own, body, status: int) -> None:
    assert as_(rep).post(URL, body).status_code == status
    assert tags_of(own) == [["old"]] * 3


def test_who_may_only_read_may_only_export(as_, finance: User, own) -> None:
    client = as_(finance)
    assert client.post(URL, {"do": "tag", "tag": "x", "ids": ids(own)}).status_code == 403
    assert client.post(URL, {"do": "export", "ids": ids(own)}).status_code == 200


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "x" * 31])
def test_a_bad_tag_is_asked_for_again(as_, rep: User, own, tag: str) -> None:
    answer = as_(rep).post(URL, {"do": "tag", "tag": tag, "ids": ids(own)})
    assert answer.status_code == 200
    assert answer.context["form"].errors["tag"]
    assert f'value="{own[0].pk}"' in answer.content.decode()


def test_a_file_full_of_tags_stays_as_it_is(as_, rep: User) -> None:
    full = make_customer(owner=rep, tags=[f"t{n}" for n in range(20)])
    answer = as_(rep).post(URL, {"do": "tag", "tag": "x", "ids": [full.pk]})
    assert len(tags_of([full])[0]) == 20
    assert "1 customer stays as it was." in said(answer)


def test_a_manager_gives_customers_to_somebody_in_sight_and_takes_it_back(
    as_, manager: User, rep: User, stranger: User, own
) -> None:
    other = make_user("other", team=rep.team)
    own[2].owner = other
    own[2].save()
    client = as_(manager)
    asked = client.post(URL, {"do": "assign", "ids": ids(own)})
    assert set(asked.context["form"].fields["to"].queryset) == {manager, rep, other}
    refused = client.post(URL, {"do": "assign", "to": stranger.username, "ids": ids(own)})
    assert refused.context["form"].errors["to"]
    answer = client.post(URL, {"do": "assign", "to": "other", "ids": ids(own)})
    assert set(Customer.objects.filter(pk__in=ids(own)).values_list("owner", flat=True)) == {
        other.pk
    }
    assert "Other has 2 customers more." in said(answer)
    Customer.objects.filter(pk=own[0].pk).update(owner=manager)
    back = client.post(undo_of(answer))
    owners = {c.pk: c.owner for c in Customer.objects.filter(pk__in=ids(own))}
    assert [owners[pk] for pk in ids(own)] == [manager, rep, other]
    assert said(back)[-2:] == [
        "1 customer is as before.",
        "1 customer was changed meanwhile and stays so.",
    ]


def test_nobody_takes_back_what_somebody_else_did(as_, rep: User, manager: User, own) -> None:
    answer = as_(rep).post(URL, {"do": "tag", "tag": "x", "ids": ids(own)})
    undo = undo_of(answer)
    as_(manager).post(undo)
    assert tags_of(own) == [["old", "x"]] * 3


def test_above_fifty_the_number_is_shown_first(as_, rep: User) -> None:
    many = [make_customer(owner=rep, abc="A") for _ in range(51)]
    make_customer(owner=rep)
    client = as_(rep)
    body = {"do": "tag", "tag": "x", "all": "1", "query": "abc=A"}
    asked = client.post(URL, body)
    page = asked.content.decode()
    assert asked.status_code == 200
    assert "Tag 51 customers" in page
    assert not any(tags_of(many))
    hidden = dict(re.findall(r'<input type="hidden" name="(sure|all|query)" value="([^"]*)"', page))
    make_customer(owner=rep, abc="A")
    assert "Tag 52 customers" in client.post(URL, {**body, **hidden}).content.decode()
    client.post(URL, {**body, "sure": "52"})
    assert Customer.objects.filter(abc="A", tags=["x"]).count() == 52
    assert Customer.objects.filter(tags=[]).count() == 1


def test_picked_customers_are_exported(as_, rep: User, own, stranger: User) -> None:
    hidden = make_customer(owner=stranger, name="Hidden")
    answer = as_(rep).post(URL, {"do": "export", "ids": [*ids(own[:2]), hidden.pk]})
    assert "attachment" in answer["Content-Disposition"]
    everything = as_(rep).post(URL, {"do": "export", "all": "1", "query": "tag=old"})
    assert everything["Location"] == "/customers/export/?tag=old&format=xlsx"
    answer = as_(rep).get(everything["Location"].replace("xlsx", "csv"))
    rows = list(csv.reader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert len(rows) == 4


@pytest.mark.parametrize("do", ["tag", "assign"])
def test_a_thousand_cost_the_statements_of_ten(
    as_, manager: User, rep: User, do: str, django_assert_max_num_queries
) -> None:
    make_user("other", team=rep.team)
    client: Client = as_(manager)
    for number, size in enumerate((10, 300)):
        some = [make_customer(owner=rep).pk for _ in range(size)]
        body = {"do": do, "tag": f"x{number}", "to": "other", "ids": some, "sure": str(size)}
        with django_assert_max_num_queries(28):
            answer = client.post(URL, body)
        assert undo_of(answer)


def test_tags_in_sight_are_offered(as_, rep: User, stranger: User, own) -> None:
    make_customer(owner=rep, tags=["rare", "old"])
    make_customer(owner=stranger, tags=["secret"])
    page = as_(rep).get("/customers/tags/").content.decode()
    assert re.findall('value="([^"]*)"', page) == ["old", "rare"]
