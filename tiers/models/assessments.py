"""What a run finds of each customer beside its tier, and what people judge for it (P9–P11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.models import Record
from customers.models import Tier
from tiers.models.overrides import TierOverride
from tiers.models.policies import KeyCriterion, PotentialCriterion

TEN = [MaxValueValidator(10)]


class AssessmentQuerySet(ScopedQuerySet["Assessment"]):
    def scored(self) -> Self:
        """Those with a key-account score, the highest first."""
        return self.filter(key_score__isnull=False).order_by("-key_score", "-id")

    def proposed(self, key_from: int) -> Self:
        """Scored `key_from` or more, and no key accounts yet, the highest first."""
        return self.scored().filter(key_score__gte=key_from, customer__key_account=False)

    def promising(self) -> Self:
        """Those with a potential score, the highest first (P11)."""
        return self.filter(potential__isnull=False).order_by("-potential", "-id")

    def held(self) -> Self:
        """Those whose downgrade waits for further runs."""
        return self.filter(held_runs__gt=0)


class Assessment(models.Model):
    """What the last run found of one customer; one that has nothing to say has no row.

    `as_of` is the day of the run that wrote the row: later runs that found the same left it.
    `computed_tier` is what the computation gives, whatever an override says; `override` is the
    one that decides the stored tier. `held_runs` counts the runs in a row that proposed
    `held_tier` (empty: unranked) instead of a better one, from `held_since` to `held_on`; 0 where
    no downgrade is held.

    `months_bought` are calendar months of the window with a purchase, `early_launches` products
    bought soon after their launch, `wallet_share` our share (0–1) of all the customer buys in our
    category, `sightings` how often competitors were seen there; the last two empty where unknown.
    `margin` is that of the window as far as costs are known, empty where no line has one, and
    `ranked_in` the group it was ranked in, as in TierChange.

    The parts of the scores are 0–100, empty where unknown; a score is the weighted mean of the
    known ones, cut to a whole number.
    """

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField(
        "customers.Customer",
        models.CASCADE,
        related_name="assessment",
        verbose_name=_("customer"),
    )
    as_of = models.DateField(_("as of"))
    computed_tier = models.CharField(
        _("computed tier"), max_length=1, choices=Tier.choices, null=True
    )
    override = models.ForeignKey(
        TierOverride, models.SET_NULL, null=True, related_name="+", verbose_name=_("override")
    )
    held_tier = models.CharField(max_length=1, choices=Tier.choices, null=True)
    held_runs = models.PositiveSmallIntegerField(default=0)
    held_since = models.DateField(null=True)
    held_on = models.DateField(null=True)
    months_bought = models.PositiveSmallIntegerField(_("months with a purchase"), default=0)
    early_launches = models.PositiveIntegerField(_("new products bought early"), default=0)
    wallet_share = models.DecimalField(_("wallet share"), max_digits=5, decimal_places=4, null=True)
    sightings = models.PositiveIntegerField(_("competitor sightings"), null=True)
    margin = models.DecimalField(_("margin"), max_digits=16, decimal_places=2, null=True)
    ranked_in = models.CharField(max_length=20, default="")
    key_score = models.PositiveSmallIntegerField(_("key-account score"), null=True)
    key_volume = models.PositiveSmallIntegerField(null=True)
    key_frequency = models.PositiveSmallIntegerField(null=True)
    key_margin = models.PositiveSmallIntegerField(null=True)
    key_concentration = models.PositiveSmallIntegerField(null=True)
    key_loyalty = models.PositiveSmallIntegerField(null=True)
    key_service_level = models.PositiveSmallIntegerField(null=True)
    key_price_sensitivity = models.PositiveSmallIntegerField(null=True)
    key_partnership = models.PositiveSmallIntegerField(null=True)
    potential = models.PositiveSmallIntegerField(_("potential"), null=True)
    potential_urgency = models.PositiveSmallIntegerField(null=True)
    potential_quality = models.PositiveSmallIntegerField(null=True)
    potential_wallet_open = models.PositiveSmallIntegerField(null=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["-key_score", "-id"], name="assessment_by_key_score"),
            models.Index(fields=["-potential", "-id"], name="assessment_by_potential"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of}"

    @property
    def key_parts(self) -> Mapping[KeyCriterion, int | None]:
        """What each criterion gives, 0–100; None where it is not known."""
        return {one: getattr(self, f"key_{one.value}") for one in KeyCriterion}

    @property
    def potential_parts(self) -> Mapping[PotentialCriterion, int | None]:
        return {one: getattr(self, f"potential_{one.value}") for one in PotentialCriterion}


class RatingQuerySet(ScopedQuerySet["Rating"]):
    pass


class Rating(Tracked, Record):
    """What people know of a customer that no order tells, 0–10 each, empty where nobody knows."""

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField(
        "customers.Customer",
        models.CASCADE,
        related_name="rating",
        verbose_name=_("customer"),
    )
    service_level = models.PositiveSmallIntegerField(
        _("service level required"), null=True, blank=True, validators=TEN
    )
    price_sensitivity = models.PositiveSmallIntegerField(
        _("price sensitivity"), null=True, blank=True, validators=TEN
    )
    partnership = models.PositiveSmallIntegerField(
        _("wish for long-term partnership"), null=True, blank=True, validators=TEN
    )
    urgency = models.PositiveSmallIntegerField(
        _("urgency of need"), null=True, blank=True, validators=TEN
    )
    quality = models.PositiveSmallIntegerField(
        _("quality before price"), null=True, blank=True, validators=TEN
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
        editable=False,
    )
    rated_at = models.DateTimeField(_("rated"), editable=False)

    objects = RatingQuerySet.as_manager()

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__isnull": True}) | models.Q(**{f"{name}__lte": 10}),
                name=f"rating_{name}",
                violation_error_message=_("A rating goes from 0 to 10."),
            )
            for name in (
                "service_level",
                "price_sensitivity",
                "partnership",
                "urgency",
                "quality",
            )
        ]

    def __str__(self) -> str:
        return str(self.customer)


class KeyAccountQuerySet(ScopedQuerySet["KeyAccount"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)


class KeyAccount(Tracked, Record):
    """A manager's word that a customer is a key account, until it is withdrawn (P10).

    `score` is what the customer scored when it was confirmed.
    """

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="key_accounts",
        verbose_name=_("customer"),
    )
    reason = models.CharField(_("reason"), max_length=500)
    score = models.PositiveSmallIntegerField(_("score"), null=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("confirmed by"),
        editable=False,
    )
    confirmed_at = models.DateTimeField(_("confirmed"), editable=False)
    ended_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    end_reason = models.CharField(_("why withdrawn"), max_length=500, blank=True, editable=False)

    objects = KeyAccountQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("key account")
        verbose_name_plural = _("key accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(ended_at=None),
                name="one_open_key_account",
                violation_error_message=_("This customer is a key account already."),
            ),
            models.CheckConstraint(
                condition=~models.Q(reason=""),
                name="key_account_has_a_reason",
                violation_error_message=_("Say why."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.customer)

    def end(self, *, reason: str, by: User, now: datetime) -> None:
        """Withdraw the word. Raises ValidationError without a reason."""
        if not reason.strip():
            raise ValidationError({"reason": _("Say why.")}, code="required")
        self.ended_at, self.ended_by, self.end_reason = now, by, reason.strip()
        self.save(update_fields=["ended_at", "ended_by", "end_reason"])
