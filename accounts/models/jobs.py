"""Long jobs that people start and watch."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet


class JobState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class JobRun(models.Model):
    """One long job: who started it, how far it is, what came of it.

    `kind` is its registered name, `parameters` what it was started with, `result` what it tells
    at the end, `error` the code of what stopped it.
    """

    OWNER_PATH = "owner"

    kind = models.CharField(max_length=40)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="job_runs"
    )
    parameters = models.JSONField(default=dict)
    state = models.CharField(
        _("state"), max_length=7, choices=JobState.choices, default=JobState.QUEUED
    )
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet["JobRun"].as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "-id"], name="job_run_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in (JobState.QUEUED, JobState.RUNNING)

    @property
    def percent(self) -> int:
        """0–100, rounded down; 0 while nobody knows how much there is."""
        return min(100 * self.done // self.total, 100) if self.total else 0
