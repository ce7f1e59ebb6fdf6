"""What the benchmarks have in common: a PostgreSQL, a database on it, and how memory is read."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

from scripts.servers import postgres


@contextmanager
def measuring_server() -> Iterator[str]:
    """The address of the PostgreSQL to measure on: that of DATABASE_URL, or a fresh one.

    The product is told of settings, of a data folder and of a key that are the measurement's own.
    """
    with tempfile.TemporaryDirectory(prefix="kehu-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own where we are root
        os.environ["DATA_DIR"] = str(folder / "data")
        os.environ["SECRET_KEY"] = "only-for-this-measurement-" + "x" * 30
        os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
        if address := os.environ.get("DATABASE_URL"):
            yield address
        else:
            with postgres(folder / "pg") as address:
                yield address


@contextmanager
def database(server: str, name: str, *, keep: bool = False) -> Iterator[str]:
    """The address of a fresh database on the server, which is dropped at the end.

    With `keep` it stays, and one of this name that is there already is taken as it is.
    """
    with closing(psycopg2.connect(server)) as admin:
        admin.autocommit = True
        cursor = admin.cursor()
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if not (keep and cursor.rowcount):
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            if not keep:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def peak_megabytes(process: int | None = None) -> float:
    """The most memory this process, or on Linux another one, ever had, in MB.

    Linux tells it of this program alone; what `getrusage` says there may still be the peak of the
    process that started it.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)
