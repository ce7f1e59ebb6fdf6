"""Make one thing with sensible defaults; say only what the test is about."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import ApiKey, Delivery, Event, Team, User, Webhook
from accounts.roles import Role
from customers import cards
from customers.contacts import save_contact
from customers.models import (
    Channel,
    Contact,
    Customer,
    DuplicatePair,
    Import,
    ImportRow,
    Interaction,
    Promise,
)
from orders.models import (
    Credit,
    CreditReview,
    Hold,
    MinimumException,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Price,
    Product,
    SellOut,
    StockAdjustment,
    StockLine,
    StockReport,
)
from tiers.models import Assessment, ChurnRun, KeyAccount, Outlook, Scenario, TierOverride
from visits.models import (
    Competitor,
    MarketInformation,
    Sending,
    Sighting,
    Suggestion,
    Visit,
    key_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
PASSWORD = "dealer-life-2026"
_number = count(1)


def local(
    year: int,
    month: int,
    day: int,
    hour: int = 0,
    minute: int = 0,
    second: int = 0,
    microsecond: int = 0,
) -> datetime:
    """A moment in the company's time zone."""
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=SHANGHAI)


def make_team(**values: Any) -> Team:
    values.setdefault("name", f"Team {next(_number)}")
    return Team.objects.create(**values)


def make_user(username: str | None = None, *, role: str = Role.REP, **values: Any) -> User:
    username = username or f"user{next(_number)}"
    values.setdefault("name", username.title())
    values.setdefault("email", f"{username}@example.com")
    values.setdefault("language", "en")
    user = User(username=username, role=role, **values)
    user.set_password(PASSWORD)
    user.save()
    return user


def make_key(user: User | None = None, *, scopes: list[str] | None = None) -> tuple[ApiKey, str]:
    """An API key (every scope, where none are given) and its secret."""
    user = user or make_user(role=Role.INTEGRATION)
    return ApiKey.issue(name=f"Key {next(_number)}", user_id=user.pk, scopes=scopes)


def make_webhook(*events: str, **values: Any) -> Webhook:
    """An address that hears of `events` (order.held, where none are given)."""
    values.setdefault("name", f"Webhook {next(_number)}")
    values.setdefault("url", "https://203.0.113.9/hook")
    return Webhook.objects.create(events=list(events or ("order.held",)), **values)


def make_delivery(webhook: Webhook | None = None, **values: Any) -> Delivery:
    """An order that is held, to be told since 16 June 2026."""
    data = {"id": 1, "external_id": "SO-1", "held": True}
    at = local(2026, 6, 16, 12)
    event = Event.objects.create(name="order.held", occurred_at=at, data=data)
    values = {"next_attempt_at": at, "give_up_at": at + timedelta(days=3), **values}
    return Delivery.objects.create(webhook=webhook or make_webhook(), event=event, **values)


def make_customer(**values: Any) -> Customer:
    number = next(_number)
    values.setdefault("external_id", f"C-{number:05}")
    values.setdefault("name", f"Customer {number}")
    customer = Customer.objects.create(**values)
    cards.refresh([customer.pk])
    return customer


def make_contact(customer: Customer | None = None, **values: Any) -> Contact:
    values.setdefault("name", f"Contact {next(_number)}")
    return save_contact(contact=Contact(customer=customer or make_customer(), **values))


def make_pair(one: Customer, other: Customer, **values: Any) -> DuplicatePair:
    """Two files that a search found to look like one company."""
    first, second = sorted((one.pk, other.pk))
    values = {"score": 80, "reasons": ["name", "phone"], "found_at": local(2026, 6, 16), **values}
    return DuplicatePair.objects.create(first_id=first, second_id=second, **values)


def make_product(**values: Any) -> Product:
    number = next(_number)
    values.setdefault("external_id", f"SKU-{number:04}")
    values.setdefault("name", f"Product {number}")
    values.setdefault("dealer_price", Decimal("50.00"))
    values.setdefault("retail_price", Decimal("68.00"))
    return Product.objects.create(**values)


def make_price(product: Product | None = None, **values: Any) -> Price:
    """A price from the first day of 2026 on."""
    values.setdefault("dealer_price", Decimal("52.00"))
    values.setdefault("retail_price", Decimal("70.00"))
    values.setdefault("valid_from", date(2026, 1, 1))
    return Price.objects.create(product=product or make_product(), **values)


def make_order(
    customer: Customer | None = None,
    amount: str | int | Decimal = "1000.00",
    *,
    lines: list[tuple[Product, str, str]] | None = None,
    **values: Any,
) -> Order:
    """An order; `lines` are (product, quantity, unit price) and then decide the amount."""
    values.setdefault("external_id", f"SO-{next(_number):06}")
    values.setdefault("ordered_at", local(2026, 6, 1, 10))
    values.setdefault("status", OrderStatus.COMPLETED)
    if lines:
        amount = sum((Decimal(q) * Decimal(p) for _product, q, p in lines), Decimal(0))
    order = Order.objects.create(
        customer=customer or make_customer(), amount=Decimal(amount), **values
    )
    for number, (product, quantity, price) in enumerate(lines or [], start=1):
        OrderLine.objects.create(
            order=order,
            line_no=number,
            product=product,
            quantity=Decimal(quantity),
            unit_price=Decimal(price),
        )
    return order


