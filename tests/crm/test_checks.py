"""The start-up checks that Django runs with `check` and `migrate`."""

from __future__ import annotations

import pytest
from django.core import checks
from django.db import connection

from crm.checks import chinese_has_trigrams


@pytest.mark.django_db
def test_the_database_of_the_tests_takes_chinese_for_letters() -> None:
    assert chinese_has_trigrams(None, databases=["default"]) == []


@pytest.mark.django_db
def test_a_database_that_knows_no_chinese_letters_is_named(monkeypatch) -> None:
    monkeypatch.setattr("crm.checks._ctype", lambda alias: "C")
    (warning,) = chinese_has_trigrams(None, databases=["default"])
    assert warning.level == checks.WARNING
    assert warning.id == "kehu.W001"
    assert "LC_CTYPE=C" in warning.msg
    assert "C.UTF-8" in str(warning.hint)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
def test_postgres_finds_chinese_by_trigram() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        cursor.execute("SELECT cardinality(show_trgm('越州副食品'))")
        assert cursor.fetchone()[0] > 3
