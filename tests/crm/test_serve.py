"""`manage.py serve` with real processes: it serves, works, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

import psycopg2
import pytest
from django.utils import timezone

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
browser = build_opener(ProxyHandler({}))
Service: TypeAlias = "subprocess.Popen[str]"

pytestmark = [pytest.mark.worker, pytest.mark.xdist_group("worker")]


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of `what()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.1)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """A place to run the product in: its data, database and port."""

    environment: dict[str, str]
    port: int

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def serve(self) -> Service:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        wait_for(lambda: process.poll() is not None or self.answers("/readyz"))
        assert process.poll() is None, process.communicate()[0]
        return process

    def call(self, path: str, body: Any = None, key: str = "") -> Any:
        request = Request(f"http://127.0.0.1:{self.port}{path}")
        request.add_header("Authorization", f"Bearer {key}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with browser.open(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self, path: str) -> bool:
        try:
            return bool(self.call(path))
        except (URLError, OSError):
            return False


def left_of(process: Service) -> list[str]:
    """The processes of the group that `process` led, living ones only."""
    rows = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True)  # noqa: PLW1510
    found = (row.split(None, 2) for row in rows.stdout.splitlines())
    return [
        args[0] if args else ""
        for group, state, *args in found
        if int(group) == process.pid and not state.startswith("Z")
    ]


def processes_of(process: Service, word: str) -> list[int]:
    rows = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True)  # noqa: PLW1510
    found = (row.split(None, 2) for row in rows.stdout.splitlines())
    return [int(pid) for pid, parent, args in found if int(parent) == process.pid and word in args]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a database of its own, on PostgreSQL where the leg has one."""
    address = os.environ.get("DATABASE_URL", "")
    if not address.startswith("postgres"):
        yield ""
        return
    name = f"serve_{uuid4().hex[:8]}"
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        yield urlsplit(address)._replace(path=f"/{name}").geturl()
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, database: str) -> House:
    port = free_port()
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "REDIS_URL") if name in os.environ},
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "SECRET_KEY": "k" * 50,
        "PORT": str(port),
        "LANG": "C.UTF-8",
        "WEB_WORKERS": "1",
        "WORKER_CONCURRENCY": "1",
    }
    if database:
        environment["DATABASE_URL"] = database
    made = House(environment, port)
    early = made.manage("serve")
    assert "static files" in early.stderr
    assert made.manage("collectstatic", "--noinput", "-v0").returncode == 0
    early = made.manage("serve")
    assert early.returncode != 0
    assert "manage.py migrate" in early.stderr
    migrated = made.manage("migrate", "-v0")
    assert migrated.returncode == 0, migrated.stderr
    return made


@pytest.fixture
def service(house: House) -> Iterator[Service]:
    """The product, running; whatever the test does, nothing of it is left afterwards."""
    process = house.serve()
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_it_serves_and_works_until_it_is_interrupted(house: House, service: Service) -> None:
    key = house.manage("create_api_key", "ERP").stdout.strip()

    run = house.call(
        "/api/v1/tier-runs/",
        {"as_of": (timezone.localdate() - timedelta(days=1)).isoformat(), "dry_run": True},
        key,
    )
    path = f"/api/v1/tier-runs/{run['id']}/"
    done = wait_for(lambda: (seen := house.call(path, key=key))["state"] == "done" and seen)
    assert done["progress"] == 100

    second = house.manage("serve")
    assert second.returncode != 0
    assert "running already" in second.stderr

    began = time.monotonic()
    service.send_signal(signal.SIGINT)
    output = service.communicate(timeout=PATIENCE)[0]
    assert service.returncode == 0, output
    assert time.monotonic() - began < 15
    assert f"Kehu is running at http://127.0.0.1:{house.port}" in output
    assert output.rstrip().endswith("Stopped.")
    assert left_of(service) == []


def test_a_port_in_use_is_named_before_anything_starts(house: House) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", house.port))
        other.listen()
        refused = house.manage("serve")
    assert refused.returncode != 0
    assert f"Port {house.port} cannot be used" in refused.stderr
    assert f"PORT={house.port + 1}" in refused.stderr


@pytest.mark.parametrize("part", ["gunicorn", "worker"])
def test_when_one_part_dies_the_whole_service_ends(service: Service, part: str) -> None:
    (child,) = processes_of(service, part)
    os.kill(child, signal.SIGKILL)
    output = service.communicate(timeout=PATIENCE)[0]
    assert service.returncode == 1
    name = {"gunicorn": "web"}.get(part, part)
    assert f"The {name} process ended by itself" in output
    wait_for(lambda: not left_of(service))


def test_nothing_outlives_a_service_that_was_killed(service: Service) -> None:
    service.kill()
    service.wait(timeout=PATIENCE)
    wait_for(lambda: not left_of(service))
