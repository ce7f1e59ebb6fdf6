"""Who reaches what: every address of the product, opened by an owner, her manager, a stranger,
every role, and nobody in particular. A new address joins the walk by itself; one that shows a
record says here which record the walk aims at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import JobRun, RejectedRecord, SyncCall, Team, User
from accounts.roles import Role
from customers import reads
from customers.merging import merge
from customers.models import Assignment, Customer, FileRead, HandOver, SavedView, Supplier
from orders.balances import refresh
from orders.models import (
    CreditRules,
    OrderLine,
    StockImport,
    StockPosition,
    StockRules,
    TradeTerms,
)
from orders.stock.positions import refresh as restock
from tests.factories import (
    local,
    make_adjustment,
    make_contact,
    make_credit,
    make_customer,
    make_delivery,
    make_exception,
    make_hold,
    make_import,
    make_information,
    make_interaction,
    make_key,
    make_key_account,
    make_order,
    make_outlook,
    make_override,
    make_pair,
    make_payment,
    make_price,
    make_product,
    make_promise,
    make_review,
    make_scenario,
    make_sell_out,
    make_sending,
    make_stock_line,
    make_stock_report,
    make_suggestion,
    make_team,
    make_user,
    make_visit,
    make_webhook,
)
from tiers.models import RunState, TierChange, TierPolicy, TierRun
from tiers.policies import copy_of
from visits.models import Reminder

#: Addresses that answer whoever asks.
OPEN = {
    "healthz",
    "readyz",
    "api-schema",
    "api-docs",
    "api-unknown",
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "accounts:language",
}
#: Addresses of one customer's records: out of a stranger's sight.
OWNED = {
    "accounts:run": "job_run",
    "accounts:run-file": "job_run",
    "customers:detail": "customer",
    "customers:edit": "customer",
    "customers:file": "customer",
    "customers:log": "customer",
    "customers:log-export": "customer",
    "customers:profile": "customer",
    "customers:timeline": "customer",
    "customers:network": "customer",
    "customers:area": "customer",
    "customers:assignment-withdraw": "assignment",
    "customers:assignment-restore": "assignment",
    "customers:area-again": "customer",
    "customers:network-below": "customer",
    "customers:hand-back": "hand_over",
    "customers:duplicate-dismiss": "pair",
    "customers:duplicate-reopen": "pair",
    "customers:merge": "customer",
    "customers:merged": "merge",
    "customers:merge-undo": "merge",
    "customer-merge": "customer",
    "customers:interaction": "interaction",
    "customers:interaction-delete": "interaction",
    "customers:interaction-restore": "interaction",
    "customers:promise": "promise",
    "customers:promise-keep": "promise",
    "customers:promise-break": "promise",
    "customers:promise-reopen": "promise",
    "customers:promise-renegotiate": "promise",
    "customers:promise-hand-over": "promise",
    "customers:promise-new": "customer",
    "customers:import": "import",
    "customers:import-map": "import",
    "customers:import-remap": "import",
    "customers:import-choose": "import",
    "customers:import-apply": "import",
    "customers:import-undo": "import",
    "customers:import-again": "import",
    "customers:import-progress": "import",
    "customers:import-rejected": "import",
    "customers:import-mended": "import",
    "customers:contacts": "customer",
    "customers:contact-new": "customer",
    "customers:contact-edit": "contact",
    "customers:contact-left": "contact",
    "customers:contact-back": "contact",
    "customers:contact-delete": "contact",
    "customers:contact-restore": "contact",
    "contact-detail": "contact",
    "orders:detail": "order",
    "orders:edit": "order",
    "orders:take-back": "order",
    "orders:confirm": "order",
    "orders:ship": "order",
    "orders:complete": "order",
    "orders:return": "order",
    "orders:cancel": "order",
    "orders:of-customer": "customer",
    "orders:purchase": "customer",
    "orders:margin": "customer",
    "orders:credit": "customer",
    "orders:credit-edit": "customer",
    "orders:payment-new": "customer",
    "orders:stock-of-customer": "customer",
    "orders:stock-position": "position",
    "orders:payment": "payment",
    "orders:payment-reverse": "payment",
    "orders:order-credit": "order",
    "orders:release": "order",
    "orders:hold-again": "order",
    "orders:exception-new": "customer",
    "orders:exception": "exception",
    "orders:exception-approve": "exception",
    "orders:exception-refuse": "exception",
    "orders:exception-answer-back": "exception",
    "orders:exception-withdraw": "exception",
    "orders:exception-restore": "exception",
    "orders:review": "review",
    "orders:review-accept": "review",
    "orders:review-decline": "review",
    "orders:review-reopen": "review",
    "payment-detail": "payment",
    "orders:stock-report-new": "customer",
    "orders:stock-report": "stock_report",
    "orders:stock-report-edit": "stock_report",
    "orders:stock-report-back": "stock_report",
    "orders:stock-report-restore": "stock_report",
    "orders:sell-out-new": "customer",
    "orders:sell-out": "sell_out",
    "orders:sell-out-back": "sell_out",
    "orders:sell-out-restore": "sell_out",
    "orders:adjustment-new": "customer",
    "orders:adjustment": "adjustment",
    "orders:adjustment-back": "adjustment",
    "orders:adjustment-restore": "adjustment",
    "orders:stock-import": "stock_import",
    "orders:stock-import-write": "stock_import",
    "orders:stock-import-rejected": "stock_import",
    "stock-report-detail": "stock_report",
    "sell-out-detail": "sell_out",
    "tiers:of-customer": "customer",
    "tiers:override-new": "customer",
    "tiers:key-account-confirm": "customer",
    "tiers:rating": "customer",
    "tiers:override": "override",
    "tiers:override-end": "override",
    "tiers:override-reopen": "override",
    "tiers:key-account-withdraw": "key_account",
    "tiers:key-account-reinstate": "key_account",
    "tiers:key-account-take-back": "key_account",
    "tiers:outlook": "customer",
    "tiers:staying": "customer",
    "tiers:staying-undo": "customer",
    "visits:detail": "visit",
    "visits:edit": "visit",
    "visits:check-in": "visit",
    "visits:cancel": "visit",
    "visits:missed": "visit",
    "visits:of-customer": "customer",
    "visits:sightings-of-customer": "customer",
    "visits:information-of-customer": "customer",
    "visits:sending-outcome": "sending",
    "visits:sending-wait": "sending",
    "visits:sending-take-back": "sending",
    "visits:suggestion-new": "customer",
    "visits:suggestion": "suggestion",
    "visits:suggestion-edit": "suggestion",
    "visits:suggestion-settle": "suggestion",
    "visits:suggestion-reopen": "suggestion",
    "visits:plan": "customer",
    "visits:reminder-done": "reminder",
    "customer-detail": "customer",
    "customer-profile": "customer",
    "customer-stats": "customer",
    "customer-timeline": "customer",
    "customer-network": "customer",
    "order-detail": "order",
    "visit-detail": "visit",
    "suggestion-detail": "suggestion",
    "reminder-detail": "reminder",
    "reminder-done": "reminder",
}
#: Addresses of records that everybody shares, or that a permission alone guards.
SHARED = {
    "orders:product": "product",
    "orders:product-edit": "product",
    "orders:terms-edit": "terms",
    "orders:stock-rules-edit": "stock_rules",
    "orders:credit-rules-edit": "credit_rules",
    "orders:price-edit": "price",
    "orders:price-end": "price",
    "orders:price-reopen": "price",
    "price-detail": "price",
    "trade-terms-detail": "terms",
    "product-detail": "product",
    "customers:view": "view",
    "customers:view-delete": "view",
    "tiers:run": "run",
    "tiers:run-progress": "run",
    "tiers:run-export": "run",
    "tiers:run-cancel": "run",
    "tiers:trial-visits": "trial",
    "tiers:trial-adopt": "trial",
    "tiers:trial-drop": "trial",
    "tiers:policy": "policy",
    "tiers:policy-edit": "policy",
    "tiers:policy-take-back": "policy",
    "tiers:share-scenario": "scenario",
    "tiers:share-delete": "scenario",
    "tiers:share-restore": "scenario",
    "visits:information": "information",
    "visits:information-edit": "information",
    "visits:information-send": "information",
    "visits:information-letter": "information",
    "market-information-detail": "information",
    "tier-policy-detail": "policy",
    "tier-run-detail": "run",
    "tier-run-changes": "run",
    "tier-run-class-changes": "run",
    "accounts:user-edit": "user",
    "accounts:user-password": "user",
    "accounts:user-active": "user",
    "accounts:team-edit": "team",
    "accounts:key-revoke": "key",
    "accounts:sync": "sync",
    "accounts:sync-again": "sync",
    "accounts:sync-rejected": "sync",
    "accounts:rejected": "rejected",
    "accounts:job-toggle": "job",
    **dict.fromkeys(
        [
            *("accounts:webhook", "accounts:webhook-edit", "accounts:webhook-export"),
            *("accounts:webhook-ping", "accounts:webhook-replay", "accounts:webhook-pause"),
            *("accounts:webhook-resume", "accounts:webhook-remove", "accounts:webhook-restore"),
            *("accounts:webhook-secret", "webhook-detail", "webhook-ping", "webhook-replay"),
            "webhook-rotate-secret",
        ],
        "webhook",
    ),
    "accounts:delivery": "delivery",
    "accounts:delivery-replay": "delivery",
    "webhook-delivery-detail": "delivery",
    "webhook-delivery-replay": "delivery",
}
OTHER_PARAMETERS = {"account_reset_password_from_key": {"uidb36": "1", "key": "x-y"}}
#: Django's own admin, for superusers: any record will do.
ADMIN_PARAMETERS = {
    "object_id": "1",
    "id": "1",
    "content_type_id": "1",
    "app_label": "accounts",
    "url": "x",
}


def addresses(
    patterns: list[URLPattern | URLResolver], space: str = "", above: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The name of every address below `patterns`, with its parameters."""
    for pattern in patterns:
        parameters = (
            *above,
            *(getattr(pattern.pattern, "converters", None) or pattern.pattern.regex.groupindex),
        )
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from addresses(pattern.url_patterns, inner, parameters)
        elif pattern.name or space != "admin:":  # the admin site has nameless redirects
            assert pattern.name, f"{pattern} has no name"
            yield f"{space}{pattern.name}", parameters


