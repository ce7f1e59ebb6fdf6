"""What is not a page of the product: the plain admin, the error pages, the cache table."""

from __future__ import annotations

import pytest
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from accounts.models import AuditEntry, Team, User
from tests.factories import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def root() -> User:
    return make_user("root", is_superuser=True)


# --- the plain admin


def test_the_admin_sends_strangers_to_our_sign_in(client: Client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0].startswith("/login/?next=")
    assert client.get("/admin/login/")["Location"] == "/login/?next=%2Fadmin%2F"


def test_the_admin_opens_for_superusers_only(as_, administrator: User, root: User) -> None:
    administrator.is_staff = True
    administrator.save()
    assert as_(administrator).get("/admin/", follow=True).status_code == 403
    assert as_(administrator).get("/admin/accounts/user/", follow=True).status_code == 403
    client = as_(root)
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/login/")["Location"] == "/admin/"
    for name in ("user", "team", "apikey", "auditentry"):
        assert client.get(f"/admin/accounts/{name}/").status_code == 200
    assert client.get(f"/admin/accounts/user/{root.pk}/change/").status_code == 200


def test_changes_in_the_admin_are_in_the_log(as_, root: User) -> None:
    one, two = make_team(name="One"), make_team(name="Two")
    client = as_(root)
    client.post(f"/admin/accounts/team/{one.pk}/change/", {"name": "Renamed"})
    entry = AuditEntry.objects.of(one).first()
    assert entry
    assert (entry.actor, entry.after) == (root, {"name": "Renamed"})
    data = {"action": "delete_selected", "_selected_action": [one.pk, two.pk], "post": "yes"}
    client.post("/admin/accounts/team/", data)
    assert not Team.objects.exists()
    assert AuditEntry.objects.filter(action="delete", model="accounts.team").count() == 2


def test_keys_and_the_log_are_only_looked_at(as_, root: User) -> None:
    key, _secret = make_key()
    client = as_(root)
    assert key.digest not in client.get(f"/admin/accounts/apikey/{key.pk}/change/").content.decode()
    for path in ("apikey/add/", "auditentry/add/", f"apikey/{key.pk}/delete/"):
        assert client.get(f"/admin/accounts/{path}").status_code == 403
    assert client.get(f"/admin/accounts/user/{root.pk}/delete/").status_code == 403


# --- error pages


def test_nothing_there_is_said_to_anybody(client: Client, as_, rep: User) -> None:
    client.cookies["django_language"] = "en"
    response = as_(rep).get("/no/such/page/")
    assert response.status_code == 404
    page = response.content.decode()
    assert "Nothing here" in page
    assert 'href="/"' in page


def test_what_is_not_allowed_says_so_in_both_languages(as_, rep: User) -> None:
    response = as_(rep).get("/users/")
    assert response.status_code == 403
    assert "Not allowed" in response.content.decode()
    rep.language = "zh-hans"
    rep.save()
    assert "无权" in as_(rep).get("/users/").content.decode()


def test_a_form_that_was_open_too_long_says_what_to_do(rep: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies["django_language"] = "en"
    response = strict.post("/login/", {"login": "rep", "password": "x"})
    assert response.status_code == 403
    assert "The page was open too long" in response.content.decode()


def test_a_host_that_is_not_ours_gets_the_plain_page(client: Client) -> None:
    response = client.get("/login/", HTTP_HOST="evil.example")
    assert response.status_code == 400
    assert "<h1>" in response.content.decode()


def test_a_broken_page_needs_nothing_to_be_drawn() -> None:
    for language, words in (("en", "Something broke on our side"), ("zh-hans", "出了问题")):
        with translation.override(language):
            assert words in render_to_string("500.html")


def test_a_broken_view_shows_the_plain_page(as_, rep: User, monkeypatch) -> None:
    client = as_(rep)
    client.raise_request_exception = False
    monkeypatch.setattr("crm.views.HOMES", None)
    response = client.get("/")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


# --- the table of the cache


def test_the_cache_table_comes_with_the_migrations_and_stays() -> None:
    assert "cache" in connection.introspection.table_names()
    cache = DatabaseCache("cache", {})
    cache.set("kept", 1)
    call_command("createcachetable", "cache", verbosity=0)
    assert cache.get("kept") == 1
