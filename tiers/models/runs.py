"""Computations of all tiers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked, User
from tiers.models.policies import TierPolicy


class RunState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class Failure(models.TextChoices):
    """Why a run failed, as far as it helps the reader."""

    ERROR = "error", _("It stopped with an error; the log of the worker says which.")
    QUEUE = "queue", _("The job queue could not be reached.")
    ABANDONED = "abandoned", _("The worker never finished it.")
    CANCELLED = "cancelled", _("It was cancelled.")


#: A run that is still open after this long has lost its worker: even large ones take minutes.
ABANDONED_AFTER = timedelta(hours=1)


class TierRunQuerySet(ScopedQuerySet["TierRun"]):
    def open(self) -> Self:
        """Runs that wait or are at work."""
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])

    def abandoned(self, now: datetime) -> Self:
        """Open runs that nobody works on any more."""
        return self.open().filter(
            models.Q(started_at=None, created_at__lt=now - ABANDONED_AFTER)
            | models.Q(started_at__lt=now - ABANDONED_AFTER)
        )

    def decisive(self) -> Self:
        """Finished runs that wrote their tiers, the newest first."""
        return self.filter(state=RunState.DONE, dry_run=False).order_by("-finished_at", "-id")

    def before(self, run: TierRun) -> Self:
        """Decisive runs that were finished before `run`, the newest first."""
        return self.decisive().filter(
            models.Q(finished_at__lt=run.finished_at)
            | models.Q(finished_at=run.finished_at, pk__lt=run.pk)
        )


class TierRun(Tracked):
    """One computation of all tiers as of one day, by one policy.

    `counts` maps A, B, C and unranked to numbers of customers, `shares` A, B and C to their
    shares of the ranked amount (0–1 as strings), `moved` is how many changed tier. `held` counts
    the downgrades that wait for further runs, `overridden` the tiers that a person's word decides,
    `proposed` the customers whose score makes them key accounts to be confirmed. `loyalty_counts`
    maps loyal, switcher and none to numbers of customers. `without_margin` is how many orders of
    the window are not wholly known: they lack lines, or the cost of a line's product, and what is
    unknown of them counts in no margin; empty where no margin was worked out.
    """

    OWNER_PATH = SHARED

    policy = models.ForeignKey(
        TierPolicy, models.PROTECT, related_name="runs", verbose_name=_("policy")
    )
    as_of = models.DateField(_("as of"))
    dry_run = models.BooleanField(_("trial"), default=False)
    state = models.CharField(
        _("state"), max_length=10, choices=RunState.choices, default=RunState.QUEUED
    )
    progress = models.PositiveSmallIntegerField(_("progress"), default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    counts = models.JSONField(default=dict)
    shares = models.JSONField(default=dict)
    ranked_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    moved = models.PositiveIntegerField(_("moved"), default=0)
    held = models.PositiveIntegerField(_("downgrades held"), default=0)
    overridden = models.PositiveIntegerField(_("overridden"), default=0)
    proposed = models.PositiveIntegerField(_("proposed as key accounts"), default=0)
    loyalty_counts = models.JSONField(default=dict)
    without_margin = models.PositiveIntegerField(
        _("orders whose margin is not wholly known"), null=True
    )
    error = models.CharField(max_length=20, choices=Failure.choices, blank=True)

    objects = TierRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("tier run")
        verbose_name_plural = _("tier runs")
        constraints = [
            models.UniqueConstraint(
                fields=["as_of", "policy", "dry_run"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_open_run_per_question",
            )
        ]

    def __str__(self) -> str:
        return f"{self.as_of}"

    @property
    def is_open(self) -> bool:
        return self.state in (RunState.QUEUED, RunState.RUNNING)

    @property
    def is_cancelled(self) -> bool:
        """A person has called it off: whoever still works on it writes nothing."""
        return self.error == Failure.CANCELLED

    def cancel(self, *, by: User, now: datetime) -> None:
        """Call it off: it ends without having decided anything."""
        self.state, self.error = RunState.FAILED, Failure.CANCELLED
        self.cancelled_by, self.finished_at = by, now
        self.save(update_fields=["state", "error", "cancelled_by", "finished_at"])

    @property
    def seconds(self) -> int | None:
        """How long the run took, in whole seconds, at least one; None while it is not finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(1, round((self.finished_at - self.started_at).total_seconds()))

    @property
    def customers(self) -> int:
        """How many customers the run looked at."""
        return sum(self.counts.values())
