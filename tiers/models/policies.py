"""How customers are judged: versioned policies."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


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
