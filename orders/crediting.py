"""Credit as it is given, watched and enforced: balances, holds and releases (P39).

What was synced or entered is judged by a task after the commit (`orders.settling`), so that
nothing of it slows the writing; a task of the night does it for everybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib import bulk
from crm.lib.formats import price
from orders import balances
from orders.credit import Held, Rule, judge
from orders.events import tell_held
from orders.models import Cause, Credit, Hold, HoldAt, Order, OrderStatus, TradeTerms
from orders.settling import send, settle_later


def settle_credit(*, customer_ids: Iterable[int], today: date, now: datetime) -> None:
    """Work out what these customers owe, and which of their orders wait."""
    for ids in balances.in_chunks(customer_ids):
        balances.refresh(ids, today=today)
        hold_orders(ids, today=today, now=now)


def settle_all(*, today: date, now: datetime) -> None:
    """The same for every customer: what is overdue grows older by itself."""
    for ids in balances.chunks_of_all():
        balances.refresh(ids, today=today)
        hold_orders(ids, today=today, now=now)


# --- holding


@transaction.atomic
def hold_orders(customer_ids: Collection[int], *, today: date, now: datetime) -> None:
    """Hold the orders of these customers that must wait, and let go those that need not any more.

    A fixed number of statements for at most balances.CHUNK customers.
    """
    bulk.lock(balances.LOCK)
    credits = {
        one.customer_id: one
        for one in Credit.objects.filter(customer__in=customer_ids).exclude(hold_at=HoldAt.NEVER)
    }
    known = list(
        Hold.objects.filter(Q(ended_at=None) | ~Q(released_by=None))
        .filter(order__customer__in=customer_ids)
        .order_by("pk")
    )
    open_ones = {(hold.order_id, hold.cause): hold for hold in known if hold.ended_at is None}
    released = {(hold.order_id, hold.cause) for hold in known if hold.released_by_id}
    wanted: dict[tuple[int, str], Held] = {}
    paid_since = balances.paid_since(today)
    terms = {customer: credit.terms_days for customer, credit in credits.items()}
    accounts = balances.open_accounts(list(credits), today=today, terms=terms)
    for customer, account in accounts.items():
        held = judge(
            rule_of(credits[customer]),
            account.items,
            on_account=account.on_account,
            today=today,
            paid_since=paid_since,
            released=released,
        )
        wanted |= {(one.order_id, one.cause): one for one in held}
    _record(wanted, open_ones, now=now)


def rule_of(credit: Credit) -> Rule:
    """What was agreed, as the rules read it."""
    return Rule(credit.limit, credit.terms_days, credit.hold_at, credit.hold_overdue_days)


def _record(
    wanted: dict[tuple[int, str], Held], open_ones: dict[tuple[int, str], Hold], *, now: datetime
) -> None:
    """Write only what changed: new holds, ended ones, and the orders they make wait or go."""
    new = [wanted[key] for key in sorted(wanted.keys() - open_ones.keys())]
    gone = [open_ones[key] for key in sorted(open_ones.keys() - wanted.keys())]
    Hold.objects.bulk_create(
        Hold(order_id=one.order_id, cause=one.cause, facts=one.facts, held_at=now, version=1)
        for one in new
    )
    Hold.objects.filter(pk__in=[hold.pk for hold in gone]).update(
        ended_at=now, updated_at=now, version=F("version") + 1
    )
    touched = {one.order_id for one in new} | {hold.order_id for hold in gone}
    _mark(touched, {order for order, _cause in wanted}, now=now)


def _mark(touched: Collection[int], waiting: Collection[int], *, now: datetime) -> None:
    """Bring `Order.held` of the touched orders into line, with an audit entry for each change."""
    if not touched:
        return
    bulk.lock("sync orders")  # a sync writes its orders in another order: neither waits for both
    orders = Order.objects.filter(pk__in=touched).select_for_update().order_by("pk")
    changed = [order for order in orders if order.held != (order.pk in waiting)]
    for held in (True, False):
        ids = [order.pk for order in changed if order.held != held]
        Order.objects.filter(pk__in=ids).update(held=held, updated_at=now, version=F("version") + 1)
    AuditEntry.write_many(
        AuditEntry.build(
            model=Order,
            object_id=order.pk,
            object_name=str(order),
            action=Action.UPDATE,
            before={"held": order.held},
            after={"held": not order.held},
        )
        for order in changed
    )
    tell_held(
        held=[order.pk for order in changed if not order.held],
        released=[order.pk for order in changed if order.held],
        at=now,
    )


@transaction.atomic
def release(*, order: Order, by: User, reason: str, now: datetime) -> list[Hold]:
    """Let an order go in spite of its customer's credit; it is not held for that again.

    ValidationError where it does not wait (any more): released by somebody else at the same
    time, cancelled, or its cause gone.
    """
    bulk.lock(balances.LOCK)
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    holds = list(Hold.objects.open().filter(order=order).order_by("pk"))
    if not holds:
        last = Hold.objects.filter(order=order).select_related("released_by").first()
        if last and last.released_by:
            raise ValidationError(
                _("%(who)s released this order already."),
                code="released",
                params={"who": last.released_by.display_name},
            )
        raise ValidationError(_("This order does not wait any more."), code="not_held")
    if order.status != OrderStatus.CONFIRMED:  # its hold ends with the next judgement
        raise ValidationError(_("This order went on meanwhile."), code="gone_on")
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it may go.")}, code="required")
    for hold in holds:
        hold.ended_at, hold.released_by, hold.reason = now, by, reason.strip()
        hold.save(update_fields=["ended_at", "released_by", "reason"])
    order.held = False
    order.save(update_fields=["held"])
    tell_held(released=[order.pk], at=now)
    settle_later([order.customer_id])
    return holds


@transaction.atomic
def hold_again(*, order: Order, now: datetime) -> None:
    """Take back a release: the same holds stand again, unless the order is over.

    ValidationError where nobody released the order, or it went on meanwhile.
    """
    bulk.lock(balances.LOCK)
    order = Order.objects.select_for_update(of=("self",)).get(pk=order.pk)
    last = Hold.objects.filter(order=order).exclude(released_by=None).first()
    if last is None or order.held:
        raise ValidationError(_("There is no release to take back."), code="not_released")
    if order.status != OrderStatus.CONFIRMED:
        raise ValidationError(_("This order went on meanwhile."), code="gone_on")
    for hold in Hold.objects.filter(order=order, ended_at=last.ended_at).exclude(released_by=None):
        hold.ended_at, hold.released_by, hold.reason = None, None, ""
        hold.save(update_fields=["ended_at", "released_by", "reason"])
    order.held = True
    order.save(update_fields=["held"])
    tell_held(held=[order.pk], at=now)
    settle_later([order.customer_id])


# --- giving credit


@transaction.atomic
def set_credit(*, credit: Credit) -> Credit:
    """Store what a customer may owe; its reason is part of it. Orders are judged again at once."""
    credit.reason = credit.reason.strip()
    credit.full_clean(exclude=["customer"])
    credit.save()
    settle_later([credit.customer_id])
    return credit


@transaction.atomic
def set_terms(*, terms: TradeTerms) -> TradeTerms:
    """Store what the company asks from a day on; whether payments are kept concerns everybody."""
    known = TradeTerms.objects.on(terms.valid_from)
    kept = terms.was("keeps_payments") if terms.pk else known.keeps_payments
    terms.save()
    if kept != terms.keeps_payments:
        transaction.on_commit(lambda: send("orders.tasks.settle_credit_nightly"))
    return terms


def reasons_of(holds: Sequence[Hold]) -> list[dict[str, Any]]:
    """Each hold with its sentence in the reader's language, for the page of an order."""
    return [{"hold": hold, "why": why(hold.cause, hold.facts)} for hold in holds]


def why(cause: str, facts: dict[str, Any]) -> str:
    """Why an order waits, in the reader's language and in numbers."""
    if cause == Cause.LIMIT:
        return _(
            "Limit %(limit)s; %(used)s counts already, this order adds %(open)s: "
            "%(beyond)s too much."
        ) % {
            "limit": price(Decimal(facts["limit"])),
            "used": price(Decimal(facts["used"])),
            "open": price(Decimal(facts["open"])),
            "beyond": price(
                Decimal(facts["used"]) + Decimal(facts["open"]) - Decimal(facts["limit"])
            ),
        }
    return _(
        "%(overdue)s is overdue, the oldest for %(days)d days; %(allowed)d days are allowed."
    ) % {
        "overdue": price(Decimal(facts["overdue"])),
        "days": facts["days"],
        "allowed": facts["allowed"],
    }
