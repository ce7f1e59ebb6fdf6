"""How long a full tier run takes, against one hand-written SQL statement that does the same.

The statement knows the tiers alone (P8) and their history (P12). It is compared with a run whose
policy asks for no more, and with one that also finds loyalty, key-account scores and potential.

    python -m benchmarks.tiers [--customers N] [--orders N] [--rounds N]

Runs on PostgreSQL: the server of DATABASE_URL, or a fresh one from the pip package. A database of
its own is made there and dropped at the end. The two ways take turns on the same data, and each
is measured `--rounds` times in three situations: nothing changed since the last run, the day after
(the window moved on by a day), and everything changed (no customer had a tier).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import django
from django.utils import timezone

from benchmarks._measuring import database, measuring_server, peak_megabytes

Way = Callable[[date], None]
AS_OF = date(2026, 6, 16)
#: How many times the statement a run may take: the tiers alone, and everything.
GOAL = {"tiers": 1.25, "everything": 2.0}
#: What the tables are called whose rows an unchanged run must leave alone.
WRITTEN = (
    "customers_customer",
    "tiers_assessment",
    "tiers_tierchange",
    "tiers_classchange",
)
NAME = "kehu_bench_tiers"

SEED_DATA = """
    SELECT setseed(0.42);
    INSERT INTO customers_customer (created_at, updated_at, version, external_id, name, kind,
        status, division, address, phone, email, tax_id, buyout, tags, custom, key_account,
        order_count)
    SELECT now(), now(), 1, 'C-' || lpad(n::text, 7, '0'), 'Customer ' || n, 'dealer', 'active',
        '330602', '', '', '', '', false, '[]', '{{}}', false, 0
    FROM generate_series(1, {customers}) AS n;
    -- Few customers order often and much, many seldom and little; 24 months, 3 % returns.
    INSERT INTO orders_order (created_at, updated_at, version, external_id, customer_id,
        ordered_at, status, delivery_address, delivery_division, payment_method, promotion,
        amount, held)
    SELECT now(), now(), 1, 'SO-' || n,
        (SELECT min(id) FROM customers_customer) + floor({customers} * pow(random(), 2.2))::int,
        timestamptz '2026-06-30 00:00+08' - random() * interval '730 days',
        (array['completed', 'completed', 'completed', 'shipped', 'confirmed'])
            [1 + floor(random() * 5)::int],
        '', '', '', '', round((40 * exp(1.3 * sqrt(-2 * ln(1 - random()))
            * cos(6.2831853 * random())))::numeric + 1, 2), false
    FROM generate_series(1, {orders}) AS n;
    UPDATE orders_order SET status = 'returned' WHERE id % 33 = 0;
    -- Of every second customer it is known what it buys a year; every fifth is rated.
    INSERT INTO customers_profile (created_at, updated_at, version, customer_id, yearly_purchase,
        buys, credit_standing, purchase_rhythm, purchase_months, favourites, past_categories,
        promotion_attitude, suggestions)
    SELECT now(), now(), 1, id, 1000 + 20 * (id % 997), '', '', '', '[]', '', '[]', '', ''
    FROM customers_customer WHERE id % 2 = 0;
    INSERT INTO tiers_rating (created_at, updated_at, version, customer_id, service_level,
        price_sensitivity, partnership, urgency, quality, by_id, rated_at)
    SELECT now(), now(), 1, id, id % 11, id % 7, id % 10, id % 9, id % 8, {rater}, now()
    FROM customers_customer WHERE id % 5 = 0;
