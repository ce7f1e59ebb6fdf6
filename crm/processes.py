"""A few processes that live and die together: the web server, the worker and beat."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

STOP_SECONDS = 8.0
QUIT_SECONDS = 3.0
#: Keeps their memory small. glibc holds on to what was freed in each thread apart, and after a
#: large body that was a quarter of a web process; buffers from 1 MiB on it gives back at once, as
#: long as it does not raise that limit by itself.
LEAN: Mapping[str, str] = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"}

# Waits until its standard input ends. If it ended without a word, the parent was killed, and the
# processes named in the arguments are stopped in its place. Plain sh: Linux and macOS alike.
_WATCHDOG = """
trap '' INT TERM HUP
read -r _ && exit 0
alive() { for pid; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
kill -TERM "$@" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8; do
  sleep 1
  alive "$@" || exit 0
done
kill -QUIT "$@" 2>/dev/null
sleep 2
kill -KILL "$@" 2>/dev/null
"""


class ProcessGroup:
    """Named processes of which none outlives the others, nor the process that started them."""

    def __init__(self, commands: Mapping[str, Sequence[str]], environment: Mapping[str, str]):
        self.commands = commands
        self.environment = dict(environment)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start every process; from here on INT, TERM and HUP ask for the end."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        for name, command in self.commands.items():
            self.running[name] = subprocess.Popen(  # noqa: S603  # our own commands
                list(command), env=self.environment, stdin=subprocess.DEVNULL
            )
        pids = [str(process.pid) for process in self.running.values()]
        self._watchdog = subprocess.Popen(  # noqa: S603  # a constant and numbers
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", *pids], stdin=subprocess.PIPE
        )

    def wait(self, until: Callable[[], bool] = lambda: False) -> str | None:
        """Wait for `until`, for a signal (None) or for a process to end by itself: its name."""
        while not self.stopping and not until():
            for name, process in self.running.items():
                if process.poll() is not None and not self.stopping:
                    return name
            time.sleep(0.2)
        return None

    def exit_code(self, name: str) -> int:
        """What `name` ended with; negative is the signal that killed it."""
        return self.running[name].returncode or 0

    def stop(self) -> None:
        """End them all: politely, then firmly; returns when none is left."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        steps = (signal.SIGTERM, STOP_SECONDS), (signal.SIGQUIT, QUIT_SECONDS)
        for number, seconds in steps:
            self._signal(number)
            if self._gone(seconds):
                break
        else:
            self._signal(signal.SIGKILL)
            self._gone(QUIT_SECONDS)
        if self._watchdog is not None:
            self._watchdog.communicate(b"done\n")

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _signal(self, number: signal.Signals) -> None:
        for process in self.running.values():
            if process.poll() is None:
                os.kill(process.pid, number)

    def _gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while any(process.poll() is None for process in self.running.values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True
