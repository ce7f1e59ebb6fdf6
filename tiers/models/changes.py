"""The history of tiers: every move, with its numbers (P12)."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from customers.models import Tier
from tiers.models.runs import TierRun

#: The tiers from the best to none at all.
LADDER: tuple[str | None, ...] = (Tier.A, Tier.B, Tier.C, None)


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