ADDRESSES = dict(addresses(get_resolver().url_patterns))
PRODUCT = sorted(name for name in ADDRESSES if not name.startswith("admin:"))
ADMIN = sorted(set(ADDRESSES) - set(PRODUCT))
API = "/api/v1/"
UNSAFE = ("post", "put", "patch", "delete")


def make_draft(policy: TierPolicy) -> TierPolicy:
    draft = copy_of(policy)
    draft.effective_from, draft.revision, draft.window_months = None, 99, 24
    draft.save()
    return draft


def make_run(policy: TierPolicy, *, dry_run: bool = False) -> TierRun:
    now = timezone.now()
    return TierRun.objects.create(
        policy=policy,
        dry_run=dry_run,
        as_of=date(2026, 6, 30),
        state=RunState.DONE,
        created_at=now,
        started_at=now,
        finished_at=now,
        counts={"A": 0, "B": 0, "C": 0, "unranked": 1},
        shares={"A": "0", "B": "0", "C": "0"},
        ranked_amount=0,
    )


@pytest.fixture
def records(customer, rep, north) -> dict[str, Any]:
    """One of each record; what belongs to a customer belongs to the rep's."""
    product = make_product()
    policy = TierPolicy.objects.order_by("pk").first() or TierPolicy.objects.create(
        name="Walk", effective_from=date(2026, 1, 1)
    )
    order = make_order(customer, lines=[(product, "1", "5.00")])
    make_hold(order)
    make_credit(customer)
    refresh([customer.pk], today=date(2026, 6, 16))
    make_stock_report(customer, {product: 5})
    restock([customer.pk], today=date(2026, 6, 16))
    schedule, _made = IntervalSchedule.objects.get_or_create(every=1, period="days")
    return {
        "customer": customer,
        "contact": make_contact(customer, birth_month=5, birth_day=3, birthday_calendar="lunar"),
        "order": order,
        "payment": make_payment(customer, "2.00", order=order),
        "stock_report": make_stock_report(customer, {product: 5}, source="dealer"),
        "sell_out": make_sell_out(customer, product),
        "adjustment": make_adjustment(customer, product),
        "stock_import": StockImport.objects.create(
            by=rep, kind="counts", name="walk.csv", state="checked", created_at=timezone.now()
        ),
        "visit": make_visit(customer, rep),
        "promise": make_promise(customer, rep),
        "information": (information := make_information(rep)),
        "sending": make_sending(customer, rep, information),
        "suggestion": make_suggestion(customer, rep, product=product),
        "import": make_import(rep, customer),
        "interaction": make_interaction(customer, rep),
        "reminder": Reminder.objects.create(
            occasion="mid_autumn", on=date(2026, 9, 25), customer=customer, user=rep
        ),
        "hand_over": HandOver.objects.create(
            giver=rep, successor=rep, by=rep, at=timezone.now(), count=1, customer_ids=[customer.pk]
        ),
        "assignment": Assignment.objects.create(
            owner=rep,
            wanted="email",
            due_on=date(2199, 1, 1),
            total=1,
            by=rep,
            made_at=timezone.now(),
        ),
        "outlook": make_outlook(customer, last_on=timezone.localdate() - timedelta(days=84)),
        "pair": make_pair(customer, make_customer(owner=rep)),
        "merge": merge(
            gone_id=make_customer(owner=rep).pk, into_id=customer.pk, by=rep, now=timezone.now()
        ),
        "product": product,
        "position": StockPosition.objects.get(),
        "stock_rules": StockRules.objects.create(valid_from=date(2026, 1, 1)),
        "terms": TradeTerms.objects.create(valid_from=date(2026, 1, 1), minimum_order=100),
        "price": make_price(product),
        "review": make_review(customer),
        "exception": make_exception(customer),
        "credit_rules": CreditRules.objects.create(valid_from=date(2026, 1, 1)),
        "policy": policy,
        "run": make_run(policy),
        "trial": make_run(make_draft(policy), dry_run=True),
        "scenario": make_scenario(rep, shared=True),
        "override": make_override(customer, rep),
        "key_account": make_key_account(customer, rep),
        "user": make_user("somebody"),
        "view": SavedView.objects.create(owner=rep, name="Walk", query="abc=A", shared=True),
        "team": north,
        "key": make_key()[0],
        "sync": SyncCall.objects.create(resource="orders"),
        "rejected": RejectedRecord.objects.create(
            call=SyncCall.objects.create(resource="orders", rejected=1), index=0, resource="orders"
        ),
        "job_run": JobRun.objects.create(kind="export", owner=rep, created_at=timezone.now()),
        "webhook": make_webhook(),
        "delivery": make_delivery(),
        "job": PeriodicTask.objects.create(name="walk", task="walk", interval=schedule),
    }


