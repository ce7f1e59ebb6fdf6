"""What people set for themselves: name, language, appearance; and switching the language."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.audit import Through, acting
from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db


def fields(user: User, **changes: object) -> dict[str, object]:
    return {
        "name": user.name,
        "email": user.email,
        "phone": user.phone,
        "language": user.language,
        "theme": "",
        "version": user.version,
        **changes,
    }


def test_settings_change_the_own_file_and_the_browser(as_, rep: User) -> None:
    client = as_(rep)
    data = fields(rep, name="Chen Li", phone="13800000000", language="zh-hans", theme="dark")
    response = client.post("/settings/", data)
    assert response["Location"] == "/settings/"
    rep.refresh_from_db()
    assert (rep.name, rep.phone, rep.language) == ("Chen Li", "13800000000", "zh-hans")
    assert response.cookies["theme"].value == "dark"
    assert response.cookies["django_language"].value == "zh-hans"
    page = client.get("/settings/").content.decode()
    assert 'lang="zh-Hans"' in page
    assert 'data-theme="dark"' in page


def test_the_appearance_of_the_system_takes_the_cookie_away(as_, rep: User) -> None:
    client = as_(rep)
    client.cookies["theme"] = "dark"
    response = client.post("/settings/", fields(rep))
    assert response.cookies["theme"]["max-age"] == 0


def test_nobody_gives_themselves_rights_here(as_, rep: User) -> None:
    data = fields(rep, role="administrator", is_superuser="1", username="boss", is_staff="1")
    as_(rep).post("/settings/", data)
    rep.refresh_from_db()
    assert (rep.role, rep.is_superuser, rep.is_staff, rep.username) == ("rep", False, False, "rep")


def test_wrong_input_stays_with_a_message(as_, rep: User) -> None:
    response = as_(rep).post("/settings/", fields(rep, email="no address", name=""))
    assert set(response.context["form"].errors) == {"email", "name"}
    assert "no address" in response.content.decode()


def test_the_second_of_two_edits_is_told_of_the_first(as_, rep: User, administrator: User) -> None:
    data = fields(rep, name="Mine")
    with acting(user=administrator, through=Through.PAGE):
        rep.phone = "139"
        rep.save()
    client = as_(rep)
    response = client.post("/settings/", data)
    page = response.content.decode()
    assert "Administrator: Phone – → 139" in page
    assert 'value="Mine"' in page  # the input stays
    rep.refresh_from_db()
    assert rep.name == "Rep"
    again = {**data, "version": response.context["form"]["version"].value()}
    assert client.post("/settings/", again).status_code == 302
    rep.refresh_from_db()
    assert rep.name == "Mine"


def test_the_settings_page_asks_little_of_the_database(
    as_, rep: User, django_assert_max_num_queries
) -> None:
    client = as_(rep)
    with django_assert_max_num_queries(8):
        client.get("/settings/")


def test_a_stranger_switches_the_language_of_the_browser(client: Client) -> None:
    response = client.post("/language/", {"language": "en", "next": "/login/?next=/more/"})
    assert response["Location"] == "/login/?next=/more/"
    assert "Sign in" in client.get("/login/").content.decode()
    client.post("/language/", {"language": "zh-hans"})
    assert "登录" in client.get("/login/").content.decode()


def test_the_switch_stays_with_the_person(as_, rep: User) -> None:
    as_(rep).post("/language/", {"language": "zh-hans"})
    rep.refresh_from_db()
    assert rep.language == "zh-hans"
    entry = AuditEntry.objects.of(rep).first()
    assert entry
    assert entry.after == {"language": "zh-hans"}


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "/\\evil"]
)
def test_the_switch_leads_nowhere_else(client: Client, back: str) -> None:
    assert client.post("/language/", {"language": "en", "next": back})["Location"] == "/"


def test_an_unknown_language_changes_nothing(as_, rep: User) -> None:
    response = as_(rep).post("/language/", {"language": "xx"})
    assert response.status_code == 302
    assert "django_language" not in response.cookies
    assert as_(rep).get("/language/").status_code == 405
