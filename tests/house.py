"""The whole product as an operator starts it: real processes on data of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

import psycopg2

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 90.0
Service: TypeAlias = "subprocess.Popen[str]"
_houses = count()
_caller = build_opener(ProxyHandler({}))


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `what()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.1)
    return value


@dataclass
class House:
    """A place to run the product in: its data, its database and its port."""

    environment: dict[str, str]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py command` to its end, whatever the end is."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def run(self, *command: str) -> str:
        """What a `manage.py command` that must succeed writes."""
        done = self.manage(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def serving(self, *options: str) -> Iterator[Service]:
        """The product, ready; whatever happens meanwhile, nothing of it is left afterwards."""
        with (Path(self.environment["DATA_DIR"]) / "serve.log").open("w+") as log:
            service = subprocess.Popen(
                [sys.executable, "manage.py", "serve", *options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            try:
                wait_for(lambda: service.poll() is not None or self.answers("/readyz"))
                assert service.poll() is None, self.log()
                yield service
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(service.pid, signal.SIGKILL)
                service.wait()

    def log(self) -> str:
        """What the service wrote so far."""
        return (Path(self.environment["DATA_DIR"]) / "serve.log").read_text()

    def call(self, path: str, body: Any = None, key: str = "") -> Any:
        """What the API answers to a GET, or to a POST where there is a body."""
        request = Request(f"{self.address}{path}", headers={"Authorization": f"Bearer {key}"})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with _caller.open(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self, path: str) -> bool:
        try:
            return bool(self.call(path))
        except (URLError, OSError):
            return False


@contextmanager
def new_house(folder: Path) -> Iterator[House]:
    """A house with data in `folder`, and a database of its own on the server of this leg."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = ("PATH", "HOME")
    environment = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DATA_DIR": str(folder),
        "SECRET_KEY": "k" * 50,
        "PORT": str(port),
        "LANG": "C.UTF-8",
        "WEB_WORKERS": "1",
        "WORKER_CONCURRENCY": "1",
        # Receivers of webhooks are on this machine too.
        "WEBHOOK_ALLOW_HTTP": "1",
        "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
    }
    if redis := os.environ.get("REDIS_URL"):
        environment["REDIS_URL"] = urlsplit(redis)._replace(path=f"/{_own_number()}").geturl()
    with _new_database() as database:
        if database:
            environment["DATABASE_URL"] = database
        yield House(environment, port)


def _own_number() -> int:
    """The Redis database of a house: workers of two houses must not take each other's jobs.

    Redis has 16, and 0 is for the tests themselves. A process of the test run has at most seven.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 1 + process % 2 * 7 + next(_houses) % 7


@contextmanager
def _new_database() -> Iterator[str]:
    """The address of an empty database on PostgreSQL, or "" on SQLite, where a folder is enough."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield ""
        return
    name = f"kehu_house_{uuid4().hex[:8]}"
    connection = psycopg2.connect(address)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        yield urlsplit(address)._replace(path=f"/{name}").geturl()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.close()
