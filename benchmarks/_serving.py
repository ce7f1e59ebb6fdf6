"""The product behind gunicorn, as an ERP meets it: one web process, a key, a connection."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crm.processes import LEAN


@contextmanager
def served(url: str) -> Iterator[tuple[http.client.HTTPConnection, str, int]]:
    """A kept-alive connection to the product on the database at `url`, a key, and the number of
    its one web process. There is no limit of calls a minute."""
    port = _free_port()
    environment = {
        **LEAN,
        **os.environ,
        "DATABASE_URL": url,
        "API_RATE_PER_MINUTE": "0",
        "WEB_WORKERS": "1",
        "PORT": str(port),
    }

    def manage(*words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    manage("migrate", "--verbosity=0")
    manage("collectstatic", "--no-input", "--verbosity=0")
    key = manage("create_api_key", "benchmark").strip()
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:crm.gunicorn"], env=environment
    )
    try:
        _eventually(lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        client.request("GET", "/healthz")  # answered as soon as there is a worker
        client.getresponse().read()
        yield client, key, _child(gunicorn.pid)
    finally:
        gunicorn.terminate()
        gunicorn.wait(30)


def _child(process: int) -> int:
    """The one process that `process` started and that serves."""
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process)], check=True, capture_output=True, text=True
    )
    (child,) = listing.stdout.split()
    return int(child)


def _eventually(work: Callable[[], None], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            return work()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
