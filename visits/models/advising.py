"""Suggestions made to customers, and what came of them (P26, 建议式销售)."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from visits.models.information import LONGEST_WORDS


class SuggestionState(models.TextChoices):
    OPEN = "open", pgettext_lazy("suggestion", "Open")
    TAKEN_UP = "taken_up", pgettext_lazy("suggestion", "Taken up")
    DECLINED = "declined", pgettext_lazy("suggestion", "Declined")


class SuggestionQuerySet(ScopedQuerySet["Suggestion"]):
    """A suggestion is to be followed up from its day on, as long as it is open."""

    def open(self) -> Self:
        return self.filter(state=SuggestionState.OPEN)

    def due(self, today: date) -> Self:
        """Open, and the day of the follow-up has come."""
        return self.open().filter(follow_up_on__lte=today)

    def named_like(self, words: str) -> Self:
        """Suggestions whose words, product or customer hold `words`."""
        words = words.strip()
        return self.filter(
            models.Q(text__icontains=words)
            | models.Q(product__name__icontains=words)
            | models.Q(customer__name__icontains=words)
        )


class Suggestion(Tracked, Record):
    """What we suggested to a customer, what it may expect of it, and what came of it.

    `visit` is the one it was made in, if it was. Who owns the customer follows it up, so that it
    passes on with the file.
    """

    OWNER_PATH = "customer__owner"

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="suggestions",
        verbose_name=_("customer"),
        db_index=False,
    )
    visit = models.ForeignKey(
        "visits.Visit",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="suggestions",
        verbose_name=_("visit"),
        editable=False,
    )
    text = models.CharField(_("suggestion"), max_length=500)
    product = models.ForeignKey(
        "orders.Product",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product"),
    )
    expected = models.CharField(_("expected benefit"), max_length=300, blank=True)
    made_on = models.DateField(pgettext_lazy("suggestion", "made"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="suggestions_made",
        verbose_name=pgettext_lazy("suggestion", "made by"),
    )
    follow_up_on = models.DateField(_("follow up"))
    state = models.CharField(
        _("state"), max_length=8, choices=SuggestionState.choices, default=SuggestionState.OPEN
    )
    outcome_words = models.CharField(_("in words"), max_length=LONGEST_WORDS, blank=True)
    outcome_on = models.DateField(_("outcome on"), null=True, blank=True, editable=False)

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["follow_up_on", "id"]
        verbose_name = _("suggestion")
        verbose_name_plural = _("suggestions")
        indexes = [
            models.Index(fields=["customer", "-made_on", "-id"], name="suggestion_by_customer"),
            models.Index(
                fields=["follow_up_on", "id"],
                name="suggestion_open_by_day",
                condition=models.Q(state="open"),
            ),
            models.Index(fields=["-made_on", "-id"], name="suggestion_by_day"),
            models.Index(fields=["updated_at", "id"], name="suggestion_by_change"),
        ]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        """Refuse a follow-up before the suggestion was made."""
        if self.follow_up_on and self.made_on and self.follow_up_on < self.made_on:
            raise ValidationError(
                {
                    "follow_up_on": ValidationError(
                        _("This lies before the day it was made."), code="past"
                    )
                }
            )

    @property
    def is_open(self) -> bool:
        return self.state == SuggestionState.OPEN

    def is_due(self, today: date) -> bool:
        return self.is_open and self.follow_up_on <= today

    def settle(self, *, state: str, words: str, on: date) -> None:
        """Say that it was taken up or declined, and what came of it; again, nothing changes."""
        if state not in (SuggestionState.TAKEN_UP, SuggestionState.DECLINED):
            raise ValidationError(
                {"state": ValidationError(_("Say whether it was taken up."), code="state")}
            )
        words = words.strip()
        if (self.state, self.outcome_words) == (state, words):
            return
        self.state, self.outcome_words, self.outcome_on = state, words, on
        self.clean_fields(exclude=["customer", "visit", "product", "by"])
        self.save()

    def reopen(self) -> None:
        """Take back what was said about it."""
        if self.is_open:
            return
        self.state, self.outcome_words, self.outcome_on = SuggestionState.OPEN, "", None
        self.save()