def address(name: str, records: dict[str, Any], pk: int | None = None) -> str:
    """Where `name` shows its record (the one with `pk`, if given)."""
    aim = OWNED.get(name) or SHARED.get(name)
    if aim:
        pk = pk or records[aim].pk
        return (
            reverse(name, kwargs={"pk": pk}) if ADDRESSES[name] else f"{reverse(name)}?{aim}={pk}"
        )
    if name.startswith("admin:"):
        return reverse(name, kwargs={p: ADMIN_PARAMETERS[p] for p in ADDRESSES[name]})
    return reverse(name, kwargs=OTHER_PARAMETERS.get(name))


def ask(client: Client, method: str, url: str) -> int:
    """The status that `method` gets; a broken view counts as 500 here, not as an error."""
    client.raise_request_exception = False
    send = getattr(client, method)
    answer = send(url, **({} if method == "get" else {"content_type": _kind(url, method)}))
    if hasattr(answer, "streaming_content"):
        b"".join(answer.streaming_content)
    return int(answer.status_code)


def _kind(url: str, method: str) -> str:
    if url.startswith(API):
        return "application/json"
    return "multipart/form-data; boundary=BoUnDaRyStRiNg" if method == "post" else "text/plain"


def test_every_address_with_a_parameter_says_what_to_aim_at() -> None:
    with_parameters = {name for name in PRODUCT if ADDRESSES[name]}
    assert with_parameters <= {*OWNED, *SHARED, *OTHER_PARAMETERS} <= set(PRODUCT)
    assert set(PRODUCT) >= OPEN


