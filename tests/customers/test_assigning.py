"""Files change hands: only those in sight, only to who may own them, with one statement (P6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.audit import Through, acting
from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers.assigning import assign, pass_on
from customers.models import Customer
from tests.factories import make_customer, make_team, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 16, 4, tzinfo=UTC)


@pytest.fixture
def colleague(rep: User) -> User:
    return make_user("colleague", team=rep.team)


def everything():
    return Customer.objects.all()


def test_files_pass_with_an_audit_entry_and_a_new_version_each(rep, manager, colleague) -> None:
    files = [make_customer(owner=rep) for _ in range(3)]
    with acting(user=manager, through=Through.PAGE):
        assert assign(everything(), to=colleague, by=manager, now=NOW) == 3
    for file in files:
        before = file.version
        file.refresh_from_db()
        assert (file.owner, file.version, file.updated_at) == (colleague, before + 1, NOW)
        entry = AuditEntry.objects.of(file).latest("id")
        assert (entry.before, entry.after) == ({"owner_id": rep.pk}, {"owner_id": colleague.pk})
        assert (entry.actor, entry.at, entry.object_name) == (manager, NOW, file.name)


def test_what_the_successor_owns_already_is_not_touched(rep, manager, colleague) -> None:
    theirs, hers = make_customer(owner=colleague), make_customer(owner=rep)
    assert pass_on(everything(), to=colleague, by=manager, now=NOW) == {hers.pk: rep.pk}
    version = theirs.version
    theirs.refresh_from_db()
    assert theirs.version == version
    assert AuditEntry.objects.of(theirs).count() == 1


def test_files_out_of_sight_stay_where_they_are(manager, colleague, stranger, director) -> None:
    far = make_customer(owner=stranger)
    nobodys = make_customer(owner=None)
    assert assign(everything(), to=colleague, by=manager, now=NOW) == 0
    assert assign(everything(), to=colleague, by=director, now=NOW) == 2
    far.refresh_from_db()
    nobodys.refresh_from_db()
    assert far.owner == nobodys.owner == colleague


def test_a_manager_gives_files_to_people_of_her_teams_only(rep, manager, stranger) -> None:
    make_customer(owner=rep)
    below = make_user("below", team=make_team(parent=manager.team))
    assert assign(everything(), to=below, by=manager, now=NOW) == 1
    with pytest.raises(ValidationError) as no:
        assign(everything(), to=stranger, by=manager, now=NOW)
    assert no.value.code == "successor"


@pytest.mark.parametrize(
    "values", [{"is_active": False}, {"role": Role.FINANCE}, {"role": Role.DIRECTOR}]
)
def test_a_successor_works_here_and_may_own(rep, manager, north, values) -> None:
    make_customer(owner=rep)
    someone = make_user("someone", **{"team": north, **values})
    with pytest.raises(ValidationError):
        assign(everything(), to=someone, by=manager, now=NOW)


def test_only_who_sees_everything_leaves_files_to_nobody(rep, manager, director) -> None:
    file = make_customer(owner=rep)
    with pytest.raises(ValidationError):
        assign(everything(), to=None, by=manager, now=NOW)
    assert assign(everything(), to=None, by=director, now=NOW) == 1
    file.refresh_from_db()
    assert file.owner is None
    assert assign(everything(), to=None, by=director, now=NOW) == 0


def test_who_may_not_assign_is_refused(rep, colleague) -> None:
    make_customer(owner=rep)
    with pytest.raises(PermissionDenied):
        assign(everything(), to=colleague, by=rep, now=NOW)


def test_any_number_of_files_costs_the_same_statements(
    rep, manager, colleague, django_assert_max_num_queries
) -> None:
    for _ in range(12):
        make_customer(owner=rep)
    manager.led_team_ids()
    # Savepoints, lock, successor, rows, update, entries; promises and visits of the former owner.
    with django_assert_max_num_queries(18):
        assign(everything(), to=colleague, by=manager, now=NOW)
