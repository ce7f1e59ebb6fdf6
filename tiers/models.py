"""Tier policies, runs, and the changes that the runs made."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from customers.models import Tier


class TierPolicyQuerySet(ScopedQuerySet["TierPolicy"]):
    def in_force(self, day: date) -> Self:
        """The policy that decides on `day`: the latest one effective by then, first."""
        return self.filter(effective_from__lte=day).order_by("-effective_from", "-revision")


class TierPolicy(Tracked, Record):
    """How customers are ranked. A policy that a run has used is never edited: a new revision is."""

    OWNER_PATH = SHARED

    name = models.CharField(_("name"), max_length=100)
    revision = models.PositiveIntegerField(_("version"), default=1)
    effective_from = models.DateField(_("in force from"))
    window_months = models.PositiveSmallIntegerField(
        _("window in months"), default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    a_share = models.DecimalField(
        _("A while the share before is below"), max_digits=5, decimal_places=4, default="0.8000"
    )
    b_share = models.DecimalField(
        _("B while the share before is below"), max_digits=5, decimal_places=4, default="0.9500"
    )

    objects = TierPolicyQuerySet.as_manager()

    class Meta:
        ordering = ["-effective_from", "-revision"]
        verbose_name = _("tier policy")
        verbose_name_plural = _("tier policies")
        constraints = [
            models.UniqueConstraint(fields=["name", "revision"], name="policy_revision_once"),
            models.CheckConstraint(
                condition=models.Q(a_share__gt=0)
                & models.Q(b_share__gt=models.F("a_share"))
                & models.Q(b_share__lte=1),
                name="policy_shares_in_order",
                violation_error_message=_("The B line lies above the A line, both within 0–100 %."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.revision}"


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
    shares of the ranked net amount (0–1 as strings), `moved` is how many changed tier.
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
    created_at = models.DateTimeField(_("asked for"))
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    counts = models.JSONField(default=dict)
    shares = models.JSONField(default=dict)
    ranked_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    moved = models.PositiveIntegerField(_("moved"), default=0)
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
    def seconds(self) -> int | None:
        """How long the run took, in whole seconds, at least one; None while it is not finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return max(1, round((self.finished_at - self.started_at).total_seconds()))

    @property
    def customers(self) -> int:
        """How many customers the run looked at."""
        return sum(self.counts.values())


class TierChangeQuerySet(ScopedQuerySet["TierChange"]):
    def decisive(self) -> Self:
        """Changes that happened, without those of trial runs."""
        return self.filter(run__dry_run=False)

    def up(self) -> Self:
        """Moves to a better tier, customers new to the tiers left out."""
        return self._moved(better=True)

    def down(self) -> Self:
        """Moves to a worse tier."""
        return self._moved(better=False)

    def new(self) -> Self:
        """First tiers of customers that no run had looked at before."""
        return self.filter(net_before=None)

    def _moved(self, *, better: bool) -> Self:
        pairs = models.Q()
        for place, high in enumerate(LADDER):
            for low in LADDER[place + 1 :]:
                start, end = (low, high) if better else (high, low)
                pairs |= models.Q(from_tier=start, to_tier=end)
        return self.filter(pairs, net_before__isnull=False)


#: The tiers from the best to none at all.
LADDER: tuple[str | None, ...] = (Tier.A, Tier.B, Tier.C, None)


class TierChange(models.Model):
    """One customer's move from one tier to another, with the numbers that explain it (P12).

    Shares are of the ranked net amount, 0–1, cut (not rounded) after six places, so that a share
    below a line stays below it. Ranks and shares are empty where unranked. `net_before` and
    `rank_before` are the figures of the run before; empty where no run had seen the customer.
    `ranked` counts the customers with a tier, and the changes of a run are numbered by rank.
    """

    OWNER_PATH = "customer__owner"

    run = models.ForeignKey(TierRun, models.CASCADE, related_name="changes", db_index=False)
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="tier_changes", db_index=False
    )
    from_tier = models.CharField(_("from"), max_length=1, choices=Tier.choices, null=True)
    to_tier = models.CharField(_("to"), max_length=1, choices=Tier.choices, null=True)
    net_amount = models.DecimalField(_("net amount"), max_digits=16, decimal_places=2)
    net_before = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    rank = models.PositiveIntegerField(_("rank"), null=True)
    rank_before = models.PositiveIntegerField(null=True)
    ranked = models.PositiveIntegerField(_("ranked customers"))
    share_before = models.DecimalField(max_digits=7, decimal_places=6, null=True)

    objects = TierChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="one_change_per_run"),
        ]
        indexes = [models.Index(fields=["customer", "-id"], name="tier_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.from_tier}→{self.to_tier}"
