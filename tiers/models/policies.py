"""How customers are judged: versioned policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record

PERCENT = [MaxValueValidator(100)]
MOST_RUNS = 12
#: Ten years: days of silence beyond that say nothing.
MOST_SILENT_DAYS = 3650


class Measure(models.TextChoices):
    """What customers are ranked by."""

    AMOUNT = "amount", _("Net amount")
    MARGIN = "margin", _("Margin")


class RankedWithin(models.TextChoices):
    """Among whom a customer is ranked; those without a division form a group of their own."""

    COMPANY = "company", _("the whole company")
    KIND = "kind", _("each kind of customer")
    PROVINCE = "province", _("each province")
    PREFECTURE = "prefecture", _("each prefecture")


class KeyCriterion(models.TextChoices):
    """What makes a key account (P10)."""

    VOLUME = "volume", _("volume")
    FREQUENCY = "frequency", _("frequency of purchase")
    MARGIN = "margin", pgettext_lazy("criterion", "margin")
    CONCENTRATION = "concentration", _("concentration of purchase")
    LOYALTY = "loyalty", pgettext_lazy("criterion", "loyalty")
    SERVICE_LEVEL = "service_level", _("service level required")
    PRICE_SENSITIVITY = "price_sensitivity", _("low price sensitivity")
    PARTNERSHIP = "partnership", _("wish for long-term partnership")


class PotentialCriterion(models.TextChoices):
    """What makes a customer worth following closely (P11)."""

    URGENCY = "urgency", _("urgency of need")
    QUALITY = "quality", _("quality before price")
    WALLET_OPEN = "wallet_open", _("wallet share still open")


def key_weights() -> dict[str, int]:
    """The weights of a new house."""
    return {
        KeyCriterion.VOLUME.value: 25,
        KeyCriterion.FREQUENCY.value: 15,
        KeyCriterion.MARGIN.value: 15,
        KeyCriterion.CONCENTRATION.value: 10,
        KeyCriterion.LOYALTY.value: 15,
        KeyCriterion.SERVICE_LEVEL.value: 5,
        KeyCriterion.PRICE_SENSITIVITY.value: 5,
        KeyCriterion.PARTNERSHIP.value: 10,
    }


def potential_weights() -> dict[str, int]:
    return {
        PotentialCriterion.URGENCY.value: 30,
        PotentialCriterion.QUALITY.value: 20,
        PotentialCriterion.WALLET_OPEN.value: 50,
    }


class TierPolicyQuerySet(ScopedQuerySet["TierPolicy"]):
    def in_force(self, day: date) -> Self:
        """The policy that decides on `day`: the latest one effective by then, first."""
        return self.filter(effective_from__lte=day).order_by("-effective_from", "-revision")

    def on(self, day: date) -> TierPolicy:
        """The policy that decides on `day`; where there is none, one of the usual values."""
        return self.in_force(day).first() or self.model()

    def drafts(self) -> Self:
        """Those that are only tried so far."""
        return self.filter(effective_from=None)

    def adopted(self) -> Self:
        """Those that have a day from which they decide."""
        return self.filter(effective_from__isnull=False)

    def used(self) -> Self:
        """Those that a run has used, a trial too: their values stay for good."""
        return self.filter(models.Exists(_runs_of(self.model)))


def _runs_of(policy: Any) -> Any:
    from tiers.models.runs import TierRun  # which knows the policies

    return TierRun.objects.filter(policy=models.OuterRef("pk"))


class TierPolicy(Tracked, Record):
    """How customers are ranked. A policy that a run has used is never edited: a new revision is.

    Without `effective_from` it is a draft, which trials judge by. A downgrade takes effect once
    it was proposed in `downgrade_runs` runs in a row, of different days.

    A customer is loyal (P9) if it bought in `loyal_months` months of the window or more, its
    wallet share is `loyal_wallet_share` or more (one that is unknown passes), and competitors were
    seen there `most_sightings` times or less; or, the last given, if it bought `early_launches`
    products or more within `launch_days` days of their launch. Otherwise one that bought in
    `switcher_months` months is a switcher, and other buyers have no brand loyalty. Without
    `loyal_months` nobody is classed.

    `key_weights` and `potential_weights` say how much each criterion counts (P10, P11); where all
    are zero nothing is scored. From the score `key_from` on, a customer is proposed.

    Leaving silently (P48) is a customer whose chance of being alive is below `leaving_below` (0–1)
    and whose last purchase is less than `gone_after_days` days ago; after that it has gone. Who
    ordered once ever counts as silent after `silence_days` days without another order.
    """

    OWNER_PATH = SHARED

    name = models.CharField(_("name"), max_length=100)
    revision = models.PositiveIntegerField(_("version"), default=1)
    effective_from = models.DateField(_("in force from"), null=True, blank=True)
    window_months = models.PositiveSmallIntegerField(
        _("window in months"), default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    a_share = models.DecimalField(
        _("A while the share before is below"), max_digits=5, decimal_places=4, default="0.8000"
    )
    b_share = models.DecimalField(
        _("B while the share before is below"), max_digits=5, decimal_places=4, default="0.9500"
    )
    measure = models.CharField(
        _("ranked by"), max_length=10, choices=Measure.choices, default=Measure.AMOUNT
    )
    ranked_within = models.CharField(
        _("ranked within"),
        max_length=12,
        choices=RankedWithin.choices,
        default=RankedWithin.COMPANY,
    )
    downgrade_runs = models.PositiveSmallIntegerField(
        _("runs in a row before a downgrade"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_RUNS)],
    )
    loyal_months = models.PositiveSmallIntegerField(
        _("months with a purchase, loyal"),
        null=True,
        blank=True,
        default=8,
        validators=[MinValueValidator(1)],
    )
    loyal_wallet_share = models.DecimalField(
        _("wallet share, loyal"),
        max_digits=5,
        decimal_places=4,
        default="0.3000",
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    most_sightings = models.PositiveSmallIntegerField(
        _("most competitor sightings, loyal"), default=3
    )
    early_launches = models.PositiveSmallIntegerField(
        _("new products bought early, loyal"), default=2, validators=[MinValueValidator(1)]
    )
    launch_days = models.PositiveSmallIntegerField(
        _("days after a launch that are early"), default=30, validators=[MaxValueValidator(366)]
    )
    switcher_months = models.PositiveSmallIntegerField(
        _("months with a purchase, switcher"), default=3, validators=[MinValueValidator(1)]
    )
    key_weights = models.JSONField(_("weights of a key account"), default=key_weights)
    key_from = models.PositiveSmallIntegerField(
        _("proposed as key account from the score"), default=70, validators=PERCENT
    )
    potential_weights = models.JSONField(_("weights of the potential"), default=potential_weights)
    leaving_below = models.DecimalField(
        _("leaving below this chance of being alive"),
        max_digits=5,
        decimal_places=4,
        default=Decimal("0.5000"),
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal("0.99"))],
    )
    gone_after_days = models.PositiveSmallIntegerField(
        _("gone after days without a purchase"),
        default=365,
        validators=[MinValueValidator(2), MaxValueValidator(MOST_SILENT_DAYS)],
    )
    silence_days = models.PositiveSmallIntegerField(
        _("silent after days, having ordered once"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SILENT_DAYS)],
    )

    objects = TierPolicyQuerySet.as_manager()

    class Meta:
        ordering = [F("effective_from").desc(nulls_first=True), "-revision"]
        verbose_name = _("tier policy")
        verbose_name_plural = _("tier policies")
        constraints = [
            models.UniqueConstraint(fields=["name", "revision"], name="policy_revision_once"),
            models.CheckConstraint(
                condition=models.Q(a_share__gt=0)
                & models.Q(b_share__gt=models.F("a_share"))
                & models.Q(b_share__lte=1),
                name="policy_shares_in_order",
                violation_error_message=_(
                    "The B line lies above the A line, both within 0–100 %%."
                ),
            ),
            models.CheckConstraint(
                condition=models.Q(downgrade_runs__gte=1) & models.Q(downgrade_runs__lte=MOST_RUNS),
                name="policy_downgrade_runs",
                violation_error_message=_("A downgrade waits for 1 to 12 runs."),
            ),
            models.CheckConstraint(
                condition=models.Q(leaving_below__gt=0) & models.Q(leaving_below__lt=1),
                name="policy_leaving_is_a_chance",
                violation_error_message=_("The line below which a customer leaves is a chance."),
            ),
            models.CheckConstraint(
                condition=models.Q(gone_after_days__gt=models.F("silence_days")),
                name="policy_gone_after_silent",
                violation_error_message=_("A customer is silent before it has gone."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.revision}"

    @property
    def is_draft(self) -> bool:
        return self.effective_from is None

    @property
    def is_used(self) -> bool:
        """Whether a run has judged by it, a trial too."""
        return type(self).objects.used().filter(pk=self.pk).exists()

    @property
    def scores_keys(self) -> bool:
        return any(self.key_weights.values())

    @property
    def classes(self) -> bool:
        """Whether a run by it gives classes or key-account scores, whose history is kept."""
        return self.loyal_months is not None or self.scores_keys

    @property
    def scores_potential(self) -> bool:
        return any(self.potential_weights.values())

    def clean(self) -> None:
        """Thresholds fit the window and each other; weights name every criterion, 0–100."""
        super().clean()
        errors: dict[str, str] = {}
        months, loyal, switcher = self.window_months, self.loyal_months, self.switcher_months
        if loyal and months and loyal > months:
            errors["loyal_months"] = _now("The window has only %(months)d months.") % {
                "months": months
            }
        if loyal and switcher and switcher > loyal:
            errors["switcher_months"] = _now("A switcher needs fewer months than a loyal customer.")
        for name, criteria in (
            ("key_weights", KeyCriterion.values),
            ("potential_weights", PotentialCriterion.values),
        ):
            try:
                setattr(self, name, whole_weights(getattr(self, name), criteria))
            except ValueError:
                errors[name] = _now("Each weight is a whole number from 0 to 100.")
        if errors:
            raise ValidationError(errors)


def whole_weights(given: Any, criteria: list[str]) -> dict[str, int]:
    """A weight for each criterion, in their order; what is not named counts nothing.

    Raises ValueError for unknown criteria and what is no whole number from 0 to 100.
    """
    if not isinstance(given, Mapping) or given.keys() - set(criteria):
        raise ValueError
    weights = {name: given.get(name, 0) for name in criteria}
    if any(type(value) is not int or not 0 <= value <= 100 for value in weights.values()):
        raise ValueError
    return weights
