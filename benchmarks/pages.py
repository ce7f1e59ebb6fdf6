"""How the pages of customers grow from 10,000 to 1,000,000 customers, through Django.

    python -m benchmarks.pages [--small N] [--large N] [--requests N] [--keep]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. Two databases
of its own are made there and dropped at the end (with --keep they stay for the next run). One
process serves each; they take turns, some requests at a time, with rights, templates and all.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import django
from django.utils import timezone

from benchmarks._crowd import EVERY_KNOWN_FILE, fill
from benchmarks._measuring import database, measuring_server

#: At most this many times the small one's 99th percentile; search against the large list's.
GOAL_PAGES, GOAL_SEARCH = 2.0, 12.0
ROUNDS = 10

LISTS = {
    "list": "/customers/",
    "list A": "/customers/?abc=A&sort=-last_ordered_on",
    "tag, frequent": "/customers/?tag=%E7%A4%BE%E5%8C%BA%E5%BA%97",
    "tag, rare": "/customers/?tag=%E5%86%B7%E9%93%BE",
}

#: Words that people type: kinds of them, each drawn anew from a number.
SEARCHES: dict[str, Callable[[random.Random], str]] = {
    "search 1 character": lambda r: r.choice("绍杭宁温嘉湖金李"),
    "search 2, frequent": lambda r: r.choice(["商行", "绍兴", "食品", "超市", "公司"]),
    "search 2, rare": lambda r: r.choice(["恒信", "鸿泰", "越城", "谷丰", "锦程"]),
    "search 2, nobody": lambda r: r.choice(["戆卢", "龘靐", "甪端"]),
    "search 3+, frequent": lambda r: r.choice(["有限公司", "食品商行", "便利店"]),
    "search 3+, rare": lambda r: r.choice(["越城恒信", "柯桥鸿泰副食", "上虞谷丰超市"]),
    "search 3+, nobody": lambda r: r.choice(["人民广场店", "西直门外"]),
    "search initials": lambda r: r.choice(["sxyc", "hzxs", "jxtxhx", "nbyz", "lxsp"]),
    "search pinyin": lambda r: r.choice(["shaoxing", "yuecheng", "hengxin", "tongxiang"]),
    "search phone tail": lambda r: f"{r.randrange(10_000):04}",
    "search two words": lambda r: r.choice(["绍兴 恒信", "公司 鸿泰", "lvcheng 138"]),
}
PAGES = (
    "rep list", "manager list", "director list", "director list A", "director tag, frequent",
    "director tag, rare", "rep file", "director file", "key since",
)  # fmt: skip
SEARCHERS = ("rep", "manager", "director")


# --- one process for each size: it fills its database, then answers requests for times


def addresses(scenario: str, rng: random.Random) -> Callable[[], str]:
    """Draws addresses of a scenario, every time another one."""
    who, _sep, what = scenario.partition(" ")
    if what == "file":
        from django.db.models import F

        from customers.models import Customer

        known = Customer.objects.alias(rest=F("id") % EVERY_KNOWN_FILE).filter(rest=0)
        if who == "rep":
            known = known.filter(owner__username="rep0")
        ids = list(known.values_list("pk", flat=True))
        return lambda: f"/customers/{rng.choice(ids)}/"
    if what == "since":
        since = quote((timezone.now() - timedelta(days=30)).isoformat())
        return lambda: f"/api/v1/customers/?updated_since={since}"
    if what in LISTS:
        return lambda: LISTS[what]
    terms = [SEARCHES[what](random.Random(number)) for number in range(40)]
    return lambda: f"/customers/?q={quote(rng.choice(terms))}"


def times(scenario: str, requests: int, rng: random.Random) -> list[float]:
    """Seconds that each of some requests of a scenario took, the first of them left out."""
    from django.test import Client

    from accounts.models import ApiKey, User

    who = scenario.split(" ", 1)[0]
    draw = addresses(scenario, rng)
    headers = {}
    client = Client()
    if who == "key":
        user = User.objects.get_or_create(
            username="erp", defaults={"role": "integration", "name": "ERP"}
        )[0]
        _key, secret = ApiKey.issue(name=f"bench {time.time()}", user_id=user.pk)
        headers["Authorization"] = f"Bearer {secret}"
    else:
        name = {"rep": "rep0", "manager": "chief0"}.get(who, who)
        client.force_login(User.objects.get(username=name))
    took = []
    for _request in range(requests + 1):
        url = draw()
        begun = time.perf_counter()
        answer = client.get(url, headers=headers)
        took.append(time.perf_counter() - begun)
        assert answer.status_code == 200, (url, answer.status_code)
    return took[1:]


def serve(size: int) -> None:
    """Answer each line `scenario<tab>requests` on standard input with the times, as JSON."""
    django.setup()
    begun = time.perf_counter()
    fill(size)
    print(json.dumps(round(time.perf_counter() - begun)), flush=True)
    rng = random.Random(7)
    for line in sys.stdin:
        scenario, requests = line.rstrip("\n").split("\t")
        print(json.dumps(times(scenario, int(requests), rng)), flush=True)


# --- the parent: makes the two take turns, judges


@dataclass
class Measured:
    """The times of one scenario at the two sizes, in milliseconds."""

    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)

    def p(self, times: list[float], share: int) -> float:
        return statistics.quantiles(times, n=100)[share - 1]

    @property
    def ratio(self) -> float:
        return self.p(self.large, 99) / self.p(self.small, 99)

    def __str__(self) -> str:
        small, large = (
            f"{self.p(times, 50):7.1f} {self.p(times, 99):7.1f}"
            for times in (self.small, self.large)
        )
        return f"{small}   {large}   {self.ratio:5.2f}"


def measure(sizes: Sequence[int], urls: Sequence[str], requests: int, only: str) -> int:
    """Print p50 and p99 at both sizes, and whether the goals are kept; 1 where one is missed."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pages", "--serve", str(size)],
            env={**os.environ, "DATABASE_URL": url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for size, url in zip(sizes, urls, strict=True)
    ]
    try:
        for size, worker in zip(sizes, workers, strict=True):
            print(f"{size:,} customers ready after {_answer(worker)} s", flush=True)
        scenarios = [*PAGES, *(f"{who} {what}" for who in SEARCHERS for what in SEARCHES)]
        results = {}
        head = "".join(f"{f'{size:,}':^17}" for size in sizes)
        print(f"{'milliseconds':34}{head}\n{'':34}    p50     p99       p50     p99   ratio of p99")
        for scenario in scenarios:
            if only not in scenario:
                continue
            measured = Measured()
            for _round in range(ROUNDS):
                for worker, found in zip(workers, (measured.small, measured.large), strict=True):
                    print(f"{scenario}\t{-(-requests // ROUNDS)}", file=worker.stdin, flush=True)
                    found.extend(1000 * one for one in _answer(worker))
            results[scenario] = measured
            print(f"{scenario:34}{measured}", flush=True)
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait()
    return judge(results)


