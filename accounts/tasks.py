"""The nightly clearing out."""

from celery import shared_task
from django.utils import timezone

from accounts import actions


@shared_task
def clear_expired() -> None:
    """Forget answers kept for retries, and sessions, once they have run out."""
    actions.clear_expired(now=timezone.now())