@pytest.mark.parametrize("name", sorted(set(PRODUCT) - OPEN))
def test_nobody_in_particular_is_asked_to_sign_in(name: str, records) -> None:
    url = address(name, records)
    for method in ("get", *UNSAFE):
        client = Client(raise_request_exception=False)
        answer = getattr(client, method)(url)
        if url.startswith(API):
            assert answer.status_code == 401, method
            assert answer["Content-Type"] == "application/problem+json"
        else:
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login/")


@pytest.mark.parametrize("name", sorted(OWNED))
def test_a_record_is_there_for_its_owner_and_her_manager_alone(
    name: str, records, rep, manager, stranger
) -> None:
    url, nowhere = address(name, records), address(name, records, pk=999_999_999)
    client = Client()
    wrong = {}
    client.force_login(stranger)
    for method in ("get", *UNSAFE):
        status = ask(client, method, url)
        # 403 and 405 are the same for every record, also for one that does not exist.
        guarded = {404, 405} if method == "get" else {403, 404, 405}
        if status not in guarded or status != ask(client, method, nowhere):
            wrong[f"stranger {method}"] = status
    for user in (rep, manager):
        client.force_login(user)
        for method in ("get", "post") if ADDRESSES[name] else ("get",):
            status = ask(client, method, url)
            if status == 404 or status >= 500:
                wrong[f"{user} {method}"] = status
    assert not wrong


