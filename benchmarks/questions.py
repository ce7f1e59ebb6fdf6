"""How long the eight questions, the Pareto curve, the tier report and a trial take as pages,
against SQL by hand for the same figure.

    python -m benchmarks.questions [--customers N] [--orders N] [--rounds N]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package, in a database
that is dropped at the end. Each card of the page is asked for over the Django view, with rights,
words and template; the statement by hand gives its main figure alone. Both take turns on the same
data. The goal: under a second for each question at 5,000 customers and 250,000 orders. At other
sizes the times and ratios are printed, and the goal is not asked for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import django
import time_machine
from django.utils import timezone

from benchmarks._measuring import database, measuring_server, peak_megabytes

NAME = "kehu_bench_questions"
CUSTOMERS, ORDERS, GOAL_S = 5_000, 250_000, 1.0

SEED_DATA = """
    SELECT setseed(0.42);
    INSERT INTO orders_product (created_at, updated_at, version, external_id, name, category, unit,
        unit_cost, active)
    SELECT now(), now(), 1, 'SKU-' || n, 'Product ' || n, 'Category ' || n % 12, '', 20, true
    FROM generate_series(1, 60) AS n;
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, division, address, phone, email, tax_id, buyout, tags, custom, key_account,
        order_count, owner_id)
    SELECT now(), now(), 1, 'C-' || lpad(n::text, 7, '0'), 'Customer ' || n, 'dealer', 'active',
        CASE WHEN n % 3 = 0 THEN '330602' ELSE '320102' END, '', '', '', '', false, '[]', '{{}}',
        false, 0, (SELECT id FROM accounts_user WHERE username = 'bench-rep-' || n % 20)
    FROM generate_series(1, {customers}) AS n;
    -- Few customers order often and much, many seldom and little; 36 months, 3 % returns.
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SO-' || n,
        (SELECT min(id) FROM customers_customer) + floor({customers} * pow(random(), 2.2))::int,
        timestamptz '2026-06-30 00:00+08' - random() * interval '1095 days',
        CASE WHEN n % 33 = 0 THEN 'returned' ELSE 'completed' END,
        '', '', '', '', round((40 + 400 * random())::numeric, 2), false
    FROM generate_series(1, {orders}) AS n;
    INSERT INTO orders_orderline (order_id, line_no, product_id, quantity, unit_price, batch)
    SELECT id, 1, (SELECT min(id) FROM orders_product) + id % 60, 1, amount, '' FROM orders_order;
    INSERT INTO visits_visit (created_at, updated_at, version, customer_id, rep_id, scheduled_for,
        checked_in_at, status, purpose, answers, words)
    SELECT now(), now(), 1, id, owner_id, timestamptz '2026-05-01 10:00+08',
        timestamptz '2026-05-01 10:00+08', 'done', '', '{{}}', ''
    FROM customers_customer WHERE id % 5 > 0;
"""

COUNTED = "status IN ('confirmed', 'shipped', 'completed')"
START, END = "'2025-07-01 00:00+08'", "'2026-07-01 00:00+08'"
FACTS = f"""SELECT customer_id, count(*) AS ever, min(ordered_at) AS first,
    count(*) FILTER (WHERE ordered_at >= {START}) AS now
    FROM orders_order WHERE {COUNTED} AND ordered_at < {END} GROUP BY customer_id"""
#: By the address of a part: what somebody would write for its figure alone.
BY_HAND = {
    "buyers": f"SELECT count(DISTINCT customer_id) FROM orders_order"
    f" WHERE {COUNTED} AND ordered_at >= {START} AND ordered_at < {END}",
    "repeat": f"SELECT count(*) FROM ({FACTS}) f WHERE now > 1",
    "silent": f"SELECT count(*) FROM ({FACTS}) f WHERE ever = 1 AND first < '2026-04-02 00:00+08'",
    "untouched": f"SELECT count(*) FROM customers_customer c WHERE NOT EXISTS (SELECT FROM"
    f" visits_visit v WHERE v.customer_id = c.id AND status = 'done' AND checked_in_at < {END})",
    "newcomers": f"SELECT count(*), count(*) FILTER (WHERE ever > 1) FROM ({FACTS}) f"
    f" WHERE first >= {START}",
    "leaving": "SELECT count(*), sum(value_at_risk) FROM tiers_outlook WHERE alive < 0.5",
    "loyalty": f"SELECT count(*) FILTER (WHERE now > 0) FROM ({FACTS}) f WHERE ever > now",
    "decisions": f"SELECT count(*) FROM ({FACTS}) f",
    "table": f"SELECT count(*) FROM ({FACTS}) f",
    "cohorts": f"SELECT date_trunc('month', f.first), date_trunc('month', o.ordered_at),"
    f" count(DISTINCT o.customer_id) FROM ({FACTS}) f JOIN orders_order o USING (customer_id)"
    f" WHERE f.first >= {START} AND {COUNTED} GROUP BY 1, 2",
    "pareto": f"SELECT sum(net) FILTER (WHERE place <= all_ / 5), sum(net) FROM (SELECT net,"
    f" row_number() OVER (ORDER BY net DESC) AS place, count(*) OVER () AS all_ FROM (SELECT"
    f" sum(CASE status WHEN 'returned' THEN -amount ELSE amount END) AS net FROM orders_order"
    f" WHERE ordered_at >= {START} AND ordered_at < {END} GROUP BY customer_id) n) r",
}
#: The pages of a run: the statement by hand gives the tiers with their sums, and who moved.
OF_RUNS = {
    "report": "SELECT abc, count(*), sum(net_amount) FROM customers_customer GROUP BY abc",
    "trial": "SELECT from_tier, to_tier, count(*) FROM tiers_tierchange"
    " WHERE run_id = (SELECT max(id) FROM tiers_tierrun) GROUP BY 1, 2",
}
PERIOD = {"from": "2025-07-01", "to": "2026-06-30"}
SLICES: dict[str, dict[str, str]] = {
    "the company": {},
    "a team": {"team": "bench"},
    "a category": {"category": "Category 3"},
}


def seconds(do: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def people() -> Any:
    """A director, and 20 reps in one team; the team's id stands for "bench"."""
    from accounts.models import Team, User
    from accounts.roles import Role

    team = Team.objects.create(name="Bench")
    User.objects.bulk_create(
        User(username=f"bench-rep-{n}", role=Role.REP, team=team if n < 4 else None)
        for n in range(20)
    )
    SLICES["a team"]["team"] = str(team.pk)
    return User.objects.create(username="bench-director", role=Role.DIRECTOR, language="en")


