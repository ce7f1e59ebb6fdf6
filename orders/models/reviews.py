"""How credit is reviewed from a day on, and what a review proposes for a customer (P39)."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


class CreditRulesQuerySet(ScopedQuerySet["CreditRules"]):
    def on(self, day: date) -> CreditRules:
        """The rules in force on `day`; the usual ones before the first."""
        found = self.filter(valid_from__lte=day).order_by("-valid_from").first()
        return found or CreditRules(valid_from=day)


class CreditRules(Tracked, Record):
    """How a credit review judges from a day on, until the next rules begin (P39).

    `orders.reviewing` says what each of them does.
    """

    OWNER_PATH = SHARED

    valid_from = models.DateField(
        _("valid from"),
        unique=True,
        error_messages={"unique": _("Other rules begin on this day.")},
    )
    spread_days = models.PositiveIntegerField(
        _("days beyond the terms"),
        default=25,
        validators=[MaxValueValidator(365)],
        help_text=_("A limit covers what is bought in the terms and so many days more."),
    )
    factor_a = models.PositiveIntegerField(
        _("share of the need for A, %"),
        default=120,
        validators=[MinValueValidator(1), MaxValueValidator(500)],
        help_text=_("Key accounts count as A."),
    )
    factor_b = models.PositiveIntegerField(
        _("share of the need for B, %"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(500)],
    )
    factor_c = models.PositiveIntegerField(
        _("share of the need for C, %"),
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(500)],
        help_text=_("Unranked customers count as C."),
    )
    slow_days = models.PositiveIntegerField(
        _("slow from days"),
        default=5,
        validators=[MaxValueValidator(365)],
        help_text=_("Who pays more days after the due day on average is not raised."),
    )
    late_days = models.PositiveIntegerField(
        _("late from days"),
        default=20,
        validators=[MaxValueValidator(365)],
        help_text=_("Who pays more days after the due day on average is lowered."),
    )
    overdue_share = models.PositiveIntegerField(
        _("overdue share, %"),
        default=20,
        validators=[MaxValueValidator(100)],
        help_text=_("Who is overdue with more of what is delivered and unpaid is lowered."),
    )
    stop_days = models.PositiveIntegerField(
        _("stop from days overdue"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Who is lowered and overdue for more days gets no credit any more."),
    )
    most_releases = models.PositiveIntegerField(
        _("released orders"),
        default=3,
        validators=[MaxValueValidator(1000)],
        help_text=_("Whose held orders were released more often in a year is not raised."),
    )
    cap = models.PositiveIntegerField(
        _("most change per review, %"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Of the present limit, up or down. A stop is not capped."),
    )
    band = models.PositiveIntegerField(
        _("left alone within, %"),
        default=10,
        validators=[MaxValueValidator(100)],
        help_text=_("A limit this close to what is needed stays."),
    )
    step = models.PositiveIntegerField(
        _("rounded to"),
        default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("Proposed limits are multiples of it."),
    )

    objects = CreditRulesQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name = _("credit rules")
        verbose_name_plural = _("credit rules")

    def __str__(self) -> str:
        return f"{self.valid_from:%Y-%m-%d}"


class Proposal(models.TextChoices):
    """What a review proposes; where everything may stay, there is none."""

    SET = "set", pgettext_lazy("credit review", "set a limit")
    RAISE = "raise", pgettext_lazy("credit review", "raise")
    LOWER = "lower", pgettext_lazy("credit review", "lower")
    STOP = "stop", pgettext_lazy("credit review", "stop")


class ReviewState(models.TextChoices):
    OPEN = "open", pgettext_lazy("credit review", "open")
    ACCEPTED = "accepted", pgettext_lazy("credit review", "accepted")
    DECLINED = "declined", pgettext_lazy("credit review", "declined")


class CreditReviewQuerySet(ScopedQuerySet["CreditReview"]):
    def open(self) -> Self:
        return self.filter(state=ReviewState.OPEN)


class CreditReview(Tracked, Record):
    """A proposed limit with the numbers that speak for it, and what a person made of it (P39).

    A customer has at most one open proposal: the next run brings it up to date or takes it back.
    `facts` hold what `orders.reviewing.propose` found, in JSON; `credit_version` is the version
    of the credit that was looked at, 0 without one. `granted` is what was accepted, `before` what
    an accepted proposal changed (limit, hold_at), and the version of the credit that it made.
    """

    OWNER_PATH = "customer__owner"

    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="credit_reviews",
        verbose_name=_("customer"),
    )
    as_of = models.DateField(_("as of"))
    kind = models.CharField(_("proposal"), max_length=5, choices=Proposal.choices)
    current = models.DecimalField(_("limit now"), max_digits=14, decimal_places=2, null=True)
    proposed = models.DecimalField(_("proposed limit"), max_digits=14, decimal_places=2)
    credit_version = models.PositiveIntegerField(default=0)
    facts = models.JSONField(_("facts"), default=dict)
    state = models.CharField(
        _("state"), max_length=8, choices=ReviewState.choices, default=ReviewState.OPEN
    )
    granted = models.DecimalField(_("granted"), max_digits=14, decimal_places=2, null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    before = models.JSONField(default=dict)

    objects = CreditReviewQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "facts", "before", "credit_version")

    class Meta:
        ordering = ["-as_of", "-id"]
        verbose_name = _("credit review")
        verbose_name_plural = _("credit reviews")
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state="open"), name="one_open_credit_review"
            ),
            models.CheckConstraint(
                condition=Q(proposed__gte=0),
                name="credit_review_not_negative",
                violation_error_message=_("A limit is not negative."),
            ),
        ]
        indexes = [
            models.Index(fields=["-proposed", "-id"], name="credit_review_by_amount"),
        ]

    def __str__(self) -> str:
        return f"{self.customer} {self.as_of}"

    @property
    def is_open(self) -> bool:
        return self.state == ReviewState.OPEN
