"""The history of what runs find beside the tier: loyalty class, key-account score (P9, P10)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from customers.models import Loyalty
from tiers.models.runs import TierRun


class ClassChangeQuerySet(ScopedQuerySet["ClassChange"]):
    def own(self) -> ClassChangeQuerySet:
        """Without those that came over from the file of another customer by a merge."""
        return self.filter(recorded_for=models.F("customer"))


class ClassChange(models.Model):
    """A run gave a customer another loyalty class, or carried its key-account score over a line.

    `from_loyalty` and `to_loyalty` are the same where only the score tells something; empty is no
    class. `months_bought`, `wallet_share` (0–1), `early_launches` and `sightings` are the facts of
    the class as in Assessment.

    `line` is the score from which the policy of the run proposes a key account, `line_before` that
    of the run before, empty where no run had seen the customer. `score` and `score_before` are
    0–100, empty where not scored. A policy with another line can carry a score over it as well.

    `recorded_for` is the customer that it was found of, as in TierChange. Trials find nothing.
    """

    OWNER_PATH = "customer__owner"

    run = models.ForeignKey(
        TierRun, models.CASCADE, related_name="class_changes", db_index=False, verbose_name=_("run")
    )
    changed_at = models.DateTimeField(_("changed"))
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="class_changes", db_index=False
    )
    recorded_for = models.BigIntegerField()
    from_loyalty = models.CharField(_("from"), max_length=10, choices=Loyalty.choices, null=True)
    to_loyalty = models.CharField(_("to"), max_length=10, choices=Loyalty.choices, null=True)
    months_bought = models.PositiveSmallIntegerField(_("months with a purchase"))
    wallet_share = models.DecimalField(_("wallet share"), max_digits=5, decimal_places=4, null=True)
    early_launches = models.PositiveIntegerField(_("new products bought early"))
    sightings = models.PositiveIntegerField(_("competitor sightings"), null=True)
    score_before = models.PositiveSmallIntegerField(null=True)
    score = models.PositiveSmallIntegerField(_("key-account score"), null=True)
    line_before = models.PositiveSmallIntegerField(null=True)
    line = models.PositiveSmallIntegerField()

    objects = ClassChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "customer"], name="one_class_change_per_run"),
        ]
        indexes = [models.Index(fields=["customer", "-id"], name="class_change_by_customer")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.from_loyalty}→{self.to_loyalty}"

    @property
    def is_over(self) -> bool:
        """Whether the run found the score at the line or above."""
        return self.score is not None and self.score >= self.line

    @property
    def was_over(self) -> bool:
        """Whether the run before had found it there."""
        if self.score_before is None or self.line_before is None:
            return False
        return self.score_before >= self.line_before

    @property
    def crossed(self) -> bool:
        """Whether the score came over or under the line."""
        return self.is_over != self.was_over

    @property
    def reclassed(self) -> bool:
        """Whether the loyalty class became another."""
        return self.from_loyalty != self.to_loyalty