"""

#: What somebody would write who needs the tiers once: rank, judge, update.
BY_HAND = """
    WITH bought AS (
        SELECT customer_id,
            sum(CASE WHEN status = 'returned' THEN -amount ELSE amount END) AS net,
            count(*) FILTER (WHERE status <> 'returned') AS orders,
            max(ordered_at) FILTER (WHERE status <> 'returned') AS last_at
        FROM orders_order
        WHERE ordered_at >= %(start)s AND ordered_at < %(end)s
            AND status IN ('confirmed', 'shipped', 'completed', 'returned')
        GROUP BY customer_id
    ), ranked AS (
        SELECT customer_id, row_number() OVER w AS place, sum(net) OVER w - net AS before,
            sum(net) OVER () AS total
        FROM bought JOIN customers_customer c ON c.id = customer_id
        WHERE net > 0
        WINDOW w AS (ORDER BY net DESC, external_id COLLATE "C", id ROWS UNBOUNDED PRECEDING)
    ), judged AS (
        SELECT c.id, c.abc AS old, c.net_amount AS net_before, place, before / total AS share,
            (SELECT count(*) FROM ranked) AS ranked,
            coalesce(net, 0) AS net, coalesce(orders, 0) AS orders,
            (last_at AT TIME ZONE 'Asia/Shanghai')::date AS last_on,
            CASE WHEN before < 0.8 * total THEN 'A' WHEN before < 0.95 * total THEN 'B'
                WHEN place IS NOT NULL THEN 'C' END AS tier
        FROM customers_customer c
        LEFT JOIN bought ON bought.customer_id = c.id
        LEFT JOIN ranked ON ranked.customer_id = c.id
    ) {history}
    UPDATE customers_customer c
    SET abc = tier, net_amount = net, order_count = orders, last_ordered_on = last_on,
        version = version + (abc IS DISTINCT FROM tier)::int,
        updated_at = CASE WHEN abc IS DISTINCT FROM tier THEN now() ELSE updated_at END
    FROM judged j
    WHERE j.id = c.id AND (c.abc, c.net_amount, c.order_count, c.last_ordered_on)
        IS DISTINCT FROM (tier, net, orders, last_on)
"""

#: Kept beside it (P12). Left out, the statement only updates: shown for comparison.
HISTORY = """
    , history AS (
        INSERT INTO tiers_tierchange (run_id, changed_at, customer_id, recorded_for, from_tier,
            to_tier, net_amount, net_before, rank, rank_before, ranked, share_before)
        SELECT %(run)s, now(), j.id, j.id, old, tier, net, net_before, j.place, b.place, ranked,
            share
        FROM judged j LEFT JOIN (
            SELECT id, row_number() OVER (ORDER BY net_amount DESC, external_id COLLATE "C", id)
                AS place
            FROM customers_customer WHERE net_amount > 0
        ) b ON b.id = j.id
        WHERE old IS DISTINCT FROM tier
    )
