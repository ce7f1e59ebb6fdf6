"""What a load balancer asks: /healthz of the process, /readyz of all it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_over_http_behind_a_tls_proxy(
    client: Client, settings, db: None, path: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
    assert client.get(path, headers={"host": "127.0.0.1"}).status_code == 200
    assert client.get("/more/").status_code == 301


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_may_be_asked_for_its_head_and_is_never_cached(client, db: None, path: str) -> None:
    assert client.head(path).status_code == 200
    assert "no-store" in client.get(path)["Cache-Control"]
    assert client.post(path).status_code == 405


def test_healthz_needs_no_database(client: Client) -> None:
    # without the db fixture any query fails
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_not_ready_while_migrations_are_missing(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'visits'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unready"
    assert answer.json()["checks"]["migrations"].endswith(" missing")
    assert answer.json()["checks"]["database"] == "ok"


@pytest.mark.django_db
def test_not_ready_without_a_place_for_messages(client: Client, settings, tmp_path: Path) -> None:
    settings.REDIS_URL = ""
    settings.BROKER_DIR = tmp_path
    assert client.get("/readyz").json()["checks"]["broker"] == "not writable"


@pytest.mark.django_db
def test_not_ready_while_redis_is_away(client: Client, settings, monkeypatch) -> None:
    from crm.celery import app

    settings.REDIS_URL = "redis://127.0.0.1:9"
    monkeypatch.setitem(app.conf, "broker_write_url", settings.REDIS_URL)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"] == "unreachable"


@pytest.mark.django_db
def test_the_cache_has_its_table() -> None:
    with connection.cursor() as cursor:
        assert "cache" in connection.introspection.table_names(cursor)
    call_command("createcachetable", "cache", verbosity=0)  # and making it again is no error
