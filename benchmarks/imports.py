"""How long an import of many rows takes, and how much memory, against raw inserts of the same rows.

    python -m benchmarks.imports [--rows N] [--rounds N] [--stored N]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. A database of
its own is made there and dropped at the end. Each import is worked through by a process of its own,
as a worker does it: look at every row (check), then write them (apply); its highest memory is what
the system says of that process. Two situations: all rows new, and all of them changed by a second
file. The yardstick writes the same customers, profiles and contacts with psycopg2's
`execute_values`, 500 to a statement, 2,000 to a transaction; it takes turns with the import.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2
from openpyxl import Workbook
from psycopg2.extras import execute_values

from benchmarks._dealers import BIRTHDAYS, BRANDS, HEADS, PLACES, SURNAMES, TRADES, in_characters
from benchmarks._measuring import database, measuring_server, peak_megabytes

SECONDS, MEGABYTES = 60.0, 300.0
NAME = "kehu_bench_imports"
STORED = """
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, division, address, phone, email, tax_id, buyout, tags, custom, key_account,
        order_count)
    SELECT now(), now(), 1, 'OLD-' || n, 'Customer ' || n, 'dealer', 'active', '330602', '', '', '',
        '', false, '[]', '{{}}', false, 0 FROM generate_series(1, {stored}) AS n
"""


def rows_of(many: int, mark: str, *, changed: bool = False) -> list[tuple[Any, ...]]:
    """The rows of one file; the second file of a mark says other phones and capitals."""
    rows = []
    for n in range(many):
        place, _division = PLACES[n % len(PLACES)]
        rows.append(
            (
                f"{mark}{n:06}",
                f"{place[3:5]}{BRANDS[n % 16]}{in_characters(n)}{TRADES[n % 6]}有限公司",
                f"13{'7' if changed else '8'}{10_000_000 + n:08}",
                f"{place}解放路{n + 1}号",
                f"{mark}{n:012}MA2",
                f"{SURNAMES[n % 10]}建国",
                "经理",
                f"159{10_000_000 + n:08}",
                BIRTHDAYS[n % 4],
                (n % 50 + (2 if changed else 1)) * 10_000,
                f"{n % 900 + 100}㎡",
            )
        )
    return rows


def write_book(rows: list[tuple[Any, ...]], path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(HEADS)
    for row in rows:
        sheet.append(row)
    book.save(path)


def raw(connection: Any, rows: list[tuple[Any, ...]]) -> float:
    """Seconds for plain inserts of the same customers, profiles and contacts."""
    begun = time.perf_counter()
    cursor = connection.cursor()
    for at in range(0, len(rows), 2000):
        some = rows[at : at + 2000]
        ids = execute_values(
            cursor,
            "INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, "
            "kind, status, division, address, phone, email, tax_id, buyout, tags, custom, "
            "key_account, order_count) VALUES %s RETURNING id",
            [(r[0], r[1], r[3], f"+86{r[2]}", r[4], json.dumps({HEADS[10]: r[10]})) for r in some],
            "(now(), now(), 1, %s, %s, 'dealer', 'prospect', '330602', %s, %s, '', %s, false, "
            "'[]', %s, false, 0)",
            page_size=500,
            fetch=True,
        )
        execute_values(
            cursor,
            "INSERT INTO customers_profile (created_at, updated_at, version, customer_id, capital, "
            "credit_standing, buys, purchase_rhythm, purchase_months, favourites, past_categories, "
            "promotion_attitude, suggestions) VALUES %s",
            [(pk, r[9]) for (pk,), r in zip(ids, some, strict=True)],
            "(now(), now(), 1, %s, %s, '', '', '', '[]', '', '[]', '', '')",
            page_size=500,
        )
        execute_values(
            cursor,
            "INSERT INTO customers_contact (created_at, updated_at, version, customer_id, name, "
            "title, phone, gender, email, wechat, birthday_calendar, birthday_leap, buying_role, "
            "likes, has_left) VALUES %s",
            [(pk, r[5], r[6], f"+86{r[7]}") for (pk,), r in zip(ids, some, strict=True)],
            "(now(), now(), 1, %s, %s, %s, %s, '', '', '', 'solar', false, '', '', false)",
            page_size=500,
        )
        connection.commit()
    return time.perf_counter() - begun


def work(path: str) -> None:
    """The worker's part, in a process of its own: prints seconds and memory as JSON."""
    import django

    django.setup()
    from django.utils import timezone

    from accounts.audit import Through, acting
    from accounts.models import User
    from customers.importing import steps

    by, _made = User.objects.get_or_create(
        username="importer", defaults={"name": "Importer", "role": "administrator"}
    )
    with open(path, "rb") as file, acting(user=by, through=Through.JOB):
        begun = time.perf_counter()
        run = steps.upload(file=file, name=Path(path).name, by=by, now=timezone.now())
        uploaded = time.perf_counter()
        run.mapping["10"] = "custom"
        run.save()

        def step(name: str) -> float:
            start = time.perf_counter()
            type(run).objects.filter(pk=run.pk).update(state=steps.STEPS[name][0])
            run.refresh_from_db()
            steps.perform(run, name, by=by, progress=lambda *_: None, clock=timezone.now)
            return time.perf_counter() - start

        took = {"upload": uploaded - begun, "check": step("check"), "apply": step("apply")}
    memory = peak_megabytes()
    cpu = time.process_time()
    print(json.dumps({**took, "cpu": cpu, "memory": memory, "counts": run.counts}))


