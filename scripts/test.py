"""Run every test on both legs, and say plainly which legs ran and which did not.

    python -m scripts.test [--require-all] [--leg sqlite|postgres]... [-- pytest arguments]

Leg `sqlite` is SQLite with the embedded broker, leg `postgres` PostgreSQL with the Redis
protocol: at DATABASE_URL and REDIS_URL where set, else started here from pip packages. The tests
that need a browser run where a Chromium is found. With --require-all, or CI set, anything that
cannot run is a failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from scripts.servers import CannotStart, postgres, redis

ROOT = Path(__file__).resolve().parent.parent
LEGS = {"sqlite": "SQLite, embedded broker", "postgres": "PostgreSQL, Redis protocol"}
CHROMIUMS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
#: Durability costs time, and a test's data need not survive a power cut.
HASTY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
NO_TESTS = 5  # pytest's exit code where nothing was selected


@dataclass
class Result:
    leg: str
    ran: bool
    passed: bool
    note: str = ""
    seconds: float = 0.0


@dataclass
class Plan:
    legs: list[str]
    require_all: bool
    pytest: list[str] = field(default_factory=list)


def find_chromium() -> str | None:
    """The Chromium to use: $CHROMIUM, or the first known one that is installed."""
    wished = os.environ.get("CHROMIUM")
    for name in [wished] if wished else CHROMIUMS:
        if path := shutil.which(name):
            return path
    return None


def run_leg(leg: str, plan: Plan, chromium: str | None) -> Result:
    """Start what the leg needs, then pytest on it in a process of its own."""
    print(f"\n===== {leg}: {LEGS[leg]}", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kehu-test-")))
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own where we are root
        environment = {**os.environ, "DATA_DIR": str(folder / "data"), "SECRET_KEY": "test" * 15}
        for name in ("DATABASE_URL", "REDIS_URL", "BASE_URL", "ALLOWED_HOSTS", "DEBUG", "PORT"):
            environment.pop(name, None)
        environment["KEHU_TEST_LEG"] = leg
        if chromium:
            environment["CHROMIUM"] = chromium
        if leg == "postgres":
            try:
                environment["DATABASE_URL"] = os.environ.get("DATABASE_URL") or stack.enter_context(
                    postgres(folder / "pg", HASTY)
                )
                environment["REDIS_URL"] = os.environ.get("REDIS_URL") or stack.enter_context(
                    redis()
                )
            except CannotStart as reason:
                return Result(leg, ran=False, passed=False, note=str(reason))
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup"]
        if not chromium:
            command += ["-m", "not browser"]
        command += plan.pytest
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    seconds = time.monotonic() - began
    if code == NO_TESTS:
        return Result(leg, ran=False, passed=False, note="no test matches", seconds=seconds)
    return Result(leg, ran=True, passed=code == 0, seconds=seconds)


def conclude(results: list[Result], plan: Plan, chromium: str | None) -> int:
    """Say what ran and what did not; 0 when all that had to pass did."""
    print("\n===== What ran")
    for name, meaning in LEGS.items():
        result = next((one for one in results if one.leg == name), None)
        if result is None:
            print(f"{name:<9} NOT RUN  {meaning}: not asked for")
        elif not result.ran:
            print(f"{name:<9} NOT RUN  {meaning}: {result.note}")
        else:
            word = "passed" if result.passed else "FAILED"
            print(f"{name:<9} {word}   {meaning}, {result.seconds:.0f} s")
    print(
        f"{'browser':<9} ran      with {chromium}, on each leg above"
        if chromium
        else f"{'browser':<9} NOT RUN  no Chromium found; set CHROMIUM to its path"
    )
    failed = any(result.ran and not result.passed for result in results)
    nothing = not any(result.ran for result in results)
    lacking = plan.require_all and (not chromium or any(not result.ran for result in results))
    if lacking:
        print("Everything is required here, and not everything ran: this is a failure.")
    return 1 if failed or nothing or lacking else 0


def parse(arguments: list[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="scripts.test", description=__doc__)
    parser.add_argument("--require-all", action="store_true", default=bool(os.environ.get("CI")))
    parser.add_argument("--leg", action="append", choices=sorted(LEGS), dest="legs")
    options, rest = parser.parse_known_args(arguments)
    return Plan(
        legs=options.legs or list(LEGS),
        require_all=options.require_all,
        pytest=[word for word in rest if word != "--"],
    )


def main(arguments: list[str]) -> int:
    plan = parse(arguments)
    chromium = find_chromium()
    results = [run_leg(leg, plan, chromium) for leg in plan.legs]
    return conclude(results, plan, chromium)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
