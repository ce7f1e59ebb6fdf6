"""`manage.py serve` with real processes: it serves, works, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.house import PATIENCE, House, Service, new_house, wait_for

pytestmark = [pytest.mark.worker, pytest.mark.xdist_group("worker")]


def processes() -> list[tuple[int, int, int, str]]:
    """(pid, parent, group, command) of every living process."""
    rows = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,pgid=,stat=,args="],
        capture_output=True,
        text=True,
        check=True,
    )
    found = []
    for row in rows.stdout.splitlines():
        pid, parent, group, state, *command = row.split(None, 4)
        if not state.startswith("Z"):
            found.append((int(pid), int(parent), int(group), "".join(command)))
    return found


def left_of(service: Service) -> list[str]:
    """The commands of the group that `service` leads, as far as they live."""
    return [command for _pid, _parent, group, command in processes() if group == service.pid]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with new_house(tmp_path_factory.mktemp("data")) as made:
        assert "Run `make install`" in made.manage("serve").stderr
        made.run("collectstatic", "--noinput", "-v0")
        assert "manage.py migrate" in made.manage("serve").stderr
        made.run("migrate", "-v0")
        yield made


@pytest.fixture
def service(house: House) -> Iterator[Service]:
    with house.serving() as started:
        yield started


def test_it_serves_and_works_until_it_is_interrupted(house: House, service: Service) -> None:
    key = house.run("create_api_key", "ERP").strip()
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    run = house.call("/api/v1/tier-runs/", {"as_of": yesterday, "dry_run": True}, key)
    path = f"/api/v1/tier-runs/{run['id']}/"
    done = wait_for(lambda: (seen := house.call(path, key=key))["state"] == "done" and seen)
    assert done["progress"] == 100

    second = house.manage("serve")
    assert second.returncode != 0
    assert "running already" in second.stderr

    began = time.monotonic()
    service.send_signal(signal.SIGINT)
    assert service.wait(timeout=PATIENCE) == 0
    assert time.monotonic() - began < 15
    assert left_of(service) == []
    assert f"Kehu is running at {house.address}" in house.log()
    assert house.log().rstrip().endswith("Stopped.")


def test_a_port_in_use_is_named_before_anything_starts(house: House) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", house.port))
        other.listen()
        refused = house.manage("serve")
    assert refused.returncode != 0
    assert f"Port {house.port} cannot be used" in refused.stderr
    assert f"PORT={house.port + 1}" in refused.stderr


@pytest.mark.parametrize(("part", "word"), [("web", "gunicorn"), ("worker", " worker ")])
def test_when_one_part_dies_the_whole_service_ends(
    house: House, service: Service, part: str, word: str
) -> None:
    (child,) = [
        pid for pid, parent, _, command in processes() if parent == service.pid and word in command
    ]
    os.kill(child, signal.SIGKILL)
    assert service.wait(timeout=PATIENCE) == 1
    assert f"The {part} process ended by itself" in house.log()
    wait_for(lambda: not left_of(service))


def test_nothing_outlives_a_service_that_was_killed(service: Service) -> None:
    service.kill()
    service.wait()
    wait_for(lambda: not left_of(service))