def make_payment(
    customer: Customer | None = None, amount: str | int | Decimal = "100.00", **values: Any
) -> Payment:
    values.setdefault("external_id", f"PAY-{next(_number):06}")
    values.setdefault("paid_at", local(2026, 6, 10, 10))
    return Payment.objects.create(
        customer=customer or make_customer(), amount=Decimal(amount), **values
    )


def make_stock_report(
    customer: Customer | None = None,
    counted: dict[Product, str | int | Decimal] | None = None,
    **values: Any,
) -> StockReport:
    """A count of products, each in one batch that has no number."""
    values.setdefault("external_id", f"ST-{next(_number):06}")
    values.setdefault("reported_at", local(2026, 6, 12, 10))
    report = StockReport.objects.create(customer=customer or make_customer(), **values)
    for product, quantity in (counted or {}).items():
        make_stock_line(report, product, quantity)
    return report


def make_stock_line(
    report: StockReport, product: Product, quantity: str | int | Decimal, **values: Any
) -> StockLine:
    return StockLine.objects.create(
        report=report, product=product, quantity=Decimal(quantity), **values
    )


def make_sell_out(
    customer: Customer | None = None,
    product: Product | None = None,
    quantity: str | int | Decimal = 1,
    **values: Any,
) -> SellOut:
    values.setdefault("external_id", f"SELL-{next(_number):06}")
    values.setdefault("sold_at", local(2026, 6, 11, 10))
    return SellOut.objects.create(
        customer=customer or make_customer(),
        product=product or make_product(),
        quantity=Decimal(quantity),
        **values,
    )


def make_adjustment(
    customer: Customer | None = None,
    product: Product | None = None,
    quantity: str | int | Decimal = -1,
    **values: Any,
) -> StockAdjustment:
    """Goods that went without being sold: damaged, unless `cause` says otherwise."""
    values = {"cause": "damage", "adjusted_at": local(2026, 6, 11, 10), **values}
    return StockAdjustment.objects.create(
        customer=customer or make_customer(),
        product=product or make_product(),
        quantity=Decimal(quantity),
        **values,
    )


def make_credit(customer: Customer | None = None, **values: Any) -> Credit:
    """What a customer may owe: 30 days, no limit, nothing waits."""
    values.setdefault("reason", "Agreed")
    return Credit.objects.create(customer=customer or make_customer(), **values)


def make_hold(order: Order, **values: Any) -> Hold:
    """An order that waits because it is beyond the limit."""
    facts = {"limit": "100.00", "used": "90.00", "open": f"{order.amount:.2f}"}
    values = {"cause": "limit", "facts": facts, "held_at": local(2026, 6, 2), **values}
    order.held = True
    order.save()
    return Hold.objects.create(order=order, **values)


def make_review(customer: Customer, **values: Any) -> CreditReview:
    """An open proposal: from 20,000 to 26,000, because more is needed."""
    facts = {
        "net": "360000.00", "days": 55, "terms": 30, "need": "54246.58", "tier": "B",
        "factor": 100, "wanted": "54246.58", "pay_days": "30.0", "delivered": "30000.00",
        "overdue": "0.00", "oldest": 0, "releases": 0, "slow_days": 5, "late_days": 20,
        "overdue_share": 20, "stop_days": 90, "most_releases": 3, "cap": 30,
        "reasons": ["need", "cap"],
    }  # fmt: skip
    usual = {
        "as_of": date(2026, 6, 16), "kind": "raise", "current": 20_000, "proposed": 26_000,
        "facts": facts,
    }  # fmt: skip
    return CreditReview.objects.create(customer=customer, **{**usual, **values})


def make_exception(customer: Customer | None = None, **values: Any) -> MinimumException:
    """A request for a minimum of 5,000 in 2026, asked for by somebody."""
    usual: dict[str, Any] = {
        "minimum": 5000,
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2026, 12, 31),
        "reason": "County customer",
        "asked_at": local(2026, 1, 1, 9),
    }
    usual["asked_by"] = values.get("asked_by") or make_user()
    return MinimumException.objects.create(
        customer=customer or make_customer(), **{**usual, **values}
    )


def make_visit(customer: Customer, rep: User, **values: Any) -> Visit:
    values.setdefault("scheduled_for", local(2026, 6, 16, 10))
    return Visit.objects.create(customer=customer, rep=rep, **values)


def make_sighting(visit: Visit, competitor: str = "金穗花", **values: Any) -> Sighting:
    """A competitor's product seen in the visit, when it began or was planned for."""
    brand, _made = Competitor.objects.get_or_create(
        key=key_of(competitor), defaults={"name": competitor}
    )
    values.setdefault("size", "medium")
    values.setdefault("seen_at", visit.checked_in_at or visit.scheduled_for)
    return Sighting.objects.create(visit=visit, competitor=brand, **values)


