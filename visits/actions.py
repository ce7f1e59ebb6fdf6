"""What people and jobs do with visits and reminders where several rows change together."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib.calendar import occasions
from crm.lib.days import day_bounds
from crm.lib.formats import local_day
from customers.models import Customer, Tier
from visits.answers import Answers, cleaned
from visits.models import OccasionCode, OccasionRule, Reminder, Visit, VisitStatus
from visits.places import Place

log = logging.getLogger("visits")

BATCH = 1000
MAIL_TIMEOUT_S = 10


@transaction.atomic
def plan_visit(*, customer: Customer, rep: User, scheduled_for: datetime, purpose: str) -> Visit:
    """Plan a visit; where this rep has one open with the customer on that day, it is that one."""
    # The customer's row is the queue: the second press of the button waits for the first.
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    day = local_day(scheduled_for)
    there = (
        Visit.objects.open().between(*day_bounds(day, day)).filter(customer=customer, rep=rep)
    ).first()
    if there is not None:
        return there
    visit = Visit(customer=customer, rep=rep, scheduled_for=scheduled_for, purpose=purpose.strip())
    visit.full_clean()
    visit.save()
    return visit


@transaction.atomic
def log_visit(
    *,
    client_id: UUID,
    customer: Customer,
    rep: User,
    at: datetime,
    answers: Answers,
    words: str,
    purpose: str,
    close: bool,
    now: datetime,
) -> Visit:
    """Write down a visit that took place at `at`, as a draft or closed.

    The same `client_id` again leads to the same visit, brought up to what was sent last.
    """
    visit = _visit_of(client_id, customer)
    if visit is None:
        visit = Visit(client_id=client_id, customer=customer, rep=rep, scheduled_for=at)
        visit.purpose = purpose
        try:
            with transaction.atomic():
                visit.check_in(by=rep, at=at, now=now)
        except IntegrityError:  # the other press of the button came first
            visit = _visit_of(client_id, customer)
            if visit is None:
                raise
    return record_visit(
        visit=visit, answers=answers, words=words, purpose=purpose, close=close, now=now
    )


def _visit_of(client_id: UUID, customer: Customer) -> Visit | None:
    return Visit.objects.filter(client_id=client_id, customer=customer).first()


@transaction.atomic
def record_visit(
    *,
    visit: Visit,
    answers: Answers,
    words: str,
    purpose: str,
    close: bool,
    now: datetime,
    version: int | None = None,
) -> Visit:
    """Keep the record of a visit, and close it where `close`; the customer learns of the visit.

    Closing a visit that is closed already puts its record right. `version` is the one the writer
    saw: where somebody wrote something else since, it is refused with the code `changed`.
    """
    visit = lock_visit(visit)
    if version is not None and visit.version != version:
        told = (visit.answers, visit.words, visit.purpose)
        if told == (cleaned(answers), words.strip(), purpose.strip()) and (
            visit.status == VisitStatus.DONE or not close
        ):
            return visit
        raise changed_meanwhile()
    if close and visit.status != VisitStatus.DONE:
        visit.close(answers=answers, words=words, purpose=purpose, now=now)
        _note_visit_on_customer(visit)
    else:
        visit.write(answers=answers, words=words, purpose=purpose, now=now)
    return visit


@transaction.atomic
def move_visit(*, visit: Visit, to: datetime, purpose: str, version: int) -> Visit:
    """Plan a visit for another time; refused with the code `changed` like `record_visit`."""
    visit = lock_visit(visit)
    if visit.version != version:
        if (visit.scheduled_for, visit.purpose) == (to, purpose.strip()):
            return visit
        raise changed_meanwhile()
    visit.move(to=to, purpose=purpose.strip())
    return visit


@transaction.atomic
def cancel_visit(*, visit: Visit) -> Visit:
    """Call a visit off; one that is off already stays so."""
    visit = lock_visit(visit)
    if visit.status != VisitStatus.CANCELLED:
        visit.cancel()
    return visit


@transaction.atomic
def miss_visit(*, visit: Visit, now: datetime) -> Visit:
    """Say that a visit did not take place; said twice, it is said once."""
    visit = lock_visit(visit)
    if visit.status != VisitStatus.MISSED:
        visit.miss(now)
    return visit


def changed_meanwhile() -> ValidationError:
    return ValidationError(
        _("Somebody else has changed this visit since you opened it. Nothing was saved yet."),
        code="changed",
    )


def lock_visit(visit: Visit) -> Visit:
    """The visit as it stands now, held until the transaction ends."""
    return Visit.objects.select_for_update(of=("self",)).select_related("customer").get(pk=visit.pk)


@transaction.atomic
def check_in(*, visit: Visit, by: User, now: datetime, place: Place | None) -> Visit:
    """Begin a planned visit, or put the place of one that goes on right.

    A visit planned for a day that has passed is written down as of its planned time, and without
    a place: the phone stands somewhere else by now.
    """
    visit = lock_visit(visit)
    if visit.status == VisitStatus.CHECKED_IN:
        if place is not None:
            visit.locate(place)
    elif local_day(visit.scheduled_for) < local_day(now):
        visit.check_in(by=by, at=visit.scheduled_for, now=now)
    else:
        visit.check_in(by=by, at=now, now=now, place=place)
    return visit


def _note_visit_on_customer(visit: Visit) -> None:
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=visit.customer_id)
    if customer.last_visited_on is None or customer.last_visited_on < visit.visited_on:
        customer.last_visited_on = visit.visited_on
        customer.save(update_fields=["last_visited_on"])


# --- reminders


def make_reminders(*, today: date) -> int:
    """Make the reminders that are due; returns how many are new.

    For every occasion at most its rule's days ahead, one reminder for each A and B customer that
    somebody who still works here owns. Run again, late, or twice at once, it makes each only once.
    """
    made = 0
    for rule in OccasionRule.objects.filter(enabled=True):
        for occasion in occasions(today, today + timedelta(days=rule.days_before)):
            if occasion.code == rule.code:
                made += _make_reminders_of(rule.pk, occasion.code, occasion.on)
    return made


@transaction.atomic
def _make_reminders_of(rule_id: int, code: str, on: date) -> int:
    # The rule's row is the queue of the workers: the second finds the rows of the first.
    OccasionRule.objects.select_for_update().get(pk=rule_id)
    there = Reminder.objects.filter(customer=OuterRef("pk"), occasion=code, on=on)
    to_greet = (
        Customer.objects.filter(abc__in=[Tier.A, Tier.B], owner__is_active=True)
        .exclude(Exists(there))
        .order_by("pk")
        .values_list("pk", "owner_id")
    )
    made = Reminder.objects.bulk_create(
        [
            Reminder(occasion=code, on=on, customer_id=customer_id, user_id=owner_id, version=1)
            for customer_id, owner_id in to_greet
        ],
        batch_size=BATCH,
    )
    AuditEntry.write_many(
        AuditEntry.build(
            model=Reminder,
            object_id=reminder.pk,
            object_name=f"{code} {on}",
            action=Action.CREATE,
            before={},
            after={
                "occasion": code,
                "on": on,
                "customer_id": reminder.customer_id,
                "user_id": reminder.user_id,
            },
        )
        for reminder in made
    )
    return len(made)


def send_reminder_mails(*, now: datetime) -> int:
    """One mail per person and occasion for the reminders not mailed yet; returns how many failed.

    A mail that cannot be sent leaves its reminders to the next run.
    """
    today = local_day(now)
    groups = (
        Reminder.objects.to_mail(today)
        .order_by("on", "occasion", "customer__owner")
        .values_list("customer__owner", "occasion", "on")
        .distinct()
    )
    failed = 0
    for owner_id, code, on in list(groups):
        try:
            _mail_reminders(owner_id, code, on, now)
        except (OSError, SMTPException) as error:
            failed += 1
            log.warning(
                "a reminder mail for %s %s was not sent: %s", code, on, type(error).__name__
            )
    return failed


@transaction.atomic
def _mail_reminders(owner_id: int, code: str, on: date, now: datetime) -> None:
    """Send what is still unsent of one group; rows another worker is sending are left to it."""
    reminders = list(
        Reminder.objects.to_mail(local_day(now))
        .filter(customer__owner=owner_id, occasion=code, on=on)
        .select_related("customer")
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("customer__abc", "customer__name", "pk")
    )
    if not reminders:
        return
    owner = User.objects.get(pk=owner_id)
    with translation.override(owner.language):
        context: dict[str, Any] = {
            "owner": owner,
            "occasion": OccasionCode(code).label,
            "on": on,
            "days": (on - local_day(now)).days,
            "customers": [reminder.customer for reminder in reminders],
            "url": settings.BASE_URL + reverse("visits:reminders"),
        }
        mail = EmailMessage(
            subject=_("%(occasion)s: %(n)s to greet")
            % {"occasion": context["occasion"], "n": len(reminders)},
            body=render_to_string("visits/mail/reminders.txt", context),
            to=[owner.email],
            connection=get_connection(timeout=MAIL_TIMEOUT_S),
        )
    mail.send()
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in reminders]).update(
        mailed_at=now, updated_at=now, version=F("version") + 1
    )
