"""The cast: a rep, her manager, a stranger, and the rest of the house."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.core import serializers
from django.core.cache import cache
from django.db.models.signals import post_migrate
from django.test import Client
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from accounts.models import Team, User
from accounts.roles import Role
from customers.models import Customer
from tests.accounts.receiver import Receiver, receiving
from tests.factories import make_customer, make_key, make_team, make_user

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Counters of one test (throttling) do not reach the next; the database rolls back its own.

    Only this process's keys go: cache.clear() would empty the Redis that all of them share.
    """
    yield
    if settings.REDIS_URL:
        client = cast(Any, cache)._cache.get_client(write=True)
        if keys := list(client.scan_iter(f"{settings.CACHES['default']['KEY_PREFIX']}:*")):
            client.delete(*keys)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The rows that migrations write come back after each flush, whichever test comes next."""
    keeps_its_own = {"contenttypes", "auth"}  # Django fills these after a flush itself
    with django_db_blocker.unblock():
        written = serializers.serialize(
            "json",
            (
                row
                for model in apps.get_models()
                if model._meta.managed and model._meta.app_label not in keeps_its_own
                for row in model._base_manager.order_by("pk")
            ),
        )

    def restore(sender: AppConfig, **_: object) -> None:
        for row in serializers.deserialize("json", written):
            row.save()

    # flush says so once per app: the last one is when all tables are ready
    last = [app for app in apps.get_app_configs() if app.models_module][-1]
    post_migrate.connect(restore, sender=last, weak=False)


@pytest.fixture
def north(db: None) -> Team:
    """The rep's team."""
    return make_team(name="North")


@pytest.fixture
def manager(north: Team) -> User:
    """Leads the rep's team."""
    user = make_user("manager", role=Role.MANAGER, team=north)
    north.manager = user
    north.save()
    return user


@pytest.fixture
def rep(north: Team, manager: User) -> User:
    """Sells in the north."""
    return make_user("rep", role=Role.REP, team=north)


@pytest.fixture
def stranger(db: None) -> User:
    """A rep of another team."""
    return make_user("stranger", role=Role.REP, team=make_team(name="South"))


@pytest.fixture
def director(db: None) -> User:
    return make_user("director", role=Role.DIRECTOR)


@pytest.fixture
def service(db: None) -> User:
    return make_user("service", role=Role.SERVICE)


@pytest.fixture
def finance(db: None) -> User:
    return make_user("finance", role=Role.FINANCE)


@pytest.fixture
def compliance(db: None) -> User:
    return make_user("compliance", role=Role.COMPLIANCE)


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("administrator", role=Role.ADMINISTRATOR)


@pytest.fixture
def customer(rep: User) -> Customer:
    """A customer of the rep."""
    return make_customer(owner=rep, name="绍兴越州副食品有限公司")


@pytest.fixture
def as_(client: Client):
    """`as_(user)`: a browser in which `user` is signed in."""

    def sign_in(user: User) -> Client:
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def erp(db: None) -> APIClient:
    """An ERP with a key for everything an integration may do."""
    _key, secret = make_key()
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def own_network(settings: Any) -> None:
    """The operator lets webhooks go to this machine, without encryption."""
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_PRIVATE_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(own_network: None) -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def data_dir() -> Path:
    """The public data sets; skips where they are not beside the project, fails so in CI."""
    if not DATA.is_dir():
        refuse = pytest.fail if os.environ.get("CI") else pytest.skip
        refuse(f"the public data sets are not at {DATA}")
    return DATA
