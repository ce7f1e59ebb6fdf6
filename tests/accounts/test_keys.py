"""API keys: made on a page or by a command, shown once, stopped for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import ApiKey, AuditEntry, User
from accounts.models.keys import KeyState, hash_key
from accounts.roles import SCOPES, Role
from tests.factories import SHANGHAI, make_key, make_user

pytestmark = pytest.mark.django_db
NEW = {"name": "ERP", "scopes": ["orders:read", "orders:write"], "user": "", "expires_on": ""}


def command(*words: str) -> str:
    out = StringIO()
    call_command("create_api_key", *words, stdout=out)
    return out.getvalue()


def test_only_who_holds_keys_write_sees_keys(as_, manager: User) -> None:
    client = as_(manager)
    for path in ("/keys/", "/keys/new/"):
        assert client.get(path).status_code == 403
    assert client.post("/keys/1/revoke/").status_code == 403


def test_a_key_is_shown_once_and_stored_as_a_hash(as_, administrator: User) -> None:
    client = as_(administrator)
    response = client.post("/keys/new/", NEW)
    secret = response.context["secret"]
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    key = ApiKey.objects.get()
    assert key.digest == hash_key(secret)
    assert (key.name, key.scopes, key.expires_at) == ("ERP", ["orders:read", "orders:write"], None)
    assert key.user.role == Role.INTEGRATION
    assert not key.user.has_usable_password()
    # Nowhere else: not in the list, not in the session, not in the log.
    assert secret not in client.get("/keys/").content.decode()
    assert secret not in str(dict(client.session)) + str(client.cookies)
    assert secret not in str(list(AuditEntry.objects.values()))


def test_reloading_the_page_neither_shows_nor_makes_a_key(as_, administrator: User) -> None:
    client = as_(administrator)
    client.post("/keys/new/", NEW)
    again = client.post("/keys/new/", NEW)
    assert "There is a key with this name already." in again.content.decode()
    assert ApiKey.objects.count() == 1


def test_a_key_works_up_to_the_end_of_its_last_day(as_, administrator: User) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    as_(administrator).post("/keys/new/", {**NEW, "expires_on": tomorrow.isoformat()})
    day_after = tomorrow + timedelta(days=1)
    midnight = datetime(day_after.year, day_after.month, day_after.day, tzinfo=SHANGHAI)
    assert ApiKey.objects.get().expires_at == midnight


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "x"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["orders:eat"]}, "scopes"),
        ({"expires_on": "2020-01-01"}, "expires_on"),
        ({"expires_on": "soon"}, "expires_on"),
        ({"user": "999999"}, "user"),
    ],
)
def test_a_wrong_key_is_refused_beside_its_field(
    as_, administrator: User, change: dict[str, object], field: str
) -> None:
    response = as_(administrator).post("/keys/new/", {**NEW, **change})
    assert list(response.context["form"].errors) == [field]
    assert not ApiKey.objects.exists()


def test_keys_act_for_integration_accounts_only(as_, administrator: User, rep: User) -> None:
    bi = make_user("bi", role=Role.INTEGRATION)
    client = as_(administrator)
    assert "user" in client.post("/keys/new/", {**NEW, "user": rep.pk}).context["form"].errors
    client.post("/keys/new/", {**NEW, "user": bi.pk})
    assert ApiKey.objects.get().user == bi


def test_every_scope_has_its_box(as_, administrator: User) -> None:
    form = as_(administrator).get("/keys/new/").context["form"]
    boxes = [box.data["value"] for _resource, group in form.scope_groups() for box in group]
    assert boxes == list(SCOPES)


def test_a_revoked_key_stops_and_stays_in_the_list(as_, administrator: User, erp) -> None:
    key = ApiKey.objects.get()
    client = as_(administrator)
    assert f'id="revoke-{key.pk}"' in client.get("/keys/").content.decode()
    client.post(f"/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at
    first = key.revoked_at
    client.post(f"/keys/{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at == first
    page = client.get("/keys/").content.decode()
    assert "revoked" in page
    assert f'id="revoke-{key.pk}"' not in page


def test_a_key_says_why_it_does_not_work() -> None:
    now = timezone.now()
    key, _secret = make_key()
    assert key.state(now) == KeyState.WORKS
    key.expires_at = now
    assert key.state(now) == KeyState.EXPIRED
    key.revoked_at = now
    assert key.state(now) == KeyState.REVOKED
    other, _secret = make_key(make_user(role=Role.INTEGRATION, is_active=False))
    assert other.state(now) == KeyState.ACCOUNT_CLOSED


def test_the_list_costs_the_same_however_long(
    as_, administrator: User, django_assert_num_queries
) -> None:
    client = as_(administrator)
    make_key()
    with django_assert_num_queries(4):  # session, user, promises due, keys
        client.get("/keys/")
    for _number in range(10):
        make_key()
    with django_assert_num_queries(4):
        client.get("/keys/")


def test_the_command_prints_the_key_alone() -> None:
    out = command("ERP")
    assert out.count("\n") == 1
    key = ApiKey.objects.get(digest=hash_key(out.strip()))
    assert sorted(key.scopes) == sorted(SCOPES)
    assert (key.user.username, key.user.has_usable_password()) == ("integration", False)
    assert command("ERP") != out  # a second key of the same name, for the same account
    assert User.objects.integrations().count() == 1


def test_the_command_takes_scopes_with_commas_or_spaces() -> None:
    for words in (["orders:read,orders:write"], ["orders:read", "orders:write"]):
        secret = command("ERP", "--scopes", *words).strip()
        assert ApiKey.objects.get(digest=hash_key(secret)).scopes == ["orders:read", "orders:write"]


def test_the_command_names_the_scopes_when_one_is_wrong() -> None:
    with pytest.raises(CommandError, match=r"orders:eat.*customers:read, customers:write"):
        command("ERP", "--scopes", "orders:eat")
    with pytest.raises(CommandError, match="Choose from"):
        command("ERP", "--scopes", ",")
    with pytest.raises(CommandError):
        command("x")
    assert not ApiKey.objects.exists()


def test_a_closed_built_in_account_is_not_used() -> None:
    make_user("integration", role=Role.INTEGRATION, is_active=False)
    with pytest.raises(CommandError, match="integration"):
        command("ERP")
