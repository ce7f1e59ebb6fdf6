"""Who may do what, and who sees whom."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.access import may
from accounts.models import User
from accounts.roles import PERMISSIONS, SCOPES, Role
from customers.models import Customer
from tests.factories import make_customer, make_team, make_user

ROLES = ["rep", "manager", "director", "service", "finance", "compliance", "administrator"]
ROLES += ["integration"]

#: One row for each permission: x where the role of the column holds it.
#:                      rep mgr dir srv fin cmp adm int
MATRIX = """
    customers:read        x   x   x   x   x   x   x   x
    customers:write       x   x   .   x   .   .   x   x
    customers:assign      .   x   x   .   .   .   x   .
    contacts:read         x   x   x   x   x   x   x   x
    contacts:write        x   x   .   x   .   .   x   x
    products:read         x   x   x   x   x   x   x   x
    products:write        .   .   .   .   x   .   x   x
    prices:read           x   x   x   x   x   x   x   x
    prices:write          .   .   .   .   x   .   x   x
    orders:read           x   x   x   x   x   x   x   x
    orders:draft          x   x   .   .   x   .   x   .
    orders:write          .   x   .   .   x   .   x   x
    payments:read         x   x   x   x   x   x   x   x
    payments:write        .   .   .   .   x   .   x   x
    credit:write          .   .   .   .   x   .   x   .
    exceptions:approve    .   x   x   .   x   .   .   .
    stock:read            x   x   x   x   x   x   x   x
    stock:write           x   x   .   x   .   .   x   x
    stock-rules:write     .   .   x   .   .   .   x   .
    visits:read           x   x   x   x   x   x   x   x
    visits:write          x   x   .   x   .   .   .   x
    reminders:read        x   x   x   x   x   x   x   x
    reminders:write       x   x   .   x   .   .   .   x
    tiers:read            x   x   x   x   x   x   x   x
    tiers:write           .   x   x   .   .   .   x   x
    reports:read          .   x   x   .   x   x   x   x
    costs:read            .   x   x   .   x   x   x   x
    cadences:write        .   .   x   .   .   .   x   .
    reads:read            .   x   x   .   .   x   x   .
    users:write           .   .   .   .   .   .   x   .
    keys:write            .   .   .   .   .   .   x   .
    audit:read            .   .   .   .   .   x   x   .
    jobs:read             .   .   .   .   .   .   x   .
    jobs:write            .   .   .   .   .   .   x   .
    webhooks:read         .   .   .   .   .   .   x   x
    webhooks:write        .   .   .   .   .   .   x   x
"""
TABLE = {line.split()[0]: line.split()[1:] for line in MATRIX.strip().splitlines()}


@pytest.mark.parametrize("permission", TABLE)
def test_a_role_holds_what_the_table_says(permission: str) -> None:
    held = ["x" if permission in PERMISSIONS[role] else "." for role in ROLES]
    assert held == TABLE[permission]


def test_the_table_names_every_role_and_permission() -> None:
    assert set(ROLES) == set(Role.values)
    assert set().union(*PERMISSIONS.values()) == set(TABLE)
    assert set(SCOPES) <= set(TABLE)


def test_superusers_may_all_and_strangers_nothing() -> None:
    assert may(User(role=Role.REP, is_superuser=True), "users:write")
    assert not may(User(role=Role.ADMINISTRATOR, is_active=False), "users:write")
    assert not may(User(is_superuser=True, is_active=False), "users:write")
    assert not may(AnonymousUser(), "customers:read")
    assert not may(User(role="king"), "customers:read")


@pytest.mark.django_db
class TestSight:
    """Customers of a rep in Hangzhou, which is part of the north."""

    @pytest.fixture(autouse=True)
    def _house(self) -> None:
        self.top = make_user("top", role=Role.MANAGER)
        self.boss = make_user("boss", role=Role.MANAGER)
        self.neighbour = make_user("neighbour", role=Role.MANAGER)
        north = make_team(name="North", manager=self.top)
        hangzhou = make_team(name="Hangzhou", parent=north, manager=self.boss)
        make_team(name="Ningbo", parent=north, manager=self.neighbour)
        self.owner = make_user("owner", team=hangzhou)
        self.colleague = make_user("colleague", team=hangzhou)
        self.customer = make_customer(owner=self.owner)
        self.nobody_s = make_customer()

    def seen(self, user: User | AnonymousUser) -> set[Customer]:
        return set(Customer.objects.visible_to(user))

    def test_an_owner_sees_the_own_customers(self) -> None:
        assert self.seen(self.owner) == {self.customer}

    def test_a_colleague_in_the_same_team_does_not(self) -> None:
        assert self.seen(self.colleague) == set()

    def test_a_manager_sees_the_team_and_the_teams_below(self) -> None:
        assert self.seen(self.boss) == {self.customer}
        assert self.seen(self.top) == {self.customer}

    def test_a_manager_beside_sees_nothing(self) -> None:
        assert self.seen(self.neighbour) == set()

    def test_a_manager_sees_the_own_customers_as_well(self) -> None:
        own = make_customer(owner=self.neighbour)
        assert self.seen(self.neighbour) == {own}

    def test_a_team_that_moves_takes_its_customers_along(self) -> None:
        team = self.owner.team
        assert team
        team.parent = None
        team.save()
        assert self.seen(User.objects.get(pk=self.top.pk)) == set()

    def test_leading_a_team_is_nothing_without_the_role(self) -> None:
        self.boss.role = Role.REP
        self.boss.save()
        assert self.seen(self.boss) == set()

    @pytest.mark.parametrize(
        "role", ["director", "service", "finance", "compliance", "administrator", "integration"]
    )
    def test_these_roles_see_all(self, role: str) -> None:
        assert self.seen(make_user(role=role)) == {self.customer, self.nobody_s}

    def test_strangers_and_former_users_see_nothing(self) -> None:
        assert self.seen(AnonymousUser()) == set()
        assert self.seen(make_user(role=Role.DIRECTOR, is_active=False)) == set()
        assert not User.objects.visible_to(AnonymousUser()).exists()

    def test_people_are_seen_like_their_customers(self) -> None:
        def people(user: User) -> set[str]:
            return set(User.objects.visible_to(user).values_list("username", flat=True))

        assert people(self.owner) == {"owner"}
        assert people(self.boss) == {"boss", "owner", "colleague"}
        assert people(self.neighbour) == {"neighbour"}
        assert len(people(make_user(role=Role.DIRECTOR))) == User.objects.count()

    def test_sight_costs_one_query_for_the_tree(self, django_assert_num_queries) -> None:
        boss = User.objects.get(pk=self.boss.pk)
        with django_assert_num_queries(3):  # the tree once, then the two lists
            list(Customer.objects.visible_to(boss))
            list(Customer.objects.visible_to(boss))
