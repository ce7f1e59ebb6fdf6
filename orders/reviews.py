"""Credit reviews: run over all customers, accepted, declined and taken back (P39)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.jobs import Result, Step
from accounts.models import AuditEntry, User
from crm.lib import bulk
from crm.lib.days import day_bounds
from crm.lib.formats import day as day_in_words
from crm.lib.formats import local_day, percent, price
from customers.models import Customer
from orders import balances, crediting
from orders.ledger import ZERO, Bill
from orders.models import (
    NETTED,
    Credit,
    CreditReview,
    CreditRules,
    Hold,
    HoldAt,
    Order,
    OrderStatus,
    Payment,
    Proposal,
    ReviewState,
    usual_credit,
)
from orders.paying import Paid, parts_paid
from orders.reviewing import Limits, Verdict, first_day, habits_of, propose

LOCK = "credit reviews"
#: So many proposals are accepted at once.
MOST_AT_ONCE = 50


# --- proposing


def review_all(step: Step, *, today: date, now: datetime) -> Result:
    """Review every customer, CHUNK at a time; how many proposals of each kind now stand open."""
    total = Customer.objects.count()
    limits = limits_of(CreditRules.objects.on(today))
    counts = dict.fromkeys(Proposal.values, 0)
    done = 0
    step(0, total)
    for ids in balances.chunks_of_all():
        for kind, number in review(ids, limits=limits, today=today, now=now).items():
            counts[kind] += number
        done += len(ids)
        step(done, total)
    return {**counts, "customers": done}


def limits_of(rules: CreditRules) -> Limits:
    """The rules as `orders.reviewing` reads them."""
    return Limits(
        spread_days=rules.spread_days,
        factors={"A": rules.factor_a, "B": rules.factor_b, "C": rules.factor_c},
        slow_days=rules.slow_days,
        late_days=rules.late_days,
        overdue_share=rules.overdue_share,
        stop_days=rules.stop_days,
        most_releases=rules.most_releases,
        cap=rules.cap,
        band=rules.band,
        step=rules.step,
    )


@transaction.atomic
def review(
    customer_ids: Collection[int], *, limits: Limits, today: date, now: datetime
) -> dict[str, int]:
    """Bring the open proposals of these customers up to date, with a fixed number of statements.

    What was declined is not proposed again until its numbers change. Returns how many of each
    kind are open.
    """
    bulk.lock(LOCK)
    credits = {one.customer_id: one for one in Credit.objects.filter(customer__in=customer_ids)}
    verdicts = _verdicts(customer_ids, credits, limits=limits, today=today)
    declined = {
        one.customer_id: (one.kind, one.current, one.proposed)
        for one in CreditReview.objects.filter(
            customer__in=customer_ids, state=ReviewState.DECLINED
        ).order_by("decided_at", "pk")
    }
    open_ones = {
        one.customer_id: one
        for one in CreditReview.objects.open()
        .filter(customer__in=customer_ids)
        .select_for_update()
        .order_by("pk")
    }
    counts: dict[str, int] = defaultdict(int)
    new: list[CreditReview] = []
    changed: list[CreditReview] = []
    for customer, verdict in sorted(verdicts.items()):
        credit = credits.get(customer)
        current = credit.limit if credit else None
        if declined.get(customer) == (verdict.kind, current, verdict.proposed):
            continue
        counts[verdict.kind] += 1
        one = open_ones.pop(customer, None)
        (new if one is None else changed).append(
            _written(one or CreditReview(customer_id=customer), verdict, credit, today, now)
        )
    CreditReview.objects.filter(pk__in=[one.pk for one in open_ones.values()]).delete()
    CreditReview.objects.bulk_create(new)
    CreditReview.objects.bulk_update(
        changed,
        [
            "as_of",
            "kind",
            "current",
            "proposed",
            "credit_version",
            "facts",
            "updated_at",
            "version",
        ],
        batch_size=200,
    )
    return dict(counts)


def _written(
    one: CreditReview, verdict: Verdict, credit: Credit | None, today: date, now: datetime
) -> CreditReview:
    one.as_of, one.kind, one.proposed = today, verdict.kind, verdict.proposed
    one.current, one.credit_version = (credit.limit, credit.version) if credit else (None, 0)
    one.facts, one.updated_at = verdict.facts, now
    one.version += 1
    return one


def _verdicts(
    customer_ids: Collection[int],
    credits: dict[int, Credit],
    *,
    limits: Limits,
    today: date,
) -> dict[int, Verdict]:
    start, end = day_bounds(first_day(today), today)
    bills: dict[int, dict[int, tuple[Bill, date]]] = defaultdict(dict)
    net: dict[int, Decimal] = defaultdict(lambda: ZERO)
    orders = Order.objects.filter(customer__in=customer_ids, status__in=NETTED).order_by()
    for pk, customer, number, at, status, amount in orders.values_list(
        "pk", "customer_id", "external_id", "ordered_at", "status", "amount"
    ):
        bills[customer][pk] = (Bill(pk, number or "", at, status, amount), local_day(at))
        if start <= at < end:
            net[customer] += -amount if status == OrderStatus.RETURNED else amount
    money: dict[int, list[Paid]] = defaultdict(list)
    payments = Payment.objects.filter(customer__in=customer_ids).order_by()
    for customer, at, amount, order in payments.values_list(
        "customer_id", "paid_at", "amount", "order_id"
    ):
        money[customer].append(Paid(local_day(at), amount, order))
    releases = dict(
        Hold.objects.filter(order__customer__in=customer_ids, ended_at__gte=start, ended_at__lt=end)
        .exclude(released_by=None)
        .order_by()
        .values("order__customer_id")
        .annotate(n=Count("order", distinct=True))
        .values_list("order__customer_id", "n")
    )
    keeps_payments = balances.keeps_payments(today)
    verdicts = {}
    people = Customer.objects.filter(pk__in=customer_ids).order_by()
    for customer, abc, key_account in people.values_list("pk", "abc", "key_account"):
        credit = credits.get(customer) or usual_credit(customer)
        own = bills[customer]
        verdict = propose(
            limits,
            habits_of(
                own,
                parts_paid(own, money[customer]),
                net=net[customer],
                terms_days=credit.terms_days,
                as_of=today,
                releases=releases.get(customer, 0),
                keeps_payments=keeps_payments,
            ),
            current=credit.limit,
            terms_days=credit.terms_days,
            tier="A" if key_account else abc or "C",
        )
        if verdict is not None:
            verdicts[customer] = verdict
    return verdicts


# --- deciding


@transaction.atomic
def accept(
    *, review: CreditReview, amount: Decimal, reason: str, version: int, by: User, now: datetime
) -> CreditReview:
    """Give the customer the limit `amount` for the reason that the review has.

    ValidationError where the proposal is decided or was worked out anew since `version`, or
    where somebody changed the credit after it was looked at: the message says who.
    """
    locked, credit = _locked(review)
    _check(locked, version)
    if (credit.version, credit.limit) != (locked.credit_version, locked.current):
        raise _overtaken(credit)
    if amount < 0:
        raise ValidationError({"amount": _("A limit is not negative.")}, code="negative")
    was = {"limit": None if credit.limit is None else str(credit.limit), "hold_at": credit.hold_at}
    credit.limit = amount
    if locked.kind == Proposal.STOP and credit.hold_at == HoldAt.NEVER:
        credit.hold_at = HoldAt.ORDER  # a stop that lets every order go would stop nothing
    credit.reason = reason.strip() or _said(locked)
    crediting.set_credit(credit=credit)
    locked.before = {**was, "version": credit.version}
    locked.granted = amount
    return _decided(locked, ReviewState.ACCEPTED, credit.reason, by, now)


@transaction.atomic
def decline(
    *, review: CreditReview, reason: str, version: int, by: User, now: datetime
) -> CreditReview:
    """Leave the credit as it is; the same numbers are not proposed again. A reason is needed."""
    locked, _credit = _locked(review)
    _check(locked, version)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why not.")}, code="required")
    return _decided(locked, ReviewState.DECLINED, reason.strip(), by, now)


@transaction.atomic
def reopen(*, review: CreditReview) -> CreditReview:
    """Take a decision back: the credit is as it was before, and the proposal open again.

    ValidationError where the credit was changed since, or a newer proposal is open.
    """
    bulk.lock(LOCK)
    locked, credit = _locked(review)
    if locked.is_open:
        return locked
    if CreditReview.objects.open().filter(customer=locked.customer_id).exists():
        raise ValidationError(_("A newer proposal is open for this customer."), code="newer")
    if locked.state == ReviewState.ACCEPTED:
        if credit.version != locked.before["version"]:
            raise _overtaken(credit)
        limit = locked.before["limit"]
        credit.limit = None if limit is None else Decimal(limit)
        credit.hold_at = locked.before["hold_at"]
        credit.reason = _("The credit review is taken back")
        crediting.set_credit(credit=credit)
        locked.credit_version = credit.version
    locked.state, locked.granted, locked.before = ReviewState.OPEN, None, {}
    locked.decided_by, locked.decided_at, locked.reason = None, None, ""
    locked.save()
    return locked


def accept_each(
    reviews: Sequence[CreditReview], *, by: User, now: datetime
) -> tuple[list[CreditReview], list[tuple[CreditReview, str]]]:
    """Accept several as proposed: those that went, and those that did not, with the reason why.

    ValidationError for more than MOST_AT_ONCE.
    """
    if len(reviews) > MOST_AT_ONCE:
        raise ValidationError(
            _("At most %(n)d proposals at once."), code="many", params={"n": MOST_AT_ONCE}
        )
    gone, left = [], []
    for one in sorted(reviews, key=lambda one: one.customer_id):
        try:
            gone.append(
                accept(
                    review=one, amount=one.proposed, reason="", version=one.version, by=by, now=now
                )
            )
        except ValidationError as no:
            left.append((one, " ".join(no.messages)))
    return gone, left


def _locked(review: CreditReview) -> tuple[CreditReview, Credit]:
    """The review and its customer's credit; the customer's row first, as every change of credit."""
    Customer.objects.select_for_update(of=("self",)).get(pk=review.customer_id)
    found = CreditReview.objects.select_for_update(of=("self",)).filter(pk=review.pk).first()
    if found is None:
        raise ValidationError(_("This proposal is taken back: it is not needed any more."), "gone")
    credit = Credit.objects.filter(customer=review.customer_id).first()
    return found, credit or usual_credit(review.customer_id)


def _check(review: CreditReview, version: int) -> None:
    if not review.is_open:
        raise ValidationError(
            _("%(who)s decided on this proposal already."),
            code="decided",
            params={"who": review.decided_by.display_name if review.decided_by else "–"},
        )
    if review.version != version:
        raise ValidationError(
            _("The proposal was worked out anew meanwhile. It is shown as it is now."),
            code="changed",
        )


def _overtaken(credit: Credit) -> ValidationError:
    last = AuditEntry.objects.of(credit).first() if credit.pk else None
    return ValidationError(
        _("%(who)s changed the credit on %(day)s, after this was proposed. Review it anew."),
        code="overtaken",
        params={
            "who": (last and last.actor_name) or _("Somebody"),
            "day": day_in_words(last.at) if last else "–",
        },
    )


def _decided(
    review: CreditReview, state: ReviewState, reason: str, by: User, now: datetime
) -> CreditReview:
    review.state, review.reason = state, reason
    review.decided_by, review.decided_at = by, now
    review.save()
    return review


def _said(review: CreditReview) -> str:
    return _("Credit review of %(day)s: %(kind)s") % {
        "day": review.as_of.isoformat(),
        "kind": review.get_kind_display(),
    }


# --- wording


def why(review: CreditReview) -> list[str]:
    """The reasons in the reader's language and in numbers, what decided first."""
    facts = review.facts
    words = {
        "need": _need,
        "late": _late,
        "slow": _late,
        "overdue": _overdue,
        "released": _released,
        "stop": _stop,
        "cap": _cap,
    }
    told = [words[name](facts) for name in facts["reasons"]]
    if "need" not in facts["reasons"]:
        told.append(_need(facts))
    if not {"late", "slow"} & set(facts["reasons"]) and facts["pay_days"] is not None:
        told.append(_late(facts))
    return told