def runs() -> dict[str, str]:
    """Work out tiers and who leaves, and try a stricter policy: the addresses of its pages."""
    from tiers import actions, policies, tiering
    from tiers.churn.forecast import forecast
    from tiers.models import TierPolicy

    now, today = timezone.now(), timezone.localdate()
    stricter = policies.copy_of(TierPolicy.objects.get())
    stricter.name, stricter.a_share = "Stricter", Decimal("0.7")
    stricter.save()
    job, _new = actions.open_run(as_of=today, user=None, now=now)
    tiering.run(job.pk, now=now)
    forecast(lambda done, total: None, as_of=today, now=now)
    trial, _new = actions.open_run(as_of=today, policy=stricter, dry_run=True, user=None, now=now)
    tiering.run(trial.pk, now=now)
    return {"report": "/tiers/", "trial": f"/tiers/runs/{trial.pk}/"}


def measure(customers: int, orders: int, rounds: int) -> int:
    """Fill the database, let the two ways take turns, print medians; 1 where a goal is missed."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    settings.ALLOWED_HOSTS.append("testserver")
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    client = Client()
    client.force_login(people())
    slowest = 0.0
    with connection.cursor() as cursor:
        begun = time.perf_counter()
        cursor.execute(SEED_DATA.format(customers=customers, orders=orders))
        cursor.execute("VACUUM ANALYZE")
        took = time.perf_counter() - begun
        print(f"{customers:,} customers, {orders:,} orders made in {took:.0f} s", flush=True)

        pages = {"pareto": "/tiers/questions/pareto/", **runs()}

        def ours(part: str, more: dict[str, str]) -> None:
            address = pages.get(part, "/tiers/questions/part/")
            asked = {} if part in OF_RUNS else {"of": part, **PERIOD}
            answer = client.get(address, {**asked, **more})
            if answer.status_code != 200:
                raise SystemExit(f"{part} answered {answer.status_code}")

        for name, more in SLICES.items():
            print(f"\nfor {name}, seconds: page part, by hand for the company, ratio")
            whole = OF_RUNS if "category" not in more else {}  # runs know no categories
            for part, statement in {**BY_HAND, **whole}.items():
                ours(part, more)  # fills the caches of the process and of the server
                pairs = [
                    (
                        seconds(partial(ours, part, more)),
                        seconds(partial(cursor.execute, statement)),
                    )
                    for _round in range(rounds)
                ]
                page, hand = (statistics.median(column) for column in zip(*pairs, strict=True))
                slowest = max(slowest, page)
                print(f"{part:10} {page:6.3f} {hand:6.3f} {page / hand:6.1f}", flush=True)
    print(f"\nmemory of the process at most {peak_megabytes():.0f} MB")
    if (customers, orders) != (CUSTOMERS, ORDERS):
        print(f"the slowest took {slowest:.2f} s; the goal is for another size")
        return 0
    print(f"the slowest took {slowest:.2f} s, goal {GOAL_S} s:", end=" ")
    print("kept" if slowest < GOAL_S else "MISSED")
    return 0 if slowest < GOAL_S else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=CUSTOMERS)
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--rounds", type=int, default=5)
    size = parser.parse_args()
    with measuring_server() as server, database(server, NAME) as address:
        os.environ["DATABASE_URL"] = address
        django.setup()
        from django.db import connection

        try:
            with time_machine.travel("2026-06-30T04:00:00Z", tick=True):
                return measure(size.customers, size.orders, size.rounds)
        finally:
            connection.close()


if __name__ == "__main__":
    sys.exit(main())
