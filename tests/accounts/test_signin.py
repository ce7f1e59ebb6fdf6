"""Signing in and out, wrong passwords, and the way back in by mail."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import translation

from accounts.models import AuditEntry, User
from accounts.roles import Role
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW = "a-quite-new-life-27"


def sign_in(client: Client, username: str = "rep", password: str = PASSWORD, **more: str):
    return client.post("/login/", {"login": username, "password": password, **more})


def later(seconds: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def said(response) -> str:
    return " ".join(response.context["form"].non_field_errors())


def test_the_right_password_opens_the_first_page_of_the_role(client: Client, rep: User) -> None:
    assert sign_in(client)["Location"] == "/"
    assert client.get("/more/").status_code == 200


def test_case_and_spaces_of_the_username_do_not_matter(client: Client, rep: User) -> None:
    assert sign_in(client, " REP ").status_code == 302


def test_the_page_that_was_asked_for_comes_next(client: Client, rep: User) -> None:
    assert sign_in(client, next="/settings/")["Location"] == "/settings/"
    client.logout()
    assert sign_in(client, next="https://evil.example/")["Location"] == "/"


def test_staying_signed_in_is_a_choice(client: Client, rep: User) -> None:
    cookie = sign_in(client, remember="on").cookies["sessionid"]
    assert cookie["max-age"] == 14 * 24 * 3600
    client.logout()
    assert sign_in(client).cookies["sessionid"]["max-age"] == ""


def test_the_session_gets_a_new_name_on_signing_in(client: Client, rep: User) -> None:
    client.post("/language/", {"language": "en"})
    client.get("/password/reset/")
    session = client.session
    session["before"] = True
    session.save()
    old = session.session_key
    assert old
    client.cookies["sessionid"] = old
    sign_in(client)
    assert client.session.session_key != old


@pytest.mark.parametrize("username", ["rep", "nobody"])
def test_a_wrong_try_says_the_same_whoever_it_was(client: Client, rep: User, username: str) -> None:
    client.cookies["django_language"] = "en"
    response = sign_in(client, username, "wrong")
    assert response.status_code == 200
    assert said(response) == ("Wrong username or password. 4 more and it is locked for 15 minutes.")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Too many wrong tries. This username is locked for 15 minutes."),
        ("zh-hans", "错误次数过多，此账号已锁定 15 分钟。"),
    ],
)
def test_six_wrong_tries_lock_the_username_even_for_the_right_password(
    client: Client, rep: User, stranger: User, language: str, words: str
) -> None:
    client.cookies["django_language"] = language
    for number in range(6):
        # Another host name or another spelling of the username gives no more tries.
        client.post(
            "/login/",
            {"login": ["rep", "REP "][number % 2], "password": "wrong"},
            HTTP_HOST=["localhost", "127.0.0.1"][number % 2],
        )
    response = sign_in(client)
    assert said(response) == words
    assert "_auth_user_id" not in client.session
    assert sign_in(client, "stranger").status_code == 302


def test_the_lock_ends_after_a_quarter_of_an_hour(client: Client, rep: User, time_machine) -> None:
    for _number in range(6):
        sign_in(client, password="wrong")
    assert sign_in(client).status_code == 200
    time_machine.move_to(later(15 * 60 + 1))
    assert sign_in(client).status_code == 302


def test_a_right_try_between_does_not_use_up_tries(client: Client, rep: User) -> None:
    for _number in range(8):
        assert sign_in(client).status_code == 302
        client.logout()


def test_tries_are_counted_by_the_address_before_our_proxy(
    client: Client, rep: User, settings
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip", "login_failed": "5/15m/key"}

    def knock(forwarded: str) -> int:
        return client.post(
            "/login/", {"login": "rep", "password": "wrong"}, HTTP_X_FORWARDED_FOR=forwarded
        ).status_code

    # What the caller claims stands left of what the proxy saw.
    assert [knock(f"1.1.1.{n}, 9.9.9.9") for n in range(3)] == [200, 200, 429]
    assert knock("1.1.1.1, 8.8.8.8") == 200


def test_empty_and_odd_input_gets_a_message(client: Client) -> None:
    assert sign_in(client, "", "").status_code == 200
    assert sign_in(client, "a\x00b", "x").status_code == 200
    assert sign_in(client, "长" * 1000, "x" * 5000).status_code == 200


def test_a_closed_account_is_told_so_only_with_the_right_password(client: Client) -> None:
    make_user("former", is_active=False)
    assert sign_in(client, "former", "wrong").status_code == 200
    response = sign_in(client, "former")
    assert response["Location"] == "/inactive/"
    assert "closed" in client.get("/inactive/", HTTP_ACCEPT_LANGUAGE="en").content.decode()


def test_closing_an_account_ends_its_sessions_at_once(as_, rep: User) -> None:
    client = as_(rep)
    assert client.get("/more/").status_code == 200
    rep.is_active = False
    rep.save()
    assert client.get("/more/")["Location"] == "/login/?next=/more/"


def test_signing_out_is_a_post(as_, rep: User) -> None:
    client = as_(rep)
    assert client.get("/logout/").status_code == 200
    assert client.get("/more/").status_code == 200
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/more/").status_code == 302


def test_nobody_signs_up_and_nobody_manages_addresses(client: Client) -> None:
    for path in ("/signup/", "/email/", "/confirm-email/"):
        assert client.get(path).status_code in (302, 404)
    assert "signup" not in client.get("/login/").content.decode()


def test_a_new_password_keeps_only_this_session(rep: User) -> None:
    here, there = Client(), Client()
    here.force_login(rep)
    there.force_login(rep)
    response = here.post(
        "/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    assert response["Location"] == "/settings/"
    assert here.get("/more/").status_code == 200
    assert there.get("/more/").status_code == 302


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("wrong", NEW, NEW), "oldpassword"),
        ((PASSWORD, "short", "short"), "password1"),
        ((PASSWORD, "1234567890", "1234567890"), "password1"),
        ((PASSWORD, NEW, NEW + "x"), "password2"),
    ],
)
def test_a_bad_new_password_is_refused_beside_its_field(
    as_, rep: User, typed: tuple[str, str, str], field: str
) -> None:
    response = as_(rep).post(
        "/password/change/",
        dict(zip(("oldpassword", "password1", "password2"), typed, strict=True)),
    )
    assert list(response.context["form"].errors) == [field]
    rep.refresh_from_db()
    assert rep.check_password(PASSWORD)


def ask_for_link(client: Client, email: str) -> str:
    """Ask for a link; the link of the mail, or "" where none went out."""
    mail.outbox.clear()
    response = client.post("/password/reset/", {"email": email})
    assert response["Location"] == "/password/reset/done/"
    found = re.search(r"https?://\S+", str(mail.outbox[0].body)) if mail.outbox else None
    return found[0] if found else ""


def test_the_way_back_in_by_mail(client: Client, rep: User, settings) -> None:
    settings.BASE_URL = "https://crm.example.cn"
    for _number in range(6):
        sign_in(client, password="wrong")
    link = ask_for_link(client, "REP@example.com")
    assert link.startswith("https://crm.example.cn/password/reset/key/")
    assert mail.outbox[0].to == ["rep@example.com"]
    form = client.get(link.removeprefix("https://crm.example.cn"), follow=True)
    address = form.redirect_chain[-1][0]
    assert link.rpartition("-")[2] not in address  # the token is not left in the address
    done = client.post(address, {"password1": NEW, "password2": NEW}, follow=True)
    assert done.redirect_chain[-1][0] == "/password/reset/key/done/"
    # The lock of the wrong tries is gone with the old password.
    assert sign_in(client, password=NEW).status_code == 302
    entry = AuditEntry.objects.of(rep).first()
    assert entry
    assert (entry.before, entry.after) == ({"password": "••••"}, {"password": "••••"})


def test_a_link_works_once_and_not_for_ever(client: Client, rep: User, time_machine) -> None:
    path = "/" + ask_for_link(client, "rep@example.com").split("/", 3)[3]
    address = client.get(path)["Location"]
    client.post(address, {"password1": NEW, "password2": NEW})
    again = Client().get(path, HTTP_ACCEPT_LANGUAGE="en")
    assert "This link does not work any more" in again.content.decode()
    path = "/" + ask_for_link(client, "rep@example.com").split("/", 3)[3]
    time_machine.move_to(later(4 * 24 * 3600))
    assert "does not work" in Client().get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()


@pytest.mark.parametrize(
    "path", ["/password/reset/key/1-x/", "/password/reset/key/zzzzzzzzzzzzzzzzz-x-y/"]
)
def test_a_made_up_link_is_refused_politely(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


def test_an_unknown_address_reveals_nothing(client: Client, rep: User) -> None:
    known = client.post("/password/reset/", {"email": "rep@example.com"}, follow=True)
    unknown = client.post("/password/reset/", {"email": "who@example.com"}, follow=True)
    hide = re.compile(r'name="csrfmiddlewaretoken" value="\w+"|X-CSRFToken[^}]+|data-now="[^"]+"')
    assert hide.sub("", known.content.decode()) == hide.sub("", unknown.content.decode())
    assert len(mail.outbox) == 1


def test_no_link_for_closed_accounts_and_integrations(client: Client) -> None:
    make_user("former", is_active=False)
    make_user("erp", role=Role.INTEGRATION)
    assert ask_for_link(client, "former@example.com") == ""
    assert ask_for_link(client, "erp@example.com") == ""


def test_an_account_without_an_address_is_not_found_by_an_empty_one(client: Client) -> None:
    make_user("quiet", email="")
    assert client.post("/password/reset/", {"email": ""}).status_code == 200
    assert not User.objects.reachable_at("").exists()


def test_the_mail_is_in_the_language_of_its_reader(client: Client) -> None:
    make_user("zhou", language="zh-hans", name="周敏")
    make_user("ann", language="en", name="Ann <b>")
    with translation.override("en"):
        ask_for_link(client, "zhou@example.com")
    assert mail.outbox[0].subject.endswith("设置密码")
    assert "周敏" in mail.outbox[0].body
    ask_for_link(client, "ann@example.com")
    assert mail.outbox[0].subject.endswith("set your password")
    assert "Hello Ann <b>," in mail.outbox[0].body


def test_a_mail_server_that_fails_looks_like_an_unknown_address(
    client: Client, rep: User, settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    response = client.post("/password/reset/", {"email": "rep@example.com"})
    assert response["Location"] == "/password/reset/done/"


def test_asking_for_too_many_links_is_refused(client: Client, rep: User) -> None:
    codes = [
        client.post("/password/reset/", {"email": "rep@example.com"}).status_code
        for _number in range(6)
    ]
    assert codes == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_allauth_keeps_no_addresses_of_its_own(client: Client, rep: User) -> None:
    sign_in(client)
    client.logout()
    ask_for_link(client, "rep@example.com")
    assert not EmailAddress.objects.exists()


def test_a_session_without_a_password_is_sent_for_a_link(as_, rep: User) -> None:
    rep.set_unusable_password()
    rep.save()
    client = as_(rep)
    assert client.get("/password/change/")["Location"] == "/password/set/"
    assert client.get("/password/set/")["Location"] == "/password/reset/"