def _need(facts: dict[str, Any]) -> str:
    return _(
        "Bought for %(net)s in 365 days: %(days)d days of it are %(need)s; for tier %(tier)s "
        "%(factor)d %% of that are %(wanted)s."
    ) % {
        "net": price(Decimal(facts["net"])),
        "days": facts["days"],
        "need": price(Decimal(facts["need"])),
        "tier": facts["tier"],
        "factor": facts["factor"],
        "wanted": price(Decimal(facts["wanted"])),
    }


def _late(facts: dict[str, Any]) -> str:
    return _(
        "Pays after %(days)s days on average, agreed are %(terms)d (slow from %(slow)d days "
        "beyond them, late from %(late)d)."
    ) % {
        "days": facts["pay_days"],
        "terms": facts["terms"],
        "slow": facts["slow_days"],
        "late": facts["late_days"],
    }


def _overdue(facts: dict[str, Any]) -> str:
    overdue, delivered = Decimal(facts["overdue"]), Decimal(facts["delivered"])
    return _(
        "%(overdue)s of %(delivered)s is overdue (%(share)s; %(most)d %% are allowed), the oldest "
        "for %(days)d days."
    ) % {
        "overdue": price(overdue),
        "delivered": price(delivered),
        "share": percent(overdue / delivered if delivered else ZERO),
        "most": facts["overdue_share"],
        "days": facts["oldest"],
    }


def _released(facts: dict[str, Any]) -> str:
    return ngettext(
        "%(n)d held order was released in 365 days (at most %(most)d for a raise).",
        "%(n)d held orders were released in 365 days (at most %(most)d for a raise).",
        facts["releases"],
    ) % {"n": facts["releases"], "most": facts["most_releases"]}


def _stop(facts: dict[str, Any]) -> str:
    return _("Something is overdue for %(days)d days; credit stops after %(most)d.") % {
        "days": facts["oldest"],
        "most": facts["stop_days"],
    }


def _cap(facts: dict[str, Any]) -> str:
    return _("One review moves a limit by %(cap)d %% at most.") % {"cap": facts["cap"]}
