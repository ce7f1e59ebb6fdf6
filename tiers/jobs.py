"""The kinds of long jobs over tiers and purchases."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import jobs
from accounts.jobs import JobKind, Step
from accounts.models import JobRun, User
from tiers.churn import forecast

#: The estimate of who leaves silently.
CHURN = "churn"


def request_forecast(*, as_of: date, user: User | None, now: datetime) -> JobRun:
    """Have a worker estimate all customers as of the end of a day."""
    parameters = {"as_of": as_of.isoformat()}
    return jobs.request(CHURN, owner=user, parameters=parameters, now=now)


def do_forecast(job: JobRun, step: Step, *, now: datetime) -> jobs.Result:
    as_of = date.fromisoformat(job.parameters["as_of"])
    return forecast.forecast(step, as_of=as_of, now=now)


def yesterday(now: datetime) -> date:
    """The last whole day in the company's time zone."""
    return timezone.localdate(now, timezone.get_default_timezone()) - timedelta(days=1)


def offered() -> list[JobKind]:
    return [
        JobKind(
            name=CHURN,
            label=gettext_lazy("Estimate who leaves silently"),
            task="tiers.tasks.forecast_churn",
            page=lambda _job: reverse("tiers:leaving"),
            tell=_tell,
            shared=True,
            permission="tiers:read",
        ),
    ]


def _tell(job: JobRun) -> str:
    """No numbers: the reader may see a part of the customers only."""
    if job.result.get("superseded"):
        return _("Nothing was written: an estimate as of a later day stands already.")
    return _("All customers were estimated.")
