"""P39: what a credit review proposes, as a table; and that its paid parts are the ledger's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.ledger import Bill, Money, settle
from orders.paying import Paid, parts_paid
from orders.reviewing import Habits, Limits, habits_of, propose

AS_OF = date(2026, 6, 16)
USUAL = Limits(
    spread_days=25,
    factors={"A": 120, "B": 100, "C": 80},
    slow_days=5,
    late_days=20,
    overdue_share=20,
    stop_days=90,
    most_releases=3,
    cap=30,
    band=10,
    step=1000,
)
#: Buys 365,000 a year, so 1,000 a day; terms of 30 days: 55 days are 55,000 at tier B.
GOOD = Habits(
    net=Decimal(365_000),
    pay_days=Decimal(30),
    delivered=Decimal(30_000),
    overdue=Decimal(0),
    oldest_days=0,
)


def decide(habits: Habits = GOOD, current: int | None = 50_000, tier: str = "B"):
    limit = None if current is None else Decimal(current)
    found = propose(USUAL, habits, current=limit, terms_days=30, tier=tier)
    return found and (str(found.kind), int(found.proposed), found.facts["reasons"])


@pytest.mark.parametrize(
    ("habits", "current", "tier", "wanted"),
    [
        # near enough: 55,000 needed, 50,000 is within 10 %
        ({}, 50_000, "B", None),
        ({}, 44_000, "B", ("raise", 55_000, ["need"])),
        ({}, 20_000, "B", ("raise", 26_000, ["need", "cap"])),
        ({}, 50_000, "A", ("raise", 65_000, ["need", "cap"])),
        ({}, 60_000, "A", None),
        ({}, 59_000, "A", ("raise", 66_000, ["need"])),
        ({}, 100_000, "B", ("lower", 70_000, ["need", "cap"])),
        ({}, 60_000, "C", ("lower", 44_000, ["need"])),
        ({}, None, "B", ("set", 55_000, ["need"])),
        ({"net": Decimal(20_000)}, 1_500, "B", ("raise", 2_000, ["need", "cap"])),
        ({"net": Decimal(0)}, 1_000, "B", ("lower", 0, ["need"])),
        ({}, 0, "B", ("raise", 16_000, ["need", "cap"])),
        # buys little: 405 needed is less than half a step, and still not nothing
        ({"net": Decimal(2_688)}, 1_000, "B", None),
        ({"net": Decimal(2_688)}, 500, "B", None),
        ({"net": Decimal(2_688)}, 0, "B", ("raise", 1_000, ["need"])),
        ({"net": Decimal(2_688)}, None, "B", ("set", 1_000, ["need"])),
        # pays slowly, or was let go too often: not raised, still lowered
        ({"pay_days": Decimal(36)}, 20_000, "B", None),
        ({"pay_days": Decimal(35)}, 20_000, "B", ("raise", 26_000, ["need", "cap"])),
        ({"releases": 4}, 20_000, "B", None),
        ({"releases": 3}, 20_000, "B", ("raise", 26_000, ["need", "cap"])),
        ({"releases": 4}, 100_000, "B", ("lower", 70_000, ["released", "need", "cap"])),
        # pays late, or is overdue with too much: lowered by the whole cap
        ({"pay_days": Decimal(51)}, 50_000, "B", ("lower", 35_000, ["late"])),
        ({"pay_days": Decimal(50)}, 50_000, "B", None),
        (
            {"overdue": Decimal(6001), "oldest_days": 40},
            50_000,
            "B",
            ("lower", 35_000, ["overdue"]),
        ),
        ({"overdue": Decimal(6000), "oldest_days": 40}, 50_000, "B", None),
        ({"pay_days": Decimal(51)}, None, "B", None),
        # for very long: stopped, whatever the cap
        (
            {"overdue": Decimal(6001), "oldest_days": 91},
            50_000,
            "B",
            ("stop", 0, ["overdue", "stop"]),
        ),
        ({"overdue": Decimal(6001), "oldest_days": 91}, 0, "B", None),
        (
            {"overdue": Decimal(6001), "oldest_days": 91},
            None,
            "B",
            ("stop", 0, ["overdue", "stop"]),
        ),
        # a little left over for very long is no reason to stop
        ({"overdue": Decimal(5), "oldest_days": 400}, 50_000, "B", None),
        # buys nothing any more
        ({"net": Decimal(0)}, 50_000, "B", ("lower", 35_000, ["need", "cap"])),
        ({"net": Decimal(-9)}, None, "B", None),
        # nobody keeps payments: need and tier alone
        ({"pay_days": None}, 20_000, "B", ("raise", 26_000, ["need", "cap"])),
    ],
)
def test_p39_what_is_proposed(habits, current, tier, wanted):
    assert decide(replace(GOOD, **habits), current, tier) == wanted


def cents(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.integers(least * 100, most * 100).map(lambda n: Decimal(n) / 100)


money = cents(0, 10**6)


@given(
    net=cents(-(10**6), 10**7),
    pay=st.none() | cents(0, 200),
    delivered=money,
    share=cents(0, 1),
    oldest=st.integers(0, 400),
    releases=st.integers(0, 9),
    current=st.none() | money,
    tier=st.sampled_from("ABC"),
    terms=st.integers(0, 120),
)
def test_p39_every_proposal_keeps_its_promises(
    net, pay, delivered, share, oldest, releases, current, tier, terms
):
    overdue = (delivered * share).quantize(Decimal("0.01"))
    habits = Habits(net, pay, delivered, overdue, oldest if overdue else 0, releases)
    found = propose(USUAL, habits, current=current, terms_days=terms, tier=tier)
    if found is None:
        return
    assert found.proposed >= 0
    assert found.proposed % USUAL.step == 0
    assert found.proposed != current
    late = pay is not None and pay - terms > USUAL.late_days
    if late or overdue * 100 > delivered * USUAL.overdue_share:
        assert found.kind in ("lower", "stop")
    if found.kind == "raise":
        most = max((current or Decimal(10**9)) * USUAL.cap / 100, Decimal(USUAL.step))
        assert found.proposed - current <= most
        assert pay is None or pay - terms <= USUAL.slow_days
        assert releases <= USUAL.most_releases
    if found.kind == "lower":
        most = max(current * USUAL.cap / 100, Decimal(USUAL.step))
        assert current - found.proposed <= most
        assert found.proposed < current
    if found.kind == "stop":
        assert oldest > USUAL.stop_days


bill_days = st.integers(0, 60)


@st.composite
def accounts(draw):
    bills = {}
    for pk in range(1, draw(st.integers(1, 5)) + 1):
        on = AS_OF - timedelta(days=draw(bill_days))
        status = draw(st.sampled_from(["shipped", "completed", "confirmed", "returned"]))
        amount = Decimal(draw(st.integers(0, 40)))
        at = datetime(on.year, on.month, on.day, 9)
        bills[pk] = (Bill(pk, f"SO-{pk}", at, status, amount), on)
    paid = [
        Paid(
            AS_OF - timedelta(days=draw(bill_days)),
            Decimal(draw(st.integers(-25, 40))),
            draw(st.none() | st.integers(1, 6)),
        )
        for _n in range(draw(st.integers(0, 6)))
    ]
    return bills, paid


@given(accounts())
def test_p39_the_paid_parts_add_up_to_the_ledger(account):
    bills, paid = account
    parts = parts_paid(bills, paid)
    ledger = settle([b for b, _on in bills.values()], [Money(p.amount, p.order_id) for p in paid])
    sums = {pk: sum((amount for _on, amount in found), Decimal(0)) for pk, found in parts.items()}
    assert sums == ledger.paid
    assert all(amount > 0 for found in parts.values() for _on, amount in found)
    given_days = {p.on for p in paid} | {on for _b, on in bills.values()}
    assert {on for found in parts.values() for on, _amount in found} <= given_days


def bill(pk: int, day: date, amount: int, status: str = "completed") -> tuple[Bill, date]:
    at = datetime(day.year, day.month, day.day, 9)
    return Bill(pk, f"SO-{pk}", at, status, Decimal(amount)), day


def test_p39_pay_days_are_weighted_by_money():
    first, second = date(2026, 4, 1), date(2026, 5, 1)
    bills = {1: bill(1, first, 100), 2: bill(2, second, 300)}
    paid = [
        Paid(date(2026, 4, 11), Decimal(40)),  # 10 days for 40
        Paid(date(2026, 5, 1), Decimal(60)),  # 30 days for 60
        Paid(date(2026, 5, 21), Decimal(200), 2),  # 20 days for 200
        Paid(date(2026, 5, 25), Decimal(50), 2),
        Paid(date(2026, 5, 26), Decimal(-50), 2),  # bounced: never paid
    ]
    parts = parts_paid(bills, paid)
    habits = habits_of(bills, parts, net=Decimal(400), terms_days=30, as_of=AS_OF, releases=0)
    # (40×10 + 60×30 + 200×20) ÷ 300 = 20.666…
    assert habits.pay_days == Decimal("20.7")
    # 100 of the second order are open, due on 31 May: 16 days ago
    assert (habits.delivered, habits.overdue, habits.oldest_days) == (
        Decimal(100),
        Decimal(100),
        16,
    )
    later = {1: bill(1, date(2025, 1, 1), 10)}
    old = parts_paid(later, [Paid(date(2025, 2, 1), Decimal(10))])
    found = habits_of(later, old, net=Decimal(0), terms_days=30, as_of=AS_OF, releases=0)
    assert found.pay_days is None


def test_p39_without_payments_kept_nothing_is_said_of_paying():
    bills = {1: bill(1, date(2025, 1, 1), 10)}
    habits = habits_of(
        bills, parts_paid(bills, []), net=Decimal(10), terms_days=30, as_of=AS_OF, releases=0,
        keeps_payments=False,
    )  # fmt: skip
    assert (habits.pay_days, habits.delivered, habits.oldest_days) == (None, Decimal(0), 0)
