"""What happens to the processes of a service whose parent was killed."""

import subprocess
import sys
import time

from crm.processes import _WATCHDOG

DEAF = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (15, 3)]; time.sleep(60)"


def test_the_slow_are_stopped_though_the_quick_went_at_once() -> None:
    quick = subprocess.Popen(["sleep", "60"])
    slow = subprocess.Popen([sys.executable, "-c", DEAF])
    try:
        time.sleep(1)  # until it is deaf
        pids = [str(quick.pid), str(slow.pid)]
        with subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", *pids], stdin=subprocess.PIPE
        ) as watchdog:
            assert watchdog.stdin
            watchdog.stdin.close()  # as when the parent is killed
            assert quick.wait(timeout=10) == -15
            assert slow.wait(timeout=30) == -9
    finally:
        quick.kill()
        slow.kill()
