"""Whether the search for duplicates finds planted pairs, and how long it takes.

    python -m benchmarks.duplicates [--customers N]

Makes a database of companies in which pairs are planted: the same company under a second spelling
of its name, phone or address. Beside them stand files that look alike and are not: branches of a
chain, firms in one building, clients of one agent, namesakes in other cities. Runs on PostgreSQL:
the server of DATABASE_URL, or a fresh one from the pip package, in a database that is dropped at
the end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

import django
from django.utils import timezone

from benchmarks._measuring import database, measuring_server, peak_megabytes
from benchmarks._planted import Planted, plant

RECALL, FALSE, SECONDS, MEGABYTES = 0.95, 0.05, 60.0, 300
NAME = "kehu_bench_duplicates"


def store(planted: Planted) -> list[int]:
    """Write the files with their index cards; their ids, in the order of the files."""
    from customers import cards
    from customers.models import Customer

    made = Customer.objects.bulk_create(
        (
            Customer(
                name=firm.name,
                phone=firm.phone,
                address=firm.address,
                tax_id=firm.tax_id,
                division=firm.division,
            )
            for firm in planted.firms
        ),
        batch_size=1000,
    )
    ids = [customer.pk for customer in made]
    for at in range(0, len(ids), 2000):
        cards.refresh(ids[at : at + 2000])
    return ids


@dataclass
class Score:
    """How many of the planted pairs were found, and how many found pairs were not planted."""

    recall: float
    false: float
    missed: Counter[str]
    wrong: Counter[str]
    examples: list[tuple[str, str]]


def score(planted: Planted, ids: list[int], found: set[tuple[int, int]]) -> Score:
    position = {pk: at for at, pk in enumerate(ids)}
    pairs = {tuple(sorted((position[a], position[b]))) for a, b in found}
    missed = {pair: kind for pair, kind in planted.pairs.items() if pair not in pairs}
    extra = pairs - planted.pairs.keys()
    examples = [
        *((planted.firms[a], planted.firms[b]) for a, b in list(missed)[:10]),
        *((planted.firms[a], planted.firms[b]) for a, b in sorted(extra)[:10]),
    ]
    return Score(
        recall=1 - len(missed) / len(planted.pairs),
        false=len(extra) / max(1, len(pairs)),
        missed=Counter(missed.values()),
        wrong=Counter(
            planted.apart.get(a) or planted.apart.get(b) or "by accident" for a, b in extra
        ),
        examples=[
            (f"{a.name} {a.phone} {a.address}", f"{b.name} {b.phone} {b.address}")
            for a, b in examples
        ],
    )


def measure(customers: int, *, verbose: bool) -> int:
    """Plant, search, count; 1 where a goal is missed."""
    from django.core.management import call_command
    from django.db import connection

    from customers.models import DuplicatePair

    call_command("migrate", verbosity=0)
    planted = plant(customers)
    begun = time.perf_counter()
    ids = store(planted)
    print(f"{customers:,} files made in {time.perf_counter() - begun:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    # In a process of its own, whose memory holds nothing else.
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.duplicates", "--search"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split()
    took, again, most = map(float, told)
    found = set(DuplicatePair.objects.values_list("first_id", "second_id"))
    result = score(planted, ids, found)
    print(f"{len(planted.pairs):,} pairs planted, {len(found):,} found")
    print(f"found of the planted {result.recall:.1%} (goal {RECALL:.0%})", dict(result.missed))
    print(f"false among the found {result.false:.1%} (goal {FALSE:.0%})", dict(result.wrong))
    print(f"took {took:.1f} s, once more {again:.1f} s (goal {SECONDS:.0f} s)")
    print(f"memory of the process at most {most:.0f} MB (goal {MEGABYTES} MB)")
    if verbose:
        for one, other in result.examples:
            print(f"  {one}\n  {other}\n")
    goals = (
        result.recall >= RECALL,
        result.false <= FALSE,
        took <= SECONDS,
        most <= MEGABYTES,
    )
    print("goals:", "kept" if all(goals) else "MISSED")
    return 0 if all(goals) else 1


def search() -> int:
    """Search twice; print the seconds of each and the most memory of this process."""
    from customers import duplicates

    for _round in range(2):
        begun = time.perf_counter()
        duplicates.find(lambda _done, _total: None, now=timezone.now())
        print(f"{time.perf_counter() - begun:.2f}")
    print(f"{peak_megabytes():.0f}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--verbose", action="store_true", help="show what was missed and wrong")
    parser.add_argument("--search", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        django.setup()
        return search()
    with measuring_server() as server, database(server, NAME) as url:
        os.environ["DATABASE_URL"] = url
        django.setup()
        return measure(options.customers, verbose=options.verbose)


if __name__ == "__main__":
    sys.exit(main())