def judge(results: dict[str, Measured]) -> int:
    missed = [
        f"{name}: {times.ratio:.2f} × the small one's p99"
        for name, times in results.items()
        if name in PAGES and times.ratio > GOAL_PAGES
    ]
    for who in SEARCHERS:
        if f"{who} list" not in results:
            continue
        measure_of = results[f"{who} list"]
        base = measure_of.p(measure_of.large, 99)
        for name, times in results.items():
            if name.startswith(f"{who} search"):
                ratio = times.p(times.large, 99) / base
                print(f"{name:34} {ratio:5.1f} × the list's p99")
                if ratio > GOAL_SEARCH:
                    missed.append(f"{name}: {ratio:.1f} × the list's p99")
    print("\n".join(["MISSED:", *missed]) if missed else "all goals kept")
    return 1 if missed else 0


def _answer(worker: subprocess.Popen[str]) -> Any:
    assert worker.stdout is not None
    line = worker.stdout.readline()
    if not line:
        sys.exit("A process ended; its message stands above.")
    return json.loads(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", default="", help="measure the scenarios that hold these words")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
        return 0
    sizes = chosen.small, chosen.large
    with ExitStack() as stack:
        server = stack.enter_context(measuring_server())
        os.environ["ALLOWED_HOSTS"] = "testserver"
        urls = [
            stack.enter_context(database(server, f"kehu_pages_{size}", keep=chosen.keep))
            for size in sizes
        ]
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"], check=True
        )
        return measure(sizes, urls, chosen.requests, chosen.only)


if __name__ == "__main__":
    sys.exit(main())
