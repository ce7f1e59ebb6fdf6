"""Making the reminders of an occasion, and mailing them."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib.calendar import occasions
from crm.lib.formats import local_day
from customers.models import Customer, Tier
from visits.models import OccasionCode, OccasionRule, Reminder

log = logging.getLogger("visits")

BATCH = 1000
MAIL_TIMEOUT_S = 10


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
