"""Random histories of a company, run after run, against a plain recount (P8–P12).

Orders come late, change, are cancelled, returned, moved; files are merged; people set tiers; the
policy changes its measure, groups and patience. What every run stores and keeps is recounted, what
earlier runs kept stays, and the tier of every past day is the one that stood then.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.roles import Role
from customers.merging import merge
from customers.models import Customer, Profile
from orders.models import Order, OrderLine, OrderStatus, Product
from tests.factories import local, make_user
from tests.tiers.recount_runs import (
    Diary,
    Firm,
    Found,
    Paper,
    Rules,
    Turn,
    Ware,
    Word,
    judge,
    shortly,
    step,
    turn,
)
from tiers import actions, history, tiering
from tiers.models import (
    Assessment,
    ClassChange,
    Rating,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)

NAMES = ["a", "A", "b", "10", "9", "é", "中", "Ω", "-", "~"]
KINDS = ["dealer", "distributor", "outlet"]
DIVISIONS = ["", "330602", "330683", "331002", "320102"]
WARES = ["tea", "oil", "rice", "salt"]
KEYS = (
    *("volume", "frequency", "margin", "concentration", "loyalty"),
    *("service_level", "price_sensitivity", "partnership"),
)
PROMISES = ("urgency", "quality", "wallet_open")
RATED = ("service_level", "price_sensitivity", "partnership", "urgency", "quality")
BEGIN = date(2025, 3, 31)


class World:
    """A company in the database, and the same company on paper."""

    def __init__(self, dice: Random, admin: User) -> None:
        self.dice, self.admin, self.day = dice, admin, BEGIN
        self.wares = {
            sku: Ware(
                self.money("0.01", "40.00") if dice.random() < 0.7 else None,
                BEGIN - timedelta(days=dice.randrange(-60, 90)) if dice.random() < 0.7 else None,
            )
            for sku in WARES
        }
        self.products = {
            sku: Product.objects.create(
                external_id=sku, name=sku, unit_cost=ware.cost, launched_on=ware.launched
            )
            for sku, ware in self.wares.items()
        }
        self.firms: dict[str, Firm] = {}
        self.rows: dict[str, int] = {}
        self.papers: dict[int, Paper] = {}
        self.diaries: dict[str, Diary] = {}
        self.words: dict[str, Word] = {}
        self.stood: dict[date, dict[str, str | None]] = {}
        self.kept: dict[int, list[dict[str, Any]]] = {}
        self.ends: dict[int, dict[str, Any]] = {}
        self.classes: dict[date, dict[str, str | None]] = {}
        self.turned: dict[int, list[dict[str, Any]]] = {}
        self.rules, self.policy = self.new_rules(0)
        for name in dice.sample(NAMES, dice.randrange(3, len(NAMES))):
            self.found_firm(name)

    def money(self, least: str, most: str) -> Decimal:
        low, high = (int(Decimal(text) * 100) for text in (least, most))
        return Decimal(self.dice.randrange(low, high + 1)) / 100

    def at(self, day: date) -> datetime:
        clock = self.dice.choice([(0, 0, 0), (7, 59, 59), (8, 0, 0), (23, 59, 59)])
        return local(day.year, day.month, day.day, *clock)

    def new_rules(self, number: int) -> tuple[Rules, TierPolicy]:
        dice = self.dice
        a, b = dice.choice([("0.8000", "0.9500"), ("0.5000", "0.7500"), ("0.3333", "1.0000")])
        rules = Rules(
            months=dice.choice([1, 3, 12]),
            a=a,
            b=b,
            margin=dice.random() < 0.4,
            within=dice.choice(["company", "kind", "province", "prefecture"]),
            waits=dice.choice([1, 1, 2, 3]),
            loyal_months=dice.choice([None, 1, 2, 3]),
            wallet=dice.choice(["0.0000", "0.3000", "1.0000"]),
            early=dice.choice([1, 2]),
            days=dice.choice([0, 10, 30]),
            switcher=dice.choice([1, 2]),
            keys={name: dice.choice([0, 10, 25, 33]) for name in KEYS},
            promises={name: dice.choice([0, 20, 50]) for name in PROMISES},
            key_from=dice.choice([30, 50, 70]),
        )
        policy = TierPolicy.objects.create(
            name="random",
            revision=number + 1,
            effective_from=BEGIN,
            window_months=rules.months,
            a_share=rules.a,
            b_share=rules.b,
            measure="margin" if rules.margin else "amount",
            ranked_within=rules.within,
            downgrade_runs=rules.waits,
            loyal_months=rules.loyal_months,
            loyal_wallet_share=rules.wallet,
            early_launches=rules.early,
            launch_days=rules.days,
            switcher_months=rules.switcher,
            key_weights=dict(rules.keys),
            potential_weights=dict(rules.promises),
            key_from=rules.key_from,
        )
        return rules, policy

    # --- what happens between two runs

    def found_firm(self, name: str) -> None:
        dice = self.dice
        firm = Firm(
            kind=dice.choice(KINDS),
            division=dice.choice(DIVISIONS),
            buys_a_year=self.money("0.00", "3000.00") if dice.random() < 0.6 else None,
            rated=tuple(dice.choice([None, 0, 3, 10]) for _each in RATED)
            if dice.random() < 0.5
            else (None,) * len(RATED),
        )
        row = Customer.objects.create(
            external_id=name, name=name, kind=firm.kind, division=firm.division
        )
        Customer.objects.filter(pk=row.pk).update(created_at=local(2025, 1, 1))
        if self.day > BEGIN:
            Customer.objects.filter(pk=row.pk).update(created_at=self.now - timedelta(hours=1))
        if firm.buys_a_year is not None:
            Profile.objects.create(customer=row, yearly_purchase=firm.buys_a_year)
        if any(value is not None for value in firm.rated):
            Rating.objects.create(
                customer=row, by=self.admin, rated_at=self.now,
                **dict(zip(RATED, firm.rated, strict=True)),
            )  # fmt: skip
        self.firms[name], self.rows[name], self.diaries[name] = firm, row.pk, Diary()

    @property
    def now(self) -> datetime:
        """The night after the day, when its run is made."""
        after = self.day + timedelta(days=1)
        return local(after.year, after.month, after.day, 2, 10)

    def order(self) -> None:
        """A new order, of any day: it may well come in late."""
        name = self.dice.choice(sorted(self.firms))
        day = self.day - timedelta(days=self.dice.choice([0, 0, 1, 5, 29, 31, 89, 92, 364, 366]))
        lines, amount = [], self.money("0.01", "900.00")
        if self.dice.random() < 0.75:
            for _line in range(self.dice.randrange(1, 4)):
                quantity = Decimal(self.dice.choice(["1", "2.5", "0.333", "7"]))
                lines.append((self.dice.choice(WARES), quantity, self.money("0.01", "60.00")))
            amount = sum(
                (
                    (quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
                    for _ware, quantity, price in lines
                ),
                Decimal(0),
            )
        status = self.dice.choice(["completed", "completed", "shipped", "confirmed", "draft"])
        paper = Paper(name, self.at(day), status, amount, lines)
        row = Order.objects.create(
            customer_id=self.rows[name], ordered_at=paper.at, status=status, amount=amount
        )
        for number, (ware, quantity, price) in enumerate(lines, start=1):
            OrderLine.objects.create(
                order=row, line_no=number, product=self.products[ware], quantity=quantity,
                unit_price=price,
            )  # fmt: skip
        self.papers[row.pk] = paper

    def change(self) -> None:
        """An order that is known gets another amount, status, day or customer."""
        if not self.papers:
            return
        pk = self.dice.choice(sorted(self.papers))
        paper, how = self.papers[pk], self.dice.randrange(4)
        if how == 0 and not paper.lines:
            paper.amount = self.money("0.01", "900.00")
        elif how == 1:
            paper.status = self.dice.choice(list(OrderStatus.values))
        elif how == 2:
            paper.at = self.at(self.day - timedelta(days=self.dice.randrange(400)))
        else:
            paper.firm = self.dice.choice(sorted(self.firms))
        Order.objects.filter(pk=pk).update(
            customer_id=self.rows[paper.firm], ordered_at=paper.at, status=paper.status,
            amount=paper.amount,
        )  # fmt: skip

    def say(self) -> None:
        """Somebody sets a tier, or ends what was set."""
        name = self.dice.choice(sorted(self.firms))
        word = self.words.get(name)
        if word is not None and not word.ended:
            word.ended = True
            [row] = TierOverride.objects.open().filter(customer=self.rows[name])
            row.end(by=self.admin, now=self.now)
            return
        today = self.now.date()
        first = today + timedelta(days=self.dice.choice([0, 0, 3]))
        word = Word(
            self.dice.choice("ABC"), first, first + timedelta(days=self.dice.choice([0, 5, 40]))
        )
        TierOverride.objects.create(
            customer_id=self.rows[name], tier=word.tier, reason="because", by=self.admin,
            first_on=word.first, until=word.until,
        )  # fmt: skip
        self.words[name] = word

    def merge(self) -> None:
        """Two files become one; what hangs on the one that goes goes over."""
        if len(self.firms) < 3:
            return
        gone, into = self.dice.sample(sorted(self.firms), 2)
        merge(gone_id=self.rows[gone], into_id=self.rows[into], by=self.admin, now=self.now)
        lost, firm = self.firms.pop(gone), self.firms[into]
        firm.division = firm.division or lost.division
        if firm.buys_a_year is None:
            firm.buys_a_year = lost.buys_a_year
        if not any(value is not None for value in firm.rated):
            firm.rated = lost.rated
        word = self.words.pop(gone, None)
        own = self.words.get(into)
        if word is not None and not word.ended and (own is None or own.ended):
            self.words[into] = word
        for paper in self.papers.values():
            if paper.firm == gone:
                paper.firm = into
        del self.diaries[gone], self.rows[gone]
        for names in (*self.stood.values(), *self.classes.values()):
            names.pop(gone, None)

    # --- runs

    def run(self, *, dry: bool = False) -> None:
        today = self.now.date()
        found, without = judge(
            self.firms, list(self.papers.values()), self.wares, self.rules, self.day
        )
        tables = (Customer, Assessment, TierOverride)
        before = [list(table._default_manager.order_by("pk").values()) for table in tables]
        job, _new = actions.open_run(
            as_of=self.day, policy=self.policy, dry_run=dry, user=None, now=self.now
        )
        job = tiering.run(job.pk, now=self.now)
        diaries = self.diaries
        if dry:
            assert [list(t._default_manager.order_by("pk").values()) for t in tables] == before
            diaries = {name: Diary(**vars(diary)) for name, diary in self.diaries.items()}
        moves = {
            name: step(
                diaries[name], found[name].tier, self.words.get(name), self.rules, self.day, today
            )
            for name in self.firms
        }
        self.check_changes(job, {n: move for n, move in moves.items() if move}, found)
        self.check_run(job, diaries, found, without)
        if dry:
            assert not job.class_changes.exists()
            return
        turns = {name: turn(self.diaries[name], found[name], self.rules) for name in self.firms}
        self.check_classes(job, {name: told for name, told in turns.items() if told}, found)
        for word in self.words.values():
            word.ended = word.ended or word.until < today
        self.check_stored(found)
        self.kept[job.pk] = [dict(row) for row in job.changes.order_by("pk").values()]
        self.ends[job.pk] = dict(TierRun.objects.filter(pk=job.pk).values().get())
        self.turned[job.pk] = [dict(row) for row in job.class_changes.order_by("pk").values()]
        self.stood[today] = {name: diary.stored for name, diary in self.diaries.items()}
        self.classes[today] = {name: diary.loyalty for name, diary in self.diaries.items()}

    def check_classes(self, job: TierRun, turns: dict[str, Turn], found: dict[str, Found]) -> None:
        names = {pk: name for name, pk in self.rows.items()}
        kept = {names[change.customer_id]: change for change in job.class_changes.all()}
        assert {
            name: Turn(
                (c.from_loyalty, c.to_loyalty), (c.score_before, c.score), (c.line_before, c.line)
            )
            for name, c in kept.items()
        } == turns
        classed = self.rules.loyal_months is not None
        for name, change in kept.items():
            one = found[name]
            scored = any(self.rules.keys.values())
            assert change.months_bought == (len(one.months) if classed or scored else 0)
            assert change.early_launches == (len(one.early) if classed else 0)
            assert change.changed_at == job.finished_at
            assert change.recorded_for == change.customer_id
            if classed:
                wallet = None if one.wallet is None else Decimal(one.wallet) / 10_000
                assert change.wallet_share == wallet

    def check_changes(self, job: TierRun, moves: dict[str, Any], found: dict[str, Found]) -> None:
        names = {pk: name for name, pk in self.rows.items()}
        kept = {names[change.customer_id]: change for change in job.changes.all()}
        assert {
            name: (c.from_tier, c.to_tier, c.cause, c.after_runs) for name, c in kept.items()
        } == {name: (m.start, m.end, m.cause, m.after) for name, m in moves.items()}
        assert job.moved == len(moves)
        for name, change in kept.items():
            one = found[name]
            assert (change.rank, change.ranked, change.ranked_in) == (
                one.rank, one.ranked, one.group
            )  # fmt: skip
            assert Fraction(change.measured or 0) == one.value
            assert Fraction(change.net_amount) == one.net
            assert change.share_before == cut(one.before)
            assert change.share == cut(one.share)
            assert change.recorded_for == change.customer_id

    def check_run(
        self, job: TierRun, diaries: dict[str, Diary], found: dict[str, Found], without: int
    ) -> None:
        assert job.counts == shortly(Counter(diary.stored for diary in diaries.values()))
        assert Fraction(job.ranked_amount or 0) == sum(
            (max(one.value, Fraction(0)) for one in found.values()), Fraction(0)
        )
        loyal = Counter(one.loyalty for one in found.values())
        assert job.loyalty_counts == {c: loyal[c] for c in ("loyal", "switcher", "none")}
        assert job.held == sum(diary.waited > 0 for diary in diaries.values())
        assert job.overridden == sum(diary.by_hand for diary in diaries.values())
        line = self.rules.key_from
        assert job.proposed == sum((one.score or 0) >= line for one in found.values())
        if self.rules.margin:
            assert job.without_margin == without

    def check_stored(self, found: dict[str, Found]) -> None:
        stored = {row.external_id: row for row in Customer.objects.all()}
        assert set(stored) == set(self.firms)
        findings = {row.customer_id: row for row in Assessment.objects.all()}
        costs = any(ware.cost is not None for ware in self.wares.values())
        weighed = self.rules.keys["margin"] > 0 and costs
        margins = self.rules.margin or weighed
        keys = any(self.rules.keys.values())
        wallets = keys or any(self.rules.promises.values()) or self.rules.loyal_months is not None
        months = keys or self.rules.loyal_months is not None
        for name, one in found.items():
            row, diary = stored[name], self.diaries[name]
            assert (row.abc, row.loyalty) == (diary.stored, one.loyalty)
            assert (Fraction(row.net_amount or 0), row.order_count) == (one.net, one.orders)
            assert row.last_ordered_on == one.last
            note = findings.get(row.pk) or Assessment(customer=row)
            assert (note.computed_tier or row.abc) == (diary.computed or row.abc)
            assert (note.held_runs, note.held_tier, note.held_since, note.held_on) == (
                diary.waited, diary.wait_tier, diary.since, diary.counted
            )  # fmt: skip
            assert (note.override is not None) == diary.by_hand
            assert note.months_bought == (len(one.months) if months else 0)
            assert note.early_launches == (
                len(one.early) if self.rules.loyal_months is not None else 0
            )
            assert note.wallet_share == (
                Decimal(one.wallet) / 10_000 if wallets and one.wallet is not None else None
            )
            if margins:
                assert (None if note.margin is None else Fraction(note.margin)) == one.margin
            assert note.key_score == one.score
            assert note.potential == one.potential

    # --- afterwards

    def check_the_past(self) -> None:
        """What runs kept is as it was, and each day's tiers can be asked for."""
        merged = set(Customer.objects.values_list("pk", flat=True))
        for pk, before in self.kept.items():
            now = {row["id"]: row for row in TierChange.objects.filter(run=pk).values()}
            for row in before:
                if row["customer_id"] in merged:
                    assert now[row["id"]] == row
            assert TierRun.objects.filter(pk=pk).values().get() == self.ends[pk]
            turned = {row["id"]: row for row in ClassChange.objects.filter(run=pk).values()}
            for row in self.turned[pk]:
                if row["customer_id"] in merged:
                    assert turned[row["id"]] == row
        for day, names in self.classes.items():
            classed: Any = history.class_on(day, Customer.objects.all())
            assert dict(classed.values_list("external_id", "loyalty_then")) == names
        for day, names in self.stood.items():
            past: Any = history.tier_on(day, Customer.objects.all())
            stood = dict(past.values_list("external_id", "tier"))
            assert stood == names