"""


class Measuring:
    """One database full of orders, and the ways to its tiers."""

    def __init__(self, cursor: Any) -> None:
        from tiers.models import TierPolicy

        self.cursor = cursor
        self.everything = TierPolicy.objects.get()
        self.tiers = TierPolicy.objects.create(
            name="Tiers alone", loyal_months=None, key_weights={}, potential_weights={}
        )
        TierPolicy.objects.filter(pk=self.tiers.pk).update(effective_from=date(1970, 1, 1))
        self.tiers.refresh_from_db()

    def by_run(self, as_of: date) -> None:
        self._run(as_of, self.everything)

    def by_run_of_tiers(self, as_of: date) -> None:
        self._run(as_of, self.tiers)

    def _run(self, as_of: date, policy: Any) -> None:
        from tiers import actions, tiering

        now = timezone.now()
        job, _new = actions.open_run(as_of=as_of, policy=policy, user=None, now=now)
        tiering.run(job.pk, now=now)

    def by_hand(self, as_of: date, history: str = HISTORY) -> None:
        from crm.lib.days import day_bounds
        from tiers import actions, tiering
        from tiers.models import TierRun

        start, end = day_bounds(*tiering.window(as_of, 12))
        job, _new = actions.open_run(as_of=as_of, user=None, now=timezone.now())
        statement = BY_HAND.replace("{history}", history)
        self.cursor.execute(statement, {"start": start, "end": end, "run": job.pk})
        TierRun.objects.filter(pk=job.pk).update(state="failed")

    def nothing_changed(self, way: Way) -> float:
        self.after_a_run(way)
        return self.seconds(way, AS_OF)

    def the_day_after(self, way: Way) -> float:
        self.after_a_run(way)
        return self.seconds(way, AS_OF + timedelta(days=1))

    def after_a_run(self, way: Way) -> None:
        """As the next night finds it: what the run left behind is cleaned up and counted."""
        way(AS_OF)
        self.cursor.execute("VACUUM ANALYZE customers_customer, tiers_assessment")

    def everything_changed(self, way: Way) -> float:
        self.cursor.execute("TRUNCATE tiers_tierchange, tiers_classchange, tiers_assessment")
        self.cursor.execute(
            "UPDATE customers_customer SET abc = NULL, loyalty = NULL, net_amount = NULL,"
            " order_count = 0, last_ordered_on = NULL"
        )
        self.cursor.execute("VACUUM (FULL, ANALYZE) customers_customer")
        return self.seconds(way, AS_OF)

    def seconds(self, way: Way, as_of: date) -> float:
        self.cursor.execute("CHECKPOINT")  # nobody pays for the pages that others have dirtied
        begun = time.perf_counter()
        way(as_of)
        return time.perf_counter() - begun

    def rows_written(self) -> int:
        """How many rows of what a run writes PostgreSQL has written so far."""
        self.cursor.execute("SELECT pg_stat_force_next_flush()")
        self.cursor.execute(
            "SELECT sum(n_tup_upd + n_tup_ins + n_tup_del) FROM pg_stat_user_tables"
            " WHERE relname = ANY(%s)",
            [list(WRITTEN)],
        )
        return int(self.cursor.fetchone()[0])

    def unchanged_is_unwritten(self) -> bool:
        """Whether a second run of the same day leaves every row alone."""
        self.by_run(AS_OF)
        before = self.rows_written()
        self.by_run(AS_OF)
        return self.rows_written() == before


def measure(customers: int, orders: int, rounds: int) -> int:
    """Fill a database, let the ways take turns, print the medians; 1 where a goal is missed."""
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import User

    call_command("migrate", verbosity=0)
    worst = dict.fromkeys(GOAL, 0.0)
    rater = User.objects.create(username="rater", name="Rater").pk
    with connection.cursor() as cursor:
        begun = time.perf_counter()
        cursor.execute(SEED_DATA.format(customers=customers, orders=orders, rater=rater))
        cursor.execute("VACUUM ANALYZE")
        took = time.perf_counter() - begun
        print(f"{customers:,} customers, {orders:,} orders made in {took:.0f} s")
        bench = Measuring(cursor)
        unwritten = bench.unchanged_is_unwritten()
        for situation in (bench.nothing_changed, bench.the_day_after, bench.everything_changed):
            ways = (bench.by_run_of_tiers, bench.by_run, bench.by_hand)
            times = [[situation(way) for way in ways] for _round in range(rounds)]
            tiers, everything, hand = (
                statistics.median(column) for column in zip(*times, strict=True)
            )
            worst["tiers"] = max(worst["tiers"], tiers / hand)
            worst["everything"] = max(worst["everything"], everything / hand)
            print(
                f"{situation.__name__.replace('_', ' '):20} by hand {hand:6.2f} s"
                f"   tiers alone {tiers:6.2f} s ({tiers / hand:.2f} ×)"
                f"   everything {everything:6.2f} s ({everything / hand:.2f} ×)",
                flush=True,
            )
    print("a second run with nothing changed wrote", "nothing" if unwritten else "ROWS")
    print(f"most memory of this process: {peak_megabytes():.0f} MB")
    for what, goal in GOAL.items():
        kept = "kept" if worst[what] <= goal else "MISSED"
        print(f"goal for {what}: at most {goal} × the statement: {kept} ({worst[what]:.2f})")
    return 0 if unwritten and all(worst[what] <= goal for what, goal in GOAL.items()) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    size = parser.parse_args()
    with measuring_server() as server, database(server, NAME) as address:
        os.environ["DATABASE_URL"] = address
        django.setup()
        return measure(size.customers, size.orders, size.rounds)


if __name__ == "__main__":
    sys.exit(main())
