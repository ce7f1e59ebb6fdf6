"""Users and teams, as an administrator keeps them."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.exceptions import ValidationError

from accounts import actions
from accounts.audit import Through, acting
from accounts.models import Team, User
from accounts.models.users import tree
from accounts.roles import Role
from tests.factories import PASSWORD, make_customer, make_team, make_user

pytestmark = pytest.mark.django_db


def fields(user: User | None = None, **changes: object) -> dict[str, object]:
    """What the form of a user sends; only a stored user has a version."""
    values: dict[str, object] = {
        "name": user.name if user else "New One",
        "username": user.username if user else "newone",
        "role": user.role if user else Role.REP,
        "team": (user.team_id or "") if user else "",
        "email": user.email if user else "new@example.com",
        "phone": "",
        "language": "en",
    }
    if user:
        values["version"] = user.version
    return values | changes


def names(response) -> list[str]:
    return [person.username for person in response.context["page"].rows]


# --- who may


@pytest.mark.parametrize(
    "path", ["/users/", "/users/new/", "/teams/", "/teams/new/", "/users/1/", "/teams/1/"]
)
def test_only_an_administrator_keeps_users_and_teams(as_, manager: User, path: str) -> None:
    assert as_(manager).get(path).status_code == 403


def test_who_is_no_superuser_leaves_superusers_alone(as_, administrator: User) -> None:
    root = make_user("root", role=Role.REP, is_superuser=True)
    client = as_(administrator)
    assert client.get(f"/users/{root.pk}/").status_code == 403
    assert client.post(f"/users/{root.pk}/password/", {"how": "password"}).status_code == 403
    assert client.post(f"/users/{root.pk}/active/", {"active": "0"}).status_code == 403
    root.refresh_from_db()
    assert root.check_password(PASSWORD)


# --- list


def test_the_list_shows_who_may_sign_in_unless_asked_for_all(
    as_, administrator: User, rep: User
) -> None:
    make_user("former", is_active=False)
    client = as_(administrator)
    assert names(client.get("/users/")) == ["administrator", "manager", "rep"]
    assert "former" in names(client.get("/users/?all=on"))


def test_the_list_is_narrowed_by_words_role_and_team(
    as_, administrator: User, rep: User, stranger: User
) -> None:
    client = as_(administrator)
    assert names(client.get("/users/?q=STRAN")) == ["stranger"]
    assert names(client.get("/users/?q=rep@exa")) == ["rep"]
    assert names(client.get("/users/?role=manager")) == ["manager"]
    assert names(client.get(f"/users/?team={rep.team_id}")) == ["manager", "rep"]
    assert client.get("/users/?role=king&team=x&cursor=y").status_code == 200


def test_htmx_gets_the_rows_only(as_, administrator: User) -> None:
    response = as_(administrator).get("/users/", headers={"hx-request": "true"})
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response["Vary"]


def test_the_list_costs_the_same_however_long(
    as_, administrator: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    client.get("/users/")
    with django_assert_num_queries(6):  # session, user, promises, teams, count, page
        client.get("/users/")
    for number in range(60):
        make_user(team=make_team() if number % 9 == 0 else None)
    with django_assert_num_queries(6):
        client.get("/users/")


# --- new


def test_a_new_user_gets_a_link_and_sets_a_password(as_, client, administrator: User) -> None:
    response = as_(administrator).post("/users/new/", fields(entry="link"))
    assert response["Location"] == "/users/"
    user = User.objects.get(username="newone")
    assert not user.has_usable_password()
    assert mail.outbox[0].to == ["new@example.com"]
    link = re.search(r"/password/reset/key/\S+", str(mail.outbox[0].body))
    assert link
    client.logout()
    address = client.get(link[0])["Location"]
    client.post(address, {"password1": "quite-new-27", "password2": "quite-new-27"})
    user.refresh_from_db()
    assert user.check_password("quite-new-27")


def test_a_temporary_password_is_shown_once(as_, client, administrator: User) -> None:
    browser = as_(administrator)
    response = browser.post("/users/new/", fields(entry="password", email=""))
    password = response.context["password"]
    assert password in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    # A reload sends the form again: refused, since the user is there.
    again = browser.post("/users/new/", fields(entry="password", email=""))
    assert "username" in again.context["form"].errors
    assert password not in str(dict(browser.session))
    client.logout()
    assert client.post("/login/", {"login": "newone", "password": password}).status_code == 302


def test_a_link_needs_an_address(as_, administrator: User) -> None:
    response = as_(administrator).post("/users/new/", fields(entry="link", email=""))
    assert set(response.context["form"].errors) == {"email"}
    assert not User.objects.filter(username="newone").exists()


@pytest.mark.parametrize("username", ["REP", "rep", "no spaces", "x" * 151, ""])
def test_a_username_is_one_word_and_free_in_any_case(
    as_, administrator: User, rep: User, username: str
) -> None:
    response = as_(administrator).post("/users/new/", fields(username=username, entry="link"))
    assert response.status_code == 200
    assert User.objects.count() == 3


# --- edit


def test_an_edit_changes_role_and_team(as_, administrator: User, rep: User) -> None:
    south = make_team(name="South")
    data = fields(rep, role=Role.MANAGER, team=south.pk, name="Chen")
    assert as_(administrator).post(f"/users/{rep.pk}/", data).status_code == 302
    rep.refresh_from_db()
    assert (rep.role, rep.team, rep.name) == (Role.MANAGER, south, "Chen")


def test_an_edit_of_a_changed_user_shows_the_change(as_, administrator: User, rep: User) -> None:
    data = fields(rep, name="Mine")
    with acting(user=rep, through=Through.PAGE):
        rep.role = Role.SERVICE
        rep.save()
    response = as_(administrator).post(f"/users/{rep.pk}/", data)
    assert "Rep: Role Sales rep → Customer service" in response.content.decode()
    rep.refresh_from_db()
    assert (rep.name, rep.role) == ("Rep", Role.SERVICE)


def test_nobody_demotes_or_closes_themselves(as_, administrator: User) -> None:
    make_user("second", role=Role.ADMINISTRATOR)
    client = as_(administrator)
    response = client.post(f"/users/{administrator.pk}/", fields(administrator, role=Role.REP))
    assert "You cannot take away your own right" in response.content.decode()
    client.post(f"/users/{administrator.pk}/active/", {"active": "0"})
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == (Role.ADMINISTRATOR, True)


def test_the_last_administrator_stays(administrator: User) -> None:
    gone = make_user("gone", role=Role.ADMINISTRATOR, is_active=False)
    administrator.role = Role.REP
    with pytest.raises(ValidationError) as refused:
        actions.save_user(user=administrator, by=gone)
    assert refused.value.code == "last_administrator"
    administrator.refresh_from_db()
    with pytest.raises(ValidationError) as refused:
        actions.let_in(user=administrator, by=gone, active=False)
    assert refused.value.code == "last_administrator"
    assert User.objects.administrators().count() == 1


def test_closing_an_account_says_how_many_customers_are_left(
    as_, administrator: User, rep: User
) -> None:
    make_customer(owner=rep)
    make_customer(owner=rep)
    client = as_(administrator)
    assert "Rep still owns 2 customers." in client.get(f"/users/{rep.pk}/").content.decode()
    client.post(f"/users/{rep.pk}/active/", {"active": "0"})
    rep.refresh_from_db()
    assert not rep.is_active
    client.post(f"/users/{rep.pk}/active/", {"active": "1"})
    rep.refresh_from_db()
    assert rep.is_active


def test_a_temporary_password_signs_the_user_out_everywhere(
    as_, client, administrator: User, rep: User
) -> None:
    browser = as_(administrator)
    data = {"how": "password", "version": rep.version}
    response = browser.post(f"/users/{rep.pk}/password/", data)
    rep.refresh_from_db()
    assert rep.check_password(response.context["password"])
    # A reload sends the same version again and changes nothing.
    again = browser.post(f"/users/{rep.pk}/password/", data)
    assert again.status_code == 302
    assert User.objects.get(pk=rep.pk).password == rep.password


def test_a_link_for_a_new_password_is_mailed(as_, administrator: User, rep: User) -> None:
    as_(administrator).post(f"/users/{rep.pk}/password/", {"how": "link"})
    assert mail.outbox[0].to == [rep.email]


def test_a_page_of_nobody_is_not_there(as_, administrator: User) -> None:
    client = as_(administrator)
    assert client.get("/users/999999/").status_code == 404
    assert client.get("/teams/999999/").status_code == 404
    assert client.post("/users/999999/active/").status_code == 404


def test_the_page_of_a_user_asks_little_of_the_database(
    as_, administrator: User, rep: User, django_assert_max_num_queries
) -> None:
    client = as_(administrator)
    with django_assert_max_num_queries(9):
        client.get(f"/users/{rep.pk}/")


# --- teams


def test_teams_are_shown_as_a_tree(as_, administrator: User, rep: User, north: Team) -> None:
    east = make_team(name="East", parent=north)
    make_team(name="Alpha", parent=east)
    make_team(name="Zulu")
    rows = as_(administrator).get("/teams/").context["rows"]
    assert [(depth, team.name, team.size) for depth, team in rows] == [
        (0, "North", 2),
        (1, "East", 0),
        (2, "Alpha", 0),
        (0, "Zulu", 0),
    ]


def test_a_ring_of_teams_is_still_shown() -> None:
    one = Team(pk=1, name="one", parent_id=2)
    two = Team(pk=2, name="two", parent_id=1)
    assert [team.name for _depth, team in tree([one, two])] == ["one", "two"]


def test_the_tree_costs_the_same_however_large(
    as_, administrator: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    for number in range(20):
        make_team(manager=make_user(role=Role.MANAGER), parent=Team.objects.first())
        if number in (1, 19):
            with django_assert_num_queries(4):  # session, user, promises due, teams
                client.get("/teams/")


def test_a_team_is_made_and_moved(as_, administrator: User, manager: User, north: Team) -> None:
    client = as_(administrator)
    client.post("/teams/new/", {"name": "West", "parent": north.pk, "manager": manager.pk})
    west = Team.objects.get(name="West")
    assert (west.parent, west.manager) == (north, manager)
    data = {"name": "Far West", "parent": "", "manager": "", "version": west.version}
    client.post(f"/teams/{west.pk}/", data)
    west.refresh_from_db()
    assert (west.name, west.parent, west.manager) == ("Far West", None, None)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "A team cannot be part of itself or of a team below it."),
        ("zh-hans", "团队不能归入自己或自己的下级团队。"),
    ],
)
def test_a_team_is_not_part_of_itself(
    as_, administrator: User, north: Team, language: str, words: str
) -> None:
    administrator.language = language
    administrator.save()
    below = make_team(name="Below", parent=make_team(name="Middle", parent=north))
    client = as_(administrator)
    for parent in (north, below):
        data = {"name": "North", "parent": parent.pk, "manager": "", "version": north.version}
        response = client.post(f"/teams/{north.pk}/", data)
        assert words in response.content.decode()


def test_only_people_who_may_lead_are_offered(as_, administrator: User, manager: User) -> None:
    form = as_(administrator).get("/teams/new/").context["form"]
    assert list(form.fields["manager"].queryset) == [manager]


def test_the_account_of_the_api_is_not_said_to_sign_in(as_, administrator: User) -> None:
    erp = make_user("erp", role=Role.INTEGRATION)
    erp.set_unusable_password()
    erp.save()
    page = as_(administrator).get("/users/?q=erp").content.decode()
    assert "API only" in page
    assert "st-good" not in page
