"""Saved views: private, shared, renamed, deleted and brought back."""

from __future__ import annotations

import re
from typing import cast

from django.contrib.messages import get_messages

from accounts.models import Team, User
from customers.models import Customer, SavedView
from tests.factories import make_customer

HTMX = {"HX-Request": "true"}


def save(client, name: str, query: str, **more: str):
    return client.post("/customers/views/", {"name": name, "query": query, **more})


def undo_of(answer) -> str:
    return next(
        message.extra_tags for message in get_messages(answer.wsgi_request) if message.extra_tags
    )


def tabs(client, query: str = "") -> dict[str, bool]:
    return {
        tab.view.name: tab.current for tab in client.get(f"/customers/?{query}").context["saved"]
    }


def counts(client) -> dict[str, str]:
    page = client.get("/customers/views/counts/", headers=HTMX).content.decode()
    names = {str(view.pk): view.name for view in SavedView.objects.all()}
    found = re.findall(r'id="view-(\d+)-n" hx-swap-oob="true">([^<]*)<', page)
    return {names[pk]: text for pk, text in found}


def test_a_filter_is_kept_under_a_name(as_, rep: User) -> None:
    client = as_(rep)
    answer = save(client, "A in Shaoxing", "sort=name&division=3306&abc=A&cursor=x&kind=&odd=1")
    assert answer["Location"] == "/customers/?abc=A&division=3306&sort=name"
    assert tabs(client) == {"A in Shaoxing": False}
    assert tabs(client, "division=3306&sort=name&abc=A") == {"A in Shaoxing": True}
    assert tabs(client, "division=3306&abc=A") == {"A in Shaoxing": False}
    save(client, "A in Shaoxing", "abc=B")
    assert SavedView.objects.count() == 1
    save(client, "", "abc=B")
    save(client, "Odd", "abc=Z")
    assert SavedView.objects.count() == 1


def test_private_views_are_for_their_owner_shared_ones_for_all(
    as_, rep: User, stranger: User, administrator: User
) -> None:
    save(as_(rep), "Mine", "abc=A")
    save(as_(rep), "Ours", "abc=B", shared="on")
    assert tabs(as_(rep)) == {"Mine": False, "Ours": False}
    assert tabs(as_(stranger)) == {"Ours": False}
    mine, ours = (SavedView.objects.get(name=name) for name in ("Mine", "Ours"))
    for user, status in ((stranger, 403), (administrator, 302)):
        answer = as_(user).post(f"/customers/views/{ours.pk}/", {"name": "Theirs", "shared": "on"})
        assert answer.status_code == status
        assert as_(user).post(f"/customers/views/{mine.pk}/", {"name": "x"}).status_code == 404
        assert as_(user).post(f"/customers/views/{mine.pk}/delete/").status_code == 404
    ours.refresh_from_db()
    assert ours.name == "Theirs"
    as_(rep).post(f"/customers/views/{ours.pk}/", {"name": "Ours"})
    assert tabs(as_(stranger)) == {}


def test_a_deleted_view_can_be_brought_back(as_, rep: User, stranger: User) -> None:
    client = as_(rep)
    save(client, "Mine", "abc=A", shared="on")
    undo = undo_of(client.post(f"/customers/views/{SavedView.objects.get().pk}/delete/"))
    assert not SavedView.objects.exists()
    assert as_(stranger).post(undo).status_code == 404
    client = as_(rep)
    client.post(undo)
    view = SavedView.objects.get()
    assert (view.owner, view.name, view.query, view.shared) == (rep, "Mine", "abc=A", True)
    client.post(undo)
    assert SavedView.objects.count() == 1
    assert client.post("/customers/views/restore/?of=forged").status_code == 404


def test_figures_are_live_and_of_the_reader(
    as_, stranger: User, customer: Customer, manager: User, django_assert_max_num_queries
) -> None:
    rep = cast(User, customer.owner)
    north = cast(Team, rep.team)
    customer.delete()
    for n in range(4):
        make_customer(owner=rep, abc="A" if n else None, tags=["x"])
    make_customer(owner=stranger, abc="A")
    client = as_(manager)
    for n, query in enumerate(
        ["abc=A", "tag=x", f"owner={rep.username}", f"owner={stranger.username}",
         f"team={north.pk}", f"team={stranger.team_id}", "q=customer", "kind=odd"]
    ):  # fmt: skip
        save(client, f"V{n}", query, shared="on")
        SavedView.objects.get_or_create(
            owner=manager, name=f"V{n}", defaults={"query": query, "shared": True}
        )
    with django_assert_max_num_queries(13):  # session, user, teams, views, one for all figures …
        found = counts(client)
    assert found == {
        "V0": "3", "V1": "4", "V2": "4", "V3": "0", "V4": "4", "V5": "0", "V6": "4", "V7": "0",
    }  # fmt: skip
    assert str(client.get("/customers/").context["saved"][0].count) == "3"
    assert counts(as_(stranger))["V0"] == "1"


def test_as_many_views_as_people_read(as_, rep: User) -> None:
    client = as_(rep)
    for n in range(22):
        save(client, f"View {n}", "abc=A")
    assert SavedView.objects.count() == 20