def measure(url: str, folder: Path, size: argparse.Namespace) -> int:
    def child(path: Path) -> dict[str, Any]:
        command = [sys.executable, "-m", "benchmarks.imports", "--work", str(path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True)
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(STORED.format(stored=size.stored))
    connection.commit()
    connection.autocommit = True
    cursor.execute("VACUUM ANALYZE")
    connection.autocommit = False
    results: dict[str, list[dict[str, Any]]] = {"new": [], "changed": []}
    yard = []
    for number in range(size.rounds):
        mark = f"I{number}-"
        for situation, wanted in (("new", "create"), ("changed", "update")):
            path = folder / f"{situation}-{number}.xlsx"
            write_book(rows_of(size.rows, mark, changed=situation == "changed"), path)
            result = child(path)
            assert result["counts"][wanted] == size.rows, result
            print(f"{situation} {number}: {result}", file=sys.stderr, flush=True)
            results[situation].append(result)
        yard.append(raw(connection, rows_of(size.rows, f"R{number}-")))
    print(f"{size.rows:,} rows of 11 columns, {size.stored:,} customers stored before")
    print(f"raw inserts: {median(yard):.1f} s")
    worst = 0.0
    for situation, some in results.items():
        check, apply = (median(one[step] for one in some) for step in ("check", "apply"))
        memory = max(one["memory"] for one in some)
        worst = max(worst, check + apply)
        print(
            f"{situation}: upload {median(one['upload'] for one in some):.1f} s, "
            f"check {check:.1f} s, apply {apply:.1f} s, together {check + apply:.1f} s "
            f"(goal < {SECONDS:.0f} s; {(check + apply) / median(yard):.1f} × raw), "
            f"memory {memory:.0f} MB (goal < {MEGABYTES:.0f} MB)"
        )
    highest = max(one["memory"] for some in results.values() for one in some)
    return int(worst >= SECONDS or highest >= MEGABYTES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--work", metavar="FILE", help="only work through this file")
    size = parser.parse_args()
    if size.work:
        work(size.work)
        return 0
    with (
        measuring_server() as server,
        database(server, NAME) as url,
        tempfile.TemporaryDirectory() as folder,
    ):
        os.environ["DATABASE_URL"] = url
        return measure(url, Path(folder), size)


if __name__ == "__main__":
    sys.exit(main())