def cut(share: Fraction | None) -> Decimal | None:
    if share is None:
        return None
    return Decimal(share.numerator * 10**6 // share.denominator) / 10**6


@pytest.mark.django_db
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_p8_to_p12_any_history_is_judged_as_counted_by_hand(db: None, seed: int) -> None:
    clear()
    world = World(Random(seed), make_user(role=Role.ADMINISTRATOR))
    for _order in range(world.dice.randrange(5, 25)):
        world.order()
    for number in range(world.dice.randrange(2, 6)):
        world.run(dry=True)
        world.run()
        if world.dice.random() < 0.3:
            world.run()  # the same day once more
        world.day += timedelta(days=world.dice.choice([1, 1, 6, 30, 31]))
        for _thing in range(world.dice.randrange(8)):
            world.dice.choice([world.order, world.change, world.change, world.say])()
        unused = sorted(set(NAMES) - set(world.firms) - set(world.rows))
        if world.dice.random() < 0.2:
            world.merge()
        elif unused and world.dice.random() < 0.2 and not gone_names() & {unused[0]}:
            world.found_firm(unused[0])
        if world.dice.random() < 0.25:
            world.rules, world.policy = world.new_rules(number + 1)
    world.run()
    world.check_the_past()


def gone_names() -> set[str]:
    """Numbers of files that were merged into others: they stay theirs."""
    from customers.models import Alias

    return set(Alias.objects.values_list("external_id", flat=True))


def clear() -> None:
    from customers.models import Alias, Merge

    for model in (
        *(
            TierChange,
            ClassChange,
            Assessment,
            TierOverride,
            Rating,
            TierRun,
            OrderLine,
            Order,
            Product,
        ),
        *(Profile, Alias, Merge, Customer),
    ):
        model._base_manager.all().delete()
    TierPolicy.objects.all().delete()