@pytest.mark.parametrize("name", sorted(name for name in OWNED if OWNED[name] == "customer"))
def test_p6_every_page_of_a_file_notes_who_opened_it(name: str, records, rep) -> None:
    client = Client()
    client.force_login(rep)
    answer = client.get(address(name, records))
    if "customers/file.html" in {template.name for template in answer.templates}:
        read = FileRead.objects.get(customer=records["customer"])
        assert (read.reader, read.times) == (rep, 1)
        client.get(address(name, records), headers={"HX-Request": "true"})
        assert FileRead.objects.get().times == 1


@pytest.mark.parametrize("name", PRODUCT)
def test_no_role_breaks_a_page(name: str, records, north) -> None:
    url = address(name, records)
    wrong = {}
    for role in Role.values:
        client = Client()
        client.force_login(make_user(f"walker-{role}", role=role, team=north))
        status = ask(client, "get", url)
        missing = status == 404 and name not in OWNED and name != "api-unknown"
        if status >= 500 or missing:
            wrong[role] = status
    assert not wrong


def grow(records: dict[str, Any], rep: User, north: Team, numbers: range) -> None:
    """More of every record, beside the first customer and under it."""
    for number in numbers:
        product = make_product()
        another = make_customer(owner=rep, parent=records["customer"], tags=["walk"])
        for customer in (records["customer"], another):
            make_order(customer, lines=[(product, "1", "5.00"), (records["product"], "2", "3.00")])
            make_payment(customer, "0.50", order=records["order"])
            make_stock_report(customer, {product: 3, records["product"]: 4})
            make_sell_out(customer, product)
            make_adjustment(customer, product)
            make_visit(customer, rep)
            make_promise(customer, rep)
            make_import(rep, customer, run=records["import"])
            make_import(rep, customer)
            make_interaction(customer, rep)
            make_sending(customer, make_user(), make_information())
            make_suggestion(customer, make_user(), product=records["product"])
            make_suggestion(customer, rep, visit=records["visit"], product=product)
            make_visit(customer, rep, scheduled_for=timezone.now())
            Supplier.objects.create(customer=customer, name=f"Rival {number}", satisfaction=5)
            reads.note(customer.pk, reader_id=make_user().pk, now=timezone.now())
            Reminder.objects.create(
                occasion="dragon_boat", on=date(2030 + number, 6, 5), customer=customer, user=rep
            )
            TierChange.objects.create(
                run=records["run"] if customer == another else make_run(records["policy"]),
                customer=customer,
                recorded_for=customer.pk,
                changed_at=timezone.now(),
                to_tier="A",
                net_amount=10,
                rank=number + 1,
                ranked=9,
                share_before="0.1",
            )
        OrderLine.objects.create(
            order=records["order"], line_no=number + 2, product=product, quantity=1, unit_price=1
        )
        make_stock_line(records["stock_report"], product, 7)
        StockImport.objects.create(
            by=rep, kind="sales", name=f"{number}.csv", created_at=timezone.now()
        )
        make_credit(another, limit=5)
        make_review(another)
        make_exception(another)
        make_exception(records["customer"], answer="approved", answered_by=make_user())
        make_review(records["customer"], state="declined", decided_by=rep)
        refresh([records["customer"].pk, another.pk], today=date(2026, 6, 16))
        for customer in (records["customer"], another):
            counted_at = local(2026, 4, 1 + number)
            make_stock_report(customer, {product: 5, records["product"]: 9}, reported_at=counted_at)
            make_sell_out(customer, records["product"])
            make_adjustment(customer, records["product"])
        restock([records["customer"].pk, another.pk], today=date(2026, 6, 16))
        StockRules.objects.create(valid_from=date(2026, 2, 1 + number))
        make_hold(records["order"], ended_at=timezone.now())
        make_user(role=Role.REP, team=make_team(parent=north))
        make_pair(records["customer"], another)
        make_outlook(another, last_on=timezone.localdate() - timedelta(days=84))
        Assignment.objects.create(
            owner=rep,
            wanted="tax_id",
            due_on=date(2199, 1, 1),
            total=1,
            by=rep,
            made_at=timezone.now(),
        ).files.create(customer=another)
        gone = make_customer(owner=rep, phone="057585123456")
        merge(gone_id=gone.pk, into_id=another.pk, by=rep, now=timezone.now())
        JobRun.objects.create(kind="duplicates", owner=rep, created_at=timezone.now())
        HandOver.objects.create(giver=rep, successor=rep, by=rep, at=timezone.now(), count=1)
        make_customer(owner=rep, group_head=records["customer"])
        make_key()
        make_delivery(records["webhook"])
        make_scenario(shared=True)
        make_override(another, rep)
        make_key_account(another, rep)
        SyncCall.objects.create(resource="orders", actor=rep, errors=[{"index": number}])
        SavedView.objects.create(owner=rep, name=f"View {number}", query="abc=A", shared=True)
        PeriodicTask.objects.create(
            name=f"walk {number}", task="walk", interval=records["job"].interval
        )
    Customer.objects.update(abc="A", net_amount=10)


@pytest.mark.parametrize("name", sorted(set(PRODUCT) - {"api-schema", "api-unknown", "readyz"}))
def test_no_address_asks_more_of_the_database_when_there_is_more(
    name: str, records, rep, north
) -> None:
    chief = make_user("chief", role=Role.ADMINISTRATOR, is_superuser=True)
    client = Client()
    client.force_login(chief)
    url = address(name, records)

    def cost() -> int:
        ask(client, "get", url)  # fills the caches of the process
        with CaptureQueriesContext(connection) as queries:
            ask(client, "get", url)
        return len(queries)

    grow(records, rep, north, range(2))
    few = cost()
    grow(records, rep, north, range(2, 7))
    assert cost() <= few


@pytest.mark.parametrize("name", ADMIN)
def test_the_admin_site_is_for_superusers(name: str, records, administrator: User) -> None:
    url = address(name, records)
    client = Client()
    for user in (None, administrator):
        if user:
            client.force_login(user)
        for method in ("get", "post"):
            assert ask(client, method, url) in {302, 403, 404, 405}
