"""The daily job that makes and mails reminders."""

from __future__ import annotations

from celery import Task, shared_task
from django.utils import timezone

from accounts.audit import Through, acting
from visits.actions import make_reminders, send_reminder_mails

RETRY_S = 30 * 60


@shared_task
def remind() -> None:
    """Make the reminders due today, then mail them."""
    with acting(through=Through.JOB):
        make_reminders(today=timezone.localdate())
    mail_reminders.delay()


@shared_task(bind=True, max_retries=10)
def mail_reminders(self: Task[..., None]) -> None:
    """Mail what is not mailed yet; what fails is tried again every half hour."""
    if send_reminder_mails(now=timezone.now()):
        raise self.retry(countdown=RETRY_S)