def make_information(by: User | None = None, **values: Any) -> MarketInformation:
    """Something heard on 1 June 2026 that helps every customer and does not age."""
    values.setdefault("title", f"Information {next(_number)}")
    values.setdefault("text", "Prices of rapeseed rise")
    values.setdefault("source", "heard")
    values.setdefault("learned_on", date(2026, 6, 1))
    return MarketInformation.objects.create(by=by or make_user(), **values)


def make_sending(
    customer: Customer, by: User, information: MarketInformation | None = None, **values: Any
) -> Sending:
    values.setdefault("sent_at", local(2026, 6, 10, 10))
    values.setdefault("way", "message")
    return Sending.objects.create(
        information=information or make_information(by), customer=customer, by=by, **values
    )


def make_suggestion(customer: Customer, by: User, **values: Any) -> Suggestion:
    values.setdefault("text", f"Suggestion {next(_number)}")
    values.setdefault("made_on", date(2026, 6, 1))
    values.setdefault("follow_up_on", date(2026, 6, 15))
    return Suggestion.objects.create(customer=customer, by=by, **values)


def make_promise(customer: Customer, owner: User, **values: Any) -> Promise:
    values.setdefault("content", f"Promise {next(_number)}")
    values.setdefault("due_on", date(2026, 6, 20))
    values.setdefault("made_at", local(2026, 6, 1, 10))
    values.setdefault("made_by", owner)
    return Promise.objects.create(customer=customer, owner=owner, **values)


def make_interaction(customer: Customer, by: User, **values: Any) -> Interaction:
    values.setdefault("channel", Channel.CALL)
    values.setdefault("at", local(2026, 6, 15, 10))
    return Interaction.objects.create(customer=customer, by=by, **values)


def make_import(user: User, customer: Customer, *, run: Import | None = None) -> Import:
    """An import of one customer, written; with `run`, one more row of that one."""
    run = run or Import.objects.create(
        by=user,
        name="list.csv",
        table={"rows": 1, "head_row": 1, "sheets": []},
        columns=[{"head": "Name", "sample": []}],
        mapping={"0": "name"},
        key="name",
        state="done",
        counts={"create": 1, "update": 0, "unchanged": 0, "rejected": 0},
        created_at=local(2026, 6, 1, 10),
        finished_at=local(2026, 6, 1, 11),
    )
    ImportRow.objects.create(
        run=run,
        number=next(_number) + 1,
        cells=[customer.name],
        outcome="create",
        state="written",
        values={"name": customer.name, "owner_id": user.pk},
        customer_id=customer.pk,
        version=1,
    )
    return run


def make_outlook(customer: Customer, **values: Any) -> Outlook:
    """A customer that buys monthly and has been silent for 84 days, by the run of 16 June 2026."""
    if not ChurnRun.objects.exists():
        ChurnRun.objects.create(
            as_of=date(2026, 6, 16),
            finished_at=local(2026, 6, 17, 2, 30),
            period_days=90,
            outcome="too_few",
            method="rhythm",
            customers=1,
            repeat_customers=1,
            leaving=1,
            written=1,
        )
    usual: dict[str, Any] = {
        "as_of": date(2026, 6, 16),
        "method": "rhythm",
        "alive": Decimal("0.250"),
        "pace": Decimal("3.000"),
        "expected": Decimal("0.750"),
        "per_purchase": Decimal("1000.00"),
        "value_at_risk": Decimal("2250.00"),
        "last_on": date(2026, 3, 24),
        "usual_days": 31,
        "intervals": 15,
        "shorter": 14,
    }
    return Outlook.objects.create(customer=customer, **{**usual, **values})


def make_scenario(owner: User | None = None, name: str | None = None, **values: Any) -> Scenario:
    """The worked example of P49, kept."""
    usual = {
        "population": 5_000_000,
        "age_share": "3/20",
        "reachable_share": "1/5",
        "valid_share": "2/3",
        "spender_share": "1/5",
        "yearly_spend": Decimal("3000.00"),
    }
    name = name or f"Scenario {next(_number)}"
    return Scenario.objects.create(owner=owner or make_user(), name=name, **{**usual, **values})


def make_override(customer: Customer, by: User, **values: Any) -> TierOverride:
    """A tier set by hand, long in force."""
    values = {"tier": "A", "reason": "Strategic", "until": date(2099, 12, 31), **values}
    return TierOverride.objects.create(
        customer=customer, by=by, first_on=date(2026, 1, 1), **values
    )


def make_key_account(customer: Customer, by: User, **values: Any) -> KeyAccount:
    """A confirmed key account with a score."""
    found = {"as_of": date(2026, 6, 16), "key_score": 80, "potential": 60}
    Assessment.objects.get_or_create(customer=customer, defaults=found)
    values = {"reason": "Large", "confirmed_at": local(2026, 6, 16), **values}
    return KeyAccount.objects.create(customer=customer, by=by, **values)
