"""Pairs of files to be merged: plain ones, and ones with rows in every app."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from accounts.models import User
from customers.cards import refresh
from customers.merging import merge
from customers.models import (
    Assignment,
    Contact,
    Customer,
    DuplicatePair,
    FileRead,
    Interaction,
    PairState,
    Profile,
    Promise,
    Supplier,
)
from orders.models import Balance
from orders.stock.positions import refresh as restock
from tests.factories import (
    local,
    make_adjustment,
    make_credit,
    make_customer,
    make_exception,
    make_information,
    make_order,
    make_payment,
    make_product,
    make_review,
    make_sell_out,
    make_sending,
    make_stock_report,
    make_suggestion,
    make_visit,
)
from tiers.models import (
    Assessment,
    ClassChange,
    KeyAccount,
    Outlook,
    Rating,
    RunState,
    Staying,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)
from visits.models import MarketInformation, Outcome, Reminder

NOW = local(2026, 6, 16, 12)


def pair_of(rep: User, **gone: Any) -> tuple[Customer, Customer]:
    into = make_customer(owner=rep, name="Survivor", external_id="S-1", tags=["a"])
    return make_customer(owner=rep, **{"name": "Gone", "external_id": "G-1", **gone}), into


def merged(gone: Customer, into: Customer, by: User, **takes: str) -> Customer:
    merge(gone_id=gone.pk, into_id=into.pk, by=by, now=NOW, takes=takes)
    into.refresh_from_db()
    return into


def file_of_everything(
    customer: Customer, rng: Random, *, rep: User, runs: list[TierRun], others: list[Customer]
) -> None:
    """Rows in every app, some of which clash with those of another file of the same run."""
    _orders_and_visits(customer, rng, rep)
    _money(customer, rng, rep)
    _stock(customer, rng)
    _tier_changes(customer, rng, runs)
    _tier_words(customer, rng, rep)
    _tier_findings(customer, rng)
    _dealings(customer, rng, rep)
    _information(customer, rng, rep)
    _what_is_known(customer, rng, rep)
    _likenesses(customer, rng, others)
    _asked_for(customer, rng, rep)


def _asked_for(customer: Customer, rng: Random, rep: User) -> None:
    """Gaps that somebody is asked to fill, some of them in both files."""
    for wanted in ("email", "tax_id"):
        if rng.random() < 0.6:
            asked, _made = Assignment.objects.get_or_create(
                owner=rep,
                wanted=wanted,
                defaults={"due_on": date(2026, 7, 1), "total": 2, "by": rep, "made_at": NOW},
            )
            asked.files.create(customer=customer)


def _orders_and_visits(customer: Customer, rng: Random, rep: User) -> None:
    product = make_product()
    for _n in range(rng.randrange(4)):
        make_order(customer, lines=[(product, "2", "5.00")])
    for n in range(rng.randrange(3)):
        make_visit(customer, rep, scheduled_for=NOW + timedelta(days=n))
    for occasion in ("mid_autumn", "dragon_boat", "national_day"):
        if rng.random() < 0.6:
            Reminder.objects.create(
                occasion=occasion,
                on=date(2026, 9, 25),
                customer=customer,
                user=rep,
                done_at=rng.choice([None, NOW]),
            )


def _information(customer: Customer, rng: Random, rep: User) -> None:
    """Market information, some of which both files received, and suggestions."""
    for title in ("Rapeseed", "Festival", "Sugar"):
        if rng.random() < 0.6:
            known = MarketInformation.objects.filter(title=title).first()
            outcome = rng.choice(Outcome.values)
            make_sending(
                customer,
                rep,
                known or make_information(rep, title=title),
                outcome=outcome,
                outcome_words=rng.choice(["", "Ordered more"]) if outcome != "waiting" else "",
                outcome_on=None if outcome == "waiting" else date(2026, 6, 12),
                contact=customer.contacts.first(),
            )
    for _n in range(rng.randrange(3)):
        make_suggestion(customer, rep, visit=customer.visits.first())


def _money(customer: Customer, rng: Random, rep: User) -> None:
    """Payments, a credit that both files may have, and what was worked out of them."""
    for _n in range(rng.randrange(3)):
        make_payment(customer, order=customer.orders.first())
    if rng.random() < 0.6:
        make_credit(customer, limit=100)
    if rng.random() < 0.5:
        make_exception(customer)
    if rng.random() < 0.5:
        make_review(customer)
        make_review(customer, state="declined", decided_by=rep)
    if rng.random() < 0.7:
        Balance.objects.create(
            customer=customer,
            as_of=date(2026, 6, 15),
            **dict.fromkeys(
                (
                    *("ordered", "delivered", "not_due", "overdue_30", "overdue_60", "overdue_90"),
                    *("overdue_over_90", "overdue", "on_account", "exposure"),
                ),
                1,
            ),
        )


def _stock(customer: Customer, rng: Random) -> None:
    """Counts, sales of the dealer, and goods that went otherwise."""
    product = make_product()
    for _n in range(rng.randrange(3)):
        make_stock_report(customer, {product: 5})
        make_sell_out(customer, product)
        make_adjustment(customer, product)
    restock([customer.pk], today=date(2026, 6, 15))


def _tier_changes(customer: Customer, rng: Random, runs: list[TierRun]) -> None:
    for run in runs:
        if rng.random() < 0.6:
            TierChange.objects.create(
                run=run,
                customer=customer,
                recorded_for=customer.pk,
                changed_at=NOW,
                to_tier="A",
                net_amount=10,
                rank=1,
                ranked=2,
            )

    for run in runs:
        if rng.random() < 0.6:
            ClassChange.objects.create(
                run=run,
                customer=customer,
                recorded_for=customer.pk,
                changed_at=NOW,
                to_loyalty="loyal",
                months_bought=9,
                wallet_share="0.4321",
                early_launches=1,
                sightings=rng.choice([None, 2]),
                score=71,
                line=70,
            )


def _tier_words(customer: Customer, rng: Random, rep: User) -> None:
    """What people said of the tier: open words of both files cannot stand beside each other."""
    for n in range(rng.randrange(3)):
        TierOverride.objects.create(
            customer=customer,
            tier="B",
            reason="Word",
            by=rep,
            first_on=date(2026, 6, 1),
            until=date(2026, 7, 1),
            ended_at=NOW - timedelta(days=1) if n else None,
        )
    if rng.random() < 0.6:
        KeyAccount.objects.create(customer=customer, reason="Word", by=rep, confirmed_at=NOW)
        Customer.objects.filter(pk=customer.pk).update(key_account=True)
        customer.refresh_from_db()
    if rng.random() < 0.6:
        Rating.objects.create(customer=customer, partnership=7, by=rep, rated_at=NOW)
    if rng.random() < 0.6:
        Staying.objects.create(customer=customer, reason="Word", until=date(2026, 9, 1), by=rep)


def _tier_findings(customer: Customer, rng: Random) -> None:
    """What runs found of it."""
    if rng.random() < 0.6:
        Assessment.objects.create(
            customer=customer,
            as_of=date(2026, 6, 15),
            computed_tier="C",
            override=customer.tier_overrides.open().first(),
            wallet_share="0.3333",
            margin="12.34",
        )
    if rng.random() < 0.6:
        Outlook.objects.create(
            customer=customer,
            as_of=date(2026, 6, 15),
            method="rhythm",
            alive="0.900",
            pace=1,
            expected=1,
            per_purchase=10,
            value_at_risk=1,
            last_on=date(2026, 6, 1),
            usual_days=30,
            intervals=1,
            shorter=0,
        )


def _dealings(customer: Customer, rng: Random, rep: User) -> None:
    for n in range(rng.randrange(3)):
        person = Contact.objects.create(customer=customer, name=f"Contact {n}")
        Interaction.objects.create(
            customer=customer, contact=person, channel="call", at=NOW, by=rep, words="Hello"
        )
    if rng.random() < 0.7:
        Promise.objects.create(
            customer=customer,
            content="Samples",
            owner=rep,
            due_on=date(2026, 7, 1),
            made_at=NOW,
            made_by=rep,
        )


def _what_is_known(customer: Customer, rng: Random, rep: User) -> None:
    if rng.random() < 0.7:
        Supplier.objects.create(customer=customer, name="Another firm", satisfaction=5)
    if rng.random() < 0.7:
        Profile.objects.create(
            customer=customer,
            capital=rng.choice([None, 500_000]),
            staff_count=rng.choice([None, 12]),
            purchase_months=rng.choice([[], [1, 9], [9, 10]]),
        )
    for day in range(3):
        if rng.random() < 0.6:
            FileRead.objects.create(
                customer=customer,
                reader=rep,
                on=date(2026, 6, day + 1),
                first_at=NOW - timedelta(hours=rng.randrange(9)),
                last_at=NOW,
                times=rng.randrange(1, 5),
            )


def _likenesses(customer: Customer, rng: Random, others: list[Customer]) -> None:
    for other in others:
        if rng.random() < 0.6:
            first, second = sorted((customer.pk, other.pk))
            DuplicatePair.objects.get_or_create(
                first_id=first,
                second_id=second,
                defaults={
                    "score": 70,
                    "state": rng.choice(PairState.values),
                    "found_at": NOW,
                },
            )


def random_pair(rng: Random, rep: User) -> tuple[Customer, Customer]:
    """Two files with rows in every app, tied to each other and to others at random."""
    policy = TierPolicy.objects.order_by("pk").first()
    assert policy is not None
    runs = [
        TierRun.objects.create(
            policy=policy, as_of=date(2026, 6, n + 1), state=RunState.DONE, created_at=NOW
        )
        for n in range(3)
    ]
    others = [make_customer(owner=rep) for _n in range(3)]
    pair = []
    for n in range(2):
        above = rng.choice([None, *others])
        customer = make_customer(
            owner=rep,
            name=f"绍兴越州副食品{n}",
            external_id=rng.choice([None, f"X-{n}"]),
            parent=above,
            phone=rng.choice(["", "+8613800000000"]),
            address=rng.choice(["", "解放北路1号"]),
            tags=rng.choice([[], ["a", "b"], ["b", "c"]]),
            custom=rng.choice([{}, {"a": 1}, {"a": 2, "b": [1]}]),
            founded_on=rng.choice([None, date(2001, 2, 3)]),
            latitude=rng.choice([None, "30.000001"]),
            last_visited_on=rng.choice([None, date(2026, 5, 1 + n)]),
        )
        file_of_everything(customer, rng, rep=rep, runs=runs, others=others)
        pair.append(customer)
    for other in others:
        if other.pk not in {pair[0].parent_id, pair[1].parent_id} and rng.random() < 0.5:
            Customer.objects.filter(pk=other.pk).update(
                parent=rng.choice(pair), group_head=rng.choice(pair)
            )
    a, b = pair
    if rng.random() < 0.3:
        Customer.objects.filter(pk=b.pk).update(parent=a)
    elif rng.random() < 0.3:
        Customer.objects.filter(pk=a.pk).update(parent=b)
    refresh([a.pk, b.pk])
    rng.shuffle(pair)
    return pair[0], pair[1]
