"""Run the whole product: web server, worker and beat as one group of processes."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from crm.demo.people import COMPANY, LOGINS, PASSWORD
from crm.lib.filebroker import return_taken
from crm.processes import LEAN, ProcessGroup

READY_SECONDS = 90.0
EVERY_ADDRESS = {"", "0.0.0.0", "::"}  # noqa: S104  # compared with, never bound to


class Command(BaseCommand):
    help = "Runs web server, Celery worker and beat together on $PORT until Ctrl-C."
    requires_system_checks = []  # the web server runs them; here they would cost a second

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="create the tables, and a demo company where the database is empty",
        )

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        host = os.environ.get("BIND", "127.0.0.1")
        lock = _lock(settings.DATA_DIR / "serve.lock")
        _refuse_taken_port(host, settings.PORT)
        _refuse_missing_static_files()
        if demo:
            self._fill()
        else:
            _refuse_missing_migrations()
        if not settings.REDIS_URL:
            return_taken(settings.BROKER_DIR / "queue", settings.BROKER_DIR / "taken")
        connection.close()

        group = ProcessGroup(_commands(), environment(demo=demo))
        group.start()
        try:
            self._watch(group, host, demo)
        finally:
            group.stop()
            lock.close()
        self.stdout.write("Stopped.")

    def _fill(self) -> None:
        call_command("migrate", verbosity=0)
        if not User.objects.exists():
            self.stdout.write("Making up a demo company; this happens once.")
            self.stdout.flush()
            call_command("load_demo", verbosity=0, stdout=self.stdout, stderr=self.stderr)

    def _watch(self, group: ProcessGroup, host: str, demo: bool) -> None:
        """Announce the service once it is ready, then wait for its end."""
        health = _Health(host, settings.PORT)
        deadline = time.monotonic() + READY_SECONDS
        dead = group.wait(until=lambda: health.ready() or time.monotonic() > deadline)
        if dead is None and not group.stopping:
            if not health.is_ready:
                raise CommandError(
                    f"Not ready after {READY_SECONDS:.0f} s ({health.last}). All was stopped."
                )
            self._announce(demo)
            dead = group.wait()
        if dead is not None:
            raise CommandError(
                f"The {dead} process ended by itself (code {group.exit_code(dead)}); its last "
                "words stand above. The others were stopped."
            )

    def _announce(self, demo: bool) -> None:
        lines = ["", f"Kehu is running at {settings.BASE_URL}"]
        if demo:
            lines += ["", f"Sign in as (the password is always {PASSWORD}):"]
            lines += [f"  {role:<14} {username:<12} {name}" for role, username, name in LOGINS]
        if not settings.REDIS_URL and not demo:
            lines += ["", "Without REDIS_URL jobs run through files: fine for a small team."]
        lines += ["", "Ctrl-C stops it.", ""]
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


class _Health:
    """Asks /readyz of the own server; `last` is its last complaint."""

    def __init__(self, host: str, port: int) -> None:
        self.host = "127.0.0.1" if host in EVERY_ADDRESS else host
        self.port = port
        self.is_ready = False
        self.last = "no answer"

    def ready(self) -> bool:
        server = HTTPConnection(self.host, self.port, timeout=5)
        try:
            server.request("GET", "/readyz", headers={"Host": "127.0.0.1"})
            answer = server.getresponse()
            self.is_ready = answer.status == HTTPStatus.OK
            self.last = _complaints(answer.read())
        except OSError:
            self.last = "no answer"
        finally:
            server.close()
        return self.is_ready


def _complaints(body: bytes) -> str:
    """`part: state` of every part that is not ready."""
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, KeyError):
        return "an answer that is not ours"
    return ", ".join(f"{part}: {state}" for part, state in checks.items() if state != "ok")


def environment(*, demo: bool) -> dict[str, str]:
    """What the processes find in their environment; a demo has its company's name."""
    found = {**LEAN, **os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings"}
    if demo:
        found.setdefault("COMPANY_NAME", COMPANY)
    return found


def _commands() -> dict[str, list[str]]:
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "crm"]
    level = f"--loglevel={os.environ.get('LOG_LEVEL', 'WARNING')}"
    worker = [*celery, "worker", level, "--without-mingle", "--without-gossip"]
    if not settings.REDIS_URL:
        worker.append("--without-heartbeat")  # no one listens, and each would be a file
    return {
        "web": [sys.executable, "-m", "gunicorn", "-c", "python:crm.gunicorn"],
        "worker": [*worker, f"--concurrency={os.environ.get('WORKER_CONCURRENCY', '2')}"],
        # The lock of `serve` stands in for beat's pid file, which a reboot would leave behind.
        "beat": [*celery, "beat", level, "--pidfile="],
    }


def _lock(path: Path) -> IO[str]:
    """Hold `path` as long as this process lives, so that one DATA_DIR has one service."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"Kehu is running already with the data in {path.parent}. "
            "Stop it first, or give this one its own DATA_DIR."
        ) from None
    return file


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). "
                f"Choose another one, for example: PORT={port + 1}."
            ) from None


def _refuse_missing_static_files() -> None:
    if getattr(staticfiles_storage, "manifest_name", "") and not staticfiles_storage.exists(
        "staticfiles.json"
    ):
        raise CommandError(
            f"The static files are not in {settings.STATIC_ROOT}. "
            "Run `make install`, or `python manage.py collectstatic`."
        )


def _refuse_missing_migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise CommandError(
            f"The database lacks {len(missing)} migrations. Make a backup, then run "
            "`make migrate`, or `python manage.py migrate`."
        )
