"""The history of tiers: every move, with its numbers (P12)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from customers.models import Tier
from tiers.models.overrides import TierOverride
from tiers.models.runs import TierRun

#: The tiers from the best to none at all.
LADDER: tuple[str | None, ...] = (Tier.A, Tier.B, Tier.C, None)


class Cause(models.TextChoices):
    """What moved a customer."""

    RUN = "run", _("Run")
    OVERRIDE = "override", _("Override")
    OVERRIDE_CHANGED = "override_changed", _("Override changed")
    OVERRIDE_ENDED = "override_ended", _("Override ended")
    OVERRIDE_EXPIRED = "override_expired", _("Override expired")


class TierChangeQuerySet(ScopedQuerySet["TierChange"]):
    def decisive(self) -> Self:
        """Changes that happened, without those of trial runs."""
        return self.filter(models.Q(run=None) | models.Q(run__dry_run=False))

    def own(self) -> Self:
        """Without those that came over from the file of another customer by a merge."""
        return self.filter(recorded_for=models.F("customer"))

    def after(self, moment: datetime) -> Self:
        """Changes later than `moment`, the first one first."""
        return self.filter(changed_at__gt=moment).order_by("pk")

    def with_words(self) -> Self:
        """With all that a sentence about them needs: run, policy and people."""
        return self.select_related("run__policy", "said_by", "by")

    def moves(self) -> Self:
        """Without those that left the tier as it was."""
        return self.exclude(cause=Cause.OVERRIDE_CHANGED)

    def up(self) -> Self:
        """Moves to a better tier, customers new to the tiers left out."""
        return self._moved(better=True)

    def down(self) -> Self:
        """Moves to a worse tier."""
        return self._moved(better=False)

    def new(self) -> Self:
        """First tiers of customers that no run had looked at before."""
        return self.filter(net_before=None, run__isnull=False)

    def _moved(self, *, better: bool) -> Self:
        pairs = models.Q()
        for place, high in enumerate(LADDER):
            for low in LADDER[place + 1 :]:
                start, end = (low, high) if better else (high, low)
                pairs |= models.Q(from_tier=start, to_tier=end)
        return self.filter(pairs).filter(models.Q(net_before__isnull=False) | models.Q(run=None))


class TierChange(models.Model):
    """One customer's move from one tier to another, with the numbers that explain it (P12).

    A run made it, or a person by an override (`run` is empty then, and the ranks and shares with
    it). `recorded_for` is the customer whose tier it was: after a merge, the history of the file
    that went stands at the survivor, but says nothing of the survivor's tier.

    `measured` is what the customer was ranked by, among `ranked` customers of the group
    `ranked_in` (empty: the company; a kind, or a division prefix, "-" for those without one).
    Shares are of the ranked amount of that group, 0–1, cut (not rounded) after six places, so that
    a share below a line stays below it: `share_before` of those ahead, `share` with the customer
    itself. Ranks and shares are empty where unranked. `net_before` and `rank_before` are the
    figures of the run before; empty where no run had seen the customer. The changes of a run are
    numbered by rank. `after_runs` is in how many runs in a row a downgrade was proposed.

    What a person's word was on that day is kept with the change, whatever becomes of the override:
    `said_by` had set `said_tier` up to `said_until` because of `said_reason`. Where only the last
    day or the reason was changed, the tier stays (`from_tier` is `to_tier`), and `until_before` and
    `reason_before` are what was said until then; empty where that part stayed.
    """

    OWNER_PATH = "customer__owner"

    run = models.ForeignKey(
        TierRun, models.CASCADE, related_name="changes", db_index=False, null=True
    )
    override = models.ForeignKey(
        TierOverride, models.SET_NULL, related_name="changes", null=True, verbose_name=_("override")
    )
    cause = models.CharField(
        _("cause"), max_length=16, choices=Cause.choices, default=Cause.RUN, db_default=Cause.RUN
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    said_tier = models.CharField(max_length=1, choices=Tier.choices, null=True)
    said_until = models.DateField(null=True)
    said_reason = models.CharField(max_length=500, default="", db_default="")
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, db_index=False
    )
    until_before = models.DateField(null=True)
    reason_before = models.CharField(max_length=500, default="", db_default="")
    changed_at = models.DateTimeField(_("changed"))
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="tier_changes", db_index=False
    )
    recorded_for = models.BigIntegerField()
    from_tier = models.CharField(_("from"), max_length=1, choices=Tier.choices, null=True)
    to_tier = models.CharField(_("to"), max_length=1, choices=Tier.choices, null=True)
    net_amount = models.DecimalField(_("net amount"), max_digits=16, decimal_places=2)
    net_before = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    measured = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    ranked_in = models.CharField(max_length=20, default="", db_default="")
    rank = models.PositiveIntegerField(_("rank"), null=True)
    rank_before = models.PositiveIntegerField(null=True)
    ranked = models.PositiveIntegerField(_("ranked customers"))
    share_before = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    share = models.DecimalField(max_digits=7, decimal_places=6, null=True)
    after_runs = models.PositiveSmallIntegerField(default=1, db_default=1)

    objects = TierChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="one_change_per_run"),
        ]
        indexes = [models.Index(fields=["customer", "-id"], name="tier_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.from_tier}→{self.to_tier}"
