"""The demo company: the same for the same seed and day, whole, and believable."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

import phonenumbers
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.db.models import Count, F, Sum
from django.test import Client
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import AuditEntry, Team, User
from accounts.roles import Role
from crm.demo import company, large
from crm.demo.people import LOGINS, PASSWORD, REPS
from crm.demo.places import PREFECTURES
from crm.demo.season import demand
from crm.lib.formats import local_day
from customers import gaps
from customers.addresses import find
from customers.divisions import is_known, path
from customers.models import (
    BuyingRole,
    Contact,
    Customer,
    DuplicatePair,
    Interaction,
    Kind,
    Profile,
    Promise,
    PromiseState,
    Renegotiation,
    Supplier,
)
from customers.phones import stored
from orders.minimum import below
from orders.models import (
    NETTED,
    CreditReview,
    MinimumException,
    Order,
    OrderLine,
    OrderStatus,
    Price,
    Product,
    SellOut,
    StockAdjustment,
    StockLine,
    StockPosition,
    StockReport,
    TradeTerms,
)
from tests.factories import local, make_team
from tiers.models import (
    Assessment,
    ChurnRun,
    KeyAccount,
    Outlook,
    Rating,
    Staying,
    TierChange,
    TierOverride,
    TierRun,
)
from tiers.tiering import window
from visits.answers import check_complete, cleaned
from visits.models import (
    Cadence,
    Competitor,
    MarketInformation,
    Outcome,
    Reminder,
    Sending,
    Sighting,
    Suggestion,
    Visit,
    VisitStatus,
    key_of,
)

#: The database is set up for this module too when nothing else runs; `demo` fills it.
pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 16)
NOW = local(2026, 6, 16, 12, 5)
#: Times of writing differ from load to load, and ids that the database hands out may.
VOLATILE = {"created_at", "updated_at"}
TABLES: tuple[tuple[type[models.Model], set[str]], ...] = (
    (Team, set()),
    (User, set()),
    (Product, set()),
    (Customer, set()),
    (Order, set()),
    (OrderLine, set()),
    (StockReport, set()),
    (StockLine, set()),
    (SellOut, set()),
    (StockAdjustment, set()),
    (StockPosition, {"id"}),
    (Profile, set()),
    (Supplier, set()),
    (Visit, set()),
    (Promise, set()),
    (Renegotiation, set()),
    (Interaction, set()),
    (Reminder, {"id"}),
    (TierChange, {"id", "run_id", "changed_at", "override_id"}),
    (Competitor, set()),
    (Sighting, set()),
    (MarketInformation, set()),
    (Sending, set()),
    (Suggestion, set()),
    (TierOverride, {"id", "ended_at"}),
    (KeyAccount, {"id"}),
    (Price, set()),
    (TradeTerms, {"id"}),
    (MinimumException, {"id"}),
    (CreditReview, {"id"}),
    (Rating, {"id"}),
)


def checksum() -> str:
    digest = hashlib.sha256()
    for model, own in TABLES:
        names = [f.attname for f in model._meta.concrete_fields if f.attname not in VOLATILE | own]
        # Rows without an id that stays have no order of their own.
        for row in sorted(map(repr, model._default_manager.order_by().values_list(*names))):
            digest.update(row.encode())
    return digest.hexdigest()


def load(size: str = "small", seed: int = 1) -> None:
    company.load(size=size, seed=seed, today=TODAY, now=NOW, say=lambda line: None)


class Loaded:
    """What the loads before the one that stays left to compare with."""

    same_seed: str = ""
    mini_large: dict[str, Any]


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Loaded]:
    """The small company, loaded once for this module and rolled back after it."""
    loaded = Loaded()
    with django_db_blocker.unblock():
        with transaction.atomic():
            load()
            loaded.same_seed = checksum()
            transaction.set_rollback(True)
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(large, "CUSTOMERS", 600)
            patch.setattr(large, "ORDERS", 6_000)
            patch.setattr(large, "REPS", 30)
            load("large")
            loaded.mini_large = facts_of_large()
            transaction.set_rollback(True)
        with transaction.atomic():
            load()
            yield loaded
            transaction.set_rollback(True)
        connection.close()


def facts_of_large() -> dict[str, Any]:
    first_with_lines = TODAY - timedelta(days=large.DAYS_WITH_LINES)
    return {
        "customers": Customer.objects.count(),
        "orders": Order.objects.count(),
        "reps": User.objects.filter(role=Role.REP).count(),
        "without lines": Order.objects.filter(
            ordered_at__gte=local(first_with_lines.year, first_with_lines.month, 18), lines=None
        ).count(),
        "wrong sums": wrong_sums(),
        "unknown divisions": [d for d in divisions() if d and not is_known(d)],
        "planned today": reps_with_plans(),
        "ranked": Customer.objects.exclude(abc=None).count(),
        "numbered": Order.objects.order_by("ordered_at", "id").first() is not None
        and list(Order.objects.order_by("id").values_list("ordered_at", flat=True))
        == sorted(Order.objects.values_list("ordered_at", flat=True)),
    }


def divisions() -> set[str]:
    return set(Customer.objects.values_list("division", flat=True))


def wrong_sums() -> int:
    """Orders with lines whose amount is not what the lines come to."""
    sums = (
        OrderLine.objects.values("order_id")
        .annotate(total=Sum(F("quantity") * F("unit_price")))
        .values_list("order_id", "order__amount", "total")
    )
    return sum(Decimal(amount) != round(Decimal(total), 2) for _pk, amount, total in sums)


def reps_with_plans() -> int:
    return (
        Visit.objects.open()
        .of_days(TODAY, TODAY)
        .values("rep")
        .annotate(n=Count("id"))
        .filter(n__gte=4)
        .count()
    )


def test_same_seed_and_day_give_the_same_company(demo: Loaded) -> None:
    assert checksum() == demo.same_seed


def test_the_company_has_the_promised_size(demo: Loaded) -> None:
    assert Customer.objects.count() == 408, "400 companies, 8 of them on file twice"
    assert DuplicatePair.objects.count() >= 8
    assert 55 <= Product.objects.count() <= 65
    assert 6 <= Product.objects.values("category").distinct().count() <= 8
    assert User.objects.filter(role=Role.REP).count() == 12
    assert Counter(Team.objects.values_list("parent__name", flat=True)) == {
        None: 1,
        "华东大区": 3,
    }
    assert not Team.objects.filter(manager=None).exists()
    assert 4_000 <= Order.objects.count() <= 10_000
    assert Product.objects.filter(launched_on__gt=TODAY - timedelta(days=60)).count() >= 3


def test_a_database_in_use_is_refused_and_left_alone(demo: Loaded) -> None:
    before = checksum()
    with pytest.raises(CommandError, match=r"(?s)empty database|空"):
        call_command("load_demo", as_of=TODAY)
    assert checksum() == before


def test_every_customer_is_in_a_real_division_and_has_its_address(demo: Loaded) -> None:
    for customer in Customer.objects.all():
        assert is_known(customer.division) or not customer.division, customer.name
        if customer.division_found:  # the others were given
            found = find(customer.address)
            assert (found.code, found.state) == (customer.division, customer.division_found)
        if customer.division_found == "address":
            assert customer.address.startswith("".join(path(customer.division)))
        assert customer.latitude is not None
        assert 28 < customer.latitude < 35
        assert customer.longitude is not None
        assert 115 < customer.longitude < 123


def test_nobody_can_be_called(demo: Loaded) -> None:
    """The numbers pass for valid ones, yet no local number in China begins with 9."""
    codes = {code.removeprefix("0") for _lat, _lon, code, _digits in PREFECTURES.values()}
    for number in Customer.objects.values_list("phone", flat=True):
        assert phonenumbers.is_valid_number(phonenumbers.parse(number)), number
        national = number.removeprefix("+86")
        assert any(national.startswith(f"{code}9") for code in codes), number


def test_some_addresses_do_not_say_where_and_groups_and_a_leaver_are_there(demo: Loaded) -> None:
    states = Counter(Customer.objects.values_list("division_found", flat=True))
    assert min(states["ambiguous"], states["unknown"]) >= 1
    assert states["address"] > 380
    assert Customer.objects.exclude(group_head=None).count() >= 10
    (leaver,) = User.objects.filter(is_active=False)
    assert leaver.customers.count() >= 10


def test_there_are_people_whose_birthdays_exist_and_whom_nobody_can_call(demo: Loaded) -> None:
    """No network was given the mobile range 161."""
    contacts = list(Contact.objects.all())
    assert len({contact.customer_id for contact in contacts}) > 0.9 * Customer.objects.count()
    assert any(c.birthday_calendar == "lunar" and c.birth_month for c in contacts)
    assert any(contact.birthday_leap for contact in contacts)
    assert any(contact.has_left for contact in contacts)
    assert {contact.buying_role for contact in contacts} == {"", *BuyingRole.values}
    for contact in contacts:
        contact.full_clean()
        assert not contact.phone or contact.phone.startswith("+86161")
        assert stored(contact.phone) == contact.phone


def test_parents_supply_downwards(demo: Loaded) -> None:
    pairs = set(
        Customer.objects.exclude(parent=None).values_list("parent__kind", "kind").distinct()
    )
    assert pairs == {(Kind.DISTRIBUTOR, Kind.DEALER), (Kind.DEALER, Kind.OUTLET)}


def test_amounts_are_what_the_lines_come_to(demo: Loaded) -> None:
    assert wrong_sums() == 0
    assert not Order.objects.filter(lines=None).exists()


def test_orders_lie_in_two_years_up_to_yesterday_in_every_state(demo: Loaded) -> None:
    moments = Order.objects.order_by("ordered_at")
    assert moments[0].ordered_at < local(2024, 8, 1)
    assert local(2026, 6, 12) < moments.reverse()[0].ordered_at < local(2026, 6, 16)
    shares = {
        row["status"]: row["n"] / Order.objects.count()
        for row in Order.objects.values("status").annotate(n=Count("id"))
    }
    assert shares[OrderStatus.COMPLETED] > 0.9
    assert 0.01 < shares[OrderStatus.CANCELLED] < 0.05
    assert 0.01 < shares[OrderStatus.RETURNED] < 0.05
    assert {OrderStatus.CONFIRMED, OrderStatus.SHIPPED} <= set(shares)


def test_the_first_fifth_brings_most_of_the_amount(demo: Loaded) -> None:
    amounts = Customer.objects.filter(net_amount__gt=0).values_list("net_amount", flat=True)
    nets = sorted((net for net in amounts if net is not None), reverse=True)
    share = sum(nets[: ceil(0.2 * len(nets))]) / sum(nets)
    assert Decimal("0.7") <= share <= Decimal("0.9")


def test_business_rises_before_spring_festival(demo: Loaded) -> None:
    """Spring Festival is 17 February in 2026; the fortnight before last beats a plain one."""

    def sold(first: date, days: int) -> Decimal:
        end = first + timedelta(days=days)
        return Order.objects.counted().between(
            local(first.year, first.month, first.day), local(end.year, end.month, end.day)
        ).aggregate(total=Sum("amount"))["total"] or Decimal(0)

    assert sold(date(2026, 1, 19), 14) > 1.3 * float(sold(date(2026, 3, 16), 14))
    assert demand(date(2026, 2, 17)) < 0.1 < demand(date(2026, 3, 17)) < demand(date(2026, 2, 3))


def test_tiers_move_between_the_last_two_runs(demo: Loaded) -> None:
    *_earlier, before, last = TierRun.objects.decisive().order_by("id")
    assert (before.as_of, last.as_of) == (date(2026, 5, 31), date(2026, 6, 15))
    assert last.changes.up().exists()
    assert last.changes.down().exists()
    assert 5 <= last.moved <= 80
    assert set(Customer.objects.values_list("abc", flat=True)) == {"A", "B", "C", None}


def test_some_customers_gave_back_more_than_they_bought(demo: Loaded) -> None:
    first, _last = window(date(2026, 6, 15), 12)
    odd = Customer.objects.filter(net_amount__lt=0, abc=None)
    assert odd.exists()
    for customer in odd:
        orders = customer.orders.filter(
            status__in=NETTED, ordered_at__gte=local(first.year, first.month, first.day)
        )
        assert sum(order.net for order in orders) == customer.net_amount


def test_every_rep_has_visits_today(demo: Loaded) -> None:
    assert reps_with_plans() == len(REPS)


def test_visits_are_complete_and_some_customers_are_overdue(demo: Loaded) -> None:
    done = Visit.objects.filter(status=VisitStatus.DONE)
    assert done.count() > 1_000
    assert not done.filter(checked_in_at=None).exists()
    for visit in done[:300]:
        check_complete(visit.answers)
        assert cleaned(visit.answers) == visit.answers
    skus = set(Product.objects.values_list("external_id", flat=True))
    assert {sku for visit in done for sku in visit.answers["new_products"]} <= skus
    every: dict[str | None, int] = dict(Cadence.objects.values_list("abc", "every_days"))
    late = [
        customer
        for customer in Customer.objects.exclude(abc=None).exclude(owner=None)
        if customer.last_visited_on is None
        or (TODAY - customer.last_visited_on).days > every[customer.abc]
    ]
    assert 10 <= len(late) <= 100


def test_last_visits_agree_with_the_visits(demo: Loaded) -> None:
    for customer in Customer.objects.exclude(last_visited_on=None)[:40]:
        last = customer.visits.filter(status=VisitStatus.DONE).order_by("-scheduled_for").first()
        assert last is not None
        assert last.visited_on == customer.last_visited_on


def test_reminders_of_a_near_occasion_wait(demo: Loaded) -> None:
    """Dragon Boat Festival is three days ahead (P30)."""
    waiting = Reminder.objects.current(TODAY)
    assert set(waiting.values_list("occasion", "on").distinct()) == {
        ("dragon_boat", date(2026, 6, 19))
    }


def test_promises_of_every_kind_and_talks_over_the_year(demo: Loaded) -> None:
    rep = User.objects.get(username={role: name for role, name, _ in LOGINS}[Role.REP])
    mine = Promise.objects.of(rep)
    assert mine.due_on(TODAY).exists()
    assert mine.late(TODAY).exists()
    assert mine.open().filter(due_on__gt=TODAY).exists()
    for some in (Promise.objects.kept_in_time(), Promise.objects.kept_late(), mine):
        assert some.exists()
    assert Promise.objects.filter(state=PromiseState.BROKEN).exclude(outcome="").exists()
    moved = Renegotiation.objects.select_related("promise")
    assert moved.exists()
    for one in moved:  # agreed before the old day had passed, and before it was settled
        assert local_day(one.at) <= one.due_before < one.due_after
        assert one.promise.settled_at is None or one.at < one.promise.settled_at
    assert not Promise.objects.filter(settled_at__lt=F("made_at")).exists()
    assert not Promise.objects.filter(settled_at__gt=NOW).exists()
    months = Interaction.objects.dates("at", "month").count()
    assert months >= 11
    assert not Interaction.objects.filter(at__gt=NOW).exists()


@pytest.mark.parametrize(("role", "username", "name"), LOGINS)
def test_each_role_has_a_login_that_works(
    demo: Loaded, role: str, username: str, name: str
) -> None:
    client = Client()
    answer = client.post(reverse("account_login"), {"login": username, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    user = User.objects.get(username=username)
    assert (user.role, user.name) == (role, name)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_integration_account_cannot_sign_in(demo: Loaded) -> None:
    account = User.objects.get(role=Role.INTEGRATION)
    assert not account.has_usable_password()


def test_the_load_itself_is_no_change_of_the_audit_log(demo: Loaded) -> None:
    """The demo is the state the log starts from; only what the product does is in it."""
    assert not AuditEntry.objects.filter(
        model__in=["customers.customer", "orders.order", "accounts.user"], action="create"
    ).exists()


def test_new_rows_get_ids_of_their_own_after_the_load(demo: Loaded) -> None:
    with transaction.atomic():
        assert make_team(name="after").pk > Team.objects.exclude(name="after").latest("id").pk
        transaction.set_rollback(True)


def test_the_large_company_is_made_of_the_same_stuff(demo: Loaded) -> None:
    """At a hundredth of its size; the real one is what the benchmarks load."""
    found = dict(demo.mini_large)
    assert 500 < found.pop("ranked") <= 600
    assert found == {
        "customers": 600,
        "orders": 6_000,
        "reps": 30,
        "without lines": 0,
        "wrong sums": 0,
        "unknown divisions": [],
        "planned today": 30,
        "numbered": True,
    }


def test_p52_competitors_were_seen_and_loyalty_stands_on_it(demo: Loaded) -> None:
    seen = Sighting.objects.select_related("competitor", "visit")
    assert 150 < seen.count() < 0.5 * Visit.objects.count()
    assert {row.competitor.key for row in seen} == {
        key_of(one.name) for one in Competitor.objects.all()
    }
    for row in seen:
        row.full_clean()
        assert row.visit.status == VisitStatus.DONE
        assert row.seen_at == row.visit.checked_in_at
    assert Visit.objects.filter(words__contains="金穗花", status="done").exists()
    for visit in Visit.objects.filter(words__contains="金穗花", status="done"):
        assert visit.sightings.filter(competitor__name="金穗花", price=58).exists()
    last = TierRun.objects.decisive().latest("id")
    assert last.policy.most_sightings == 3
    tempted = Assessment.objects.filter(
        months_bought__gte=last.policy.loyal_months, sightings__gt=3
    ).select_related("customer")
    assert tempted.count() >= 3
    assert {one.customer.loyalty for one in tempted} == {"switcher"}
    assert Customer.objects.filter(loyalty="loyal", assessment__sightings__gt=0).exists()


def test_p26_information_was_sent_to_whom_it_fits_and_suggestions_were_made(demo: Loaded) -> None:
    known = MarketInformation.objects.select_related("by")
    assert known.count() == 12
    assert {one.source for one in known} == {"read", "heard", "seen"}
    for one in known:
        one.full_clean()
        assert one.by.may("visits:write")
        assert not one.categories or Product.objects.filter(category__in=one.categories).exists()
    assert 0 < known.expired(TODAY).count() < known.count()
    sendings = Sending.objects.select_related("information", "customer__owner", "contact")
    assert 40 < sendings.count() < 170
    for sending in sendings:
        sending.full_clean()
        information, customer = sending.information, sending.customer
        assert sending.by_id == customer.owner_id
        assert information.learned_on < local_day(sending.sent_at) < TODAY
        assert not information.kinds or customer.kind in information.kinds
        assert not information.tiers or customer.abc in information.tiers
        # Some addresses were blurred later: they lie in no area any more.
        inside = not customer.division or customer.division.startswith(tuple(information.areas))
        assert not information.areas or inside
        assert sending.contact is None or sending.contact.customer_id == customer.pk
        waiting = sending.outcome == Outcome.WAITING
        assert waiting == (sending.outcome_on is None)
        assert sending.outcome_on is None or sending.outcome_on < TODAY
    assert len({sending.outcome for sending in sendings}) == 3
    suggestions = Suggestion.objects.select_related("customer", "product")
    assert suggestions.count() == 30
    for suggestion in suggestions:
        suggestion.full_clean()
        assert suggestion.made_on < TODAY
        assert suggestion.is_open == (suggestion.outcome_on is None)
        if suggestion.product:
            assert suggestion.product.name.split(" ")[0] in suggestion.text
    assert suggestions.due(TODAY).exists()
    assert {one.state for one in suggestions} == {"open", "taken_up", "declined"}


def test_p12_tiers_were_set_by_hand(demo: Loaded) -> None:
    """Four in force, one ended before its day, one whose day has come; each with a reason."""
    every = TierOverride.objects.select_related("customer__owner__team")
    in_force = every.in_force(TODAY)
    assert in_force.count() == 4
    assert every.filter(ended_by__isnull=False, until__gte=TODAY).count() == 1
    (expired,) = every.filter(ended_at__isnull=False, ended_by=None)
    assert expired.until < TODAY
    for one in every:
        assert one.customer.owner is not None
        assert one.customer.owner.team is not None
        assert one.by == one.customer.owner.team.manager
        assert any("一" <= letter <= "鿿" for letter in one.reason)
    assert all(one.customer.abc == one.tier for one in in_force)
    computed = Assessment.objects.filter(override__in=in_force)
    assert any(row.computed_tier != row.override.tier for row in computed if row.override)
    causes = Counter(TierChange.objects.values_list("cause", flat=True))
    assert causes["override"] >= 5
    assert causes["override_ended"] >= 1


def test_p10_key_accounts_are_confirmed_and_customers_rated(demo: Loaded) -> None:
    confirmed = KeyAccount.objects.open().select_related("customer__owner__team")
    assert confirmed.count() == 5
    assert set(confirmed.values_list("customer", flat=True)) == set(
        Customer.objects.filter(key_account=True).values_list("pk", flat=True)
    )
    assert KeyAccount.objects.exclude(ended_at=None).exclude(end_reason="").count() == 1
    proposed = Assessment.objects.proposed(TierRun.objects.decisive().latest("id").policy.key_from)
    assert proposed.exists(), "there is somebody left to confirm"
    assert 30 <= Rating.objects.count() <= 40
    assert all(one.score for one in confirmed)
    assert Assessment.objects.filter(key_partnership__isnull=False).count() >= 20


def test_p4_the_report_finds_what_each_team_never_asks(demo: Loaded) -> None:
    report = gaps.report(Customer.objects.all(), Team.objects.all())
    spreads = {one.gap.wanted.name: one for one in report.spreads()}
    asked_least = []
    for name in ("past_categories", "capital", "service_satisfaction"):
        worst, best = spreads[name].worst, spreads[name].best
        assert worst is not None
        assert best is not None
        assert worst.tally.share(name) > Decimal("0.85") > best.tally.share(name) + Decimal("0.2")
        asked_least.append(worst.name)
    assert len(set(asked_least)) == 3


def test_p48_some_leave_silently_and_of_some_somebody_knows_better(demo: Loaded) -> None:
    runs = ChurnRun.objects.all()
    assert len({run.as_of.isocalendar()[:2] for run in runs}) == len(runs) == 7
    leaving = Outlook.objects.leaving(runs[0], TODAY)
    assert Outlook.objects.count() / 50 < leaving.count() < Outlook.objects.count() / 5
    assert not leaving.filter(value_at_risk__lte=0).exists()
    assert leaving.filter(intervals__gte=5).count() > leaving.count() / 2
    said = Staying.objects.holding(TODAY).select_related("by", "customer")
    assert len(said) == 3
    assert all(word.by == word.customer.owner for word in said)


def test_p24_dealers_have_stock_of_every_kind(demo: Loaded) -> None:
    found = StockPosition.objects.all()
    assert found.count() > 200
    assert 0.05 < found.due().count() / found.count() < 0.5
    assert 0.02 < found.slow().count() / found.count() < 0.4
    assert 0 < found.impossible().count() <= 5
    assert SellOut.objects.exists()
    assert StockAdjustment.objects.exists()


def test_p37_a_slow_product_can_still_be_exchanged_but_not_for_long(demo: Loaded) -> None:
    slow = StockPosition.objects.slow().filter(product__name__startswith="黄豆酱 800g")
    days = [(one.exchange_by - TODAY).days for one in slow if one.exchange_by]
    assert any(0 <= left <= 30 for left in days)


def test_p36_it_asks_a_minimum_with_one_exception_approved_and_one_asked_for(
    demo: Loaded,
) -> None:
    assert TradeTerms.objects.on(TODAY).minimum_order == 1000
    approved = MinimumException.objects.on(TODAY).get()
    waiting = MinimumException.objects.waiting().get()
    assert approved.answered_by != approved.asked_by
    assert approved.customer != waiting.customer
    assert below(Order.objects.all()).exists()


def test_p39_some_prices_have_days_and_some_credits_are_to_change(demo: Loaded) -> None:
    assert Price.objects.on(TODAY).exists()
    assert Price.objects.beginning_after(TODAY).exists()
    assert Price.objects.ended_before(TODAY).exists()
    kinds = Counter(CreditReview.objects.open().values_list("kind", flat=True))
    assert kinds["raise"]
    assert kinds["lower"]
    assert CreditReview.objects.open().count() < Customer.objects.count() / 2
