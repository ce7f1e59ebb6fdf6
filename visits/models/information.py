"""Market information, whom it helps, and to whom it was sent (P26)."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked, User
from accounts.roles import Role
from crm.lib.formats import local_day
from crm.lib.models import Record
from customers.models import Kind, Tier

LONGEST_TEXT = 4000
LONGEST_WORDS = 500
#: How a customer without a tier is called in `tiers`.
UNRANKED = "none"
#: Areas, categories or tags of one piece of information.
MOST_OF_A_RULE = 30


class Source(models.TextChoices):
    """How we came to know it."""

    READ = "read", pgettext_lazy("source of information", "Read")
    HEARD = "heard", pgettext_lazy("source of information", "Heard")
    SEEN = "seen", pgettext_lazy("source of information", "Seen")


class Way(models.TextChoices):
    """How it reached a customer."""

    VISIT = "visit", pgettext_lazy("way of contact", "Visit")
    CALL = "call", pgettext_lazy("way of contact", "Call")
    MESSAGE = "message", pgettext_lazy("way of contact", "Message")
    LETTER = "letter", pgettext_lazy("way of contact", "Letter")
    EMAIL = "email", pgettext_lazy("way of contact", "E-mail")
    MEETING = "meeting", pgettext_lazy("way of contact", "Customer meeting")


class Outcome(models.TextChoices):
    """What the customer made of it."""

    WAITING = "waiting", pgettext_lazy("information", "Waiting")
    TAKEN_UP = "taken_up", pgettext_lazy("information", "Taken up")
    NOT_TAKEN_UP = "not_taken_up", pgettext_lazy("information", "Not taken up")


class MarketInformationQuerySet(ScopedQuerySet["MarketInformation"]):
    """What holds until a day is in time on that day, and expired after it."""

    def in_time(self, today: date) -> Self:
        return self.filter(models.Q(valid_until=None) | models.Q(valid_until__gte=today))

    def expired(self, today: date) -> Self:
        return self.filter(valid_until__lt=today)

    def named_like(self, words: str) -> Self:
        """Information whose title, text or place of origin holds `words`."""
        words = words.strip()
        return self.filter(
            models.Q(title__icontains=words)
            | models.Q(text__icontains=words)
            | models.Q(where__icontains=words)
        )


class MarketInformation(Tracked, Record):
    """Something about the market that helps customers, and which ones it helps.

    Each of `kinds`, `tiers` (A, B, C, none), `categories` (bought within 12 months), `areas`
    (beginnings of division codes) and `tags` is empty where it does not matter; a customer fits
    if it has one of each that is not. Who may read customers reads it.
    """

    OWNER_PATH = SHARED

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    title = models.CharField(pgettext_lazy("of information", "title"), max_length=200)
    text = models.TextField(pgettext_lazy("of information", "text"), max_length=LONGEST_TEXT)
    source = models.CharField(_("source"), max_length=5, choices=Source.choices)
    where = models.CharField(
        _("where from"),
        max_length=200,
        blank=True,
        help_text=_("The newspaper, the person, the place."),
    )
    learned_on = models.DateField(_("learned"))
    valid_until = models.DateField(
        _("in time until"),
        null=True,
        blank=True,
        help_text=_("Sent later, it helps nobody. Empty: it does not age."),
    )
    kinds = models.JSONField(_("kinds"), default=list, blank=True)
    tiers = models.JSONField(_("tiers"), default=list, blank=True)
    categories = models.JSONField(_("buys"), default=list, blank=True)
    areas = models.JSONField(_("areas"), default=list, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="market_information",
        verbose_name=_("written by"),
    )

    objects = MarketInformationQuerySet.as_manager()

    class Meta:
        ordering = ["-learned_on", "-id"]
        verbose_name = _("market information")
        verbose_name_plural = _("market information")
        indexes = [
            models.Index(fields=["-learned_on", "-id"], name="information_by_day"),
            models.Index(fields=["updated_at", "id"], name="information_by_change"),
        ]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        """Refuse what ends before it was learned, and rules that no customer can meet."""
        if self.valid_until and self.learned_on and self.valid_until < self.learned_on:
            raise ValidationError(
                {"valid_until": ValidationError(_("This lies before the day it was learned."))}
            )
        for name, known in (("kinds", Kind.values), ("tiers", [*Tier.values, UNRANKED])):
            if any(value not in known for value in _texts(name, getattr(self, name))):
                raise ValidationError({name: ValidationError(_("This is not one of the choices."))})
        for name in ("categories", "tags"):
            _texts(name, getattr(self, name))
        for prefix in _texts("areas", self.areas):
            if not (prefix.isascii() and prefix.isdecimal() and 2 <= len(prefix) <= 6):
                raise ValidationError(
                    {"areas": ValidationError(_("An area is written with 2 to 6 digits."))}
                )

    def is_in_time(self, on: date) -> bool:
        """Whether it still helps on the day `on`."""
        return self.valid_until is None or on <= self.valid_until

    def may_be_changed(self, by: User) -> bool:
        """Who wrote it, and every manager, may change it."""
        return by.may("visits:write") and (
            by.pk == self.by_id or by.role == Role.MANAGER or by.is_superuser
        )


def _texts(name: str, values: object) -> list[str]:
    """The texts of a rule; ValidationError where it is none, or too long."""
    if not isinstance(values, list) or not all(
        isinstance(value, str) and value.strip() and len(value) <= 100 for value in values
    ):
        raise ValidationError({name: ValidationError(_("Give a list of short texts."))})
    if len(values) > MOST_OF_A_RULE:
        raise ValidationError(
            {
                name: ValidationError(
                    _("At most %(n)d of them."), code="too_many", params={"n": MOST_OF_A_RULE}
                )
            }
        )
    return values


class SendingQuerySet(ScopedQuerySet["Sending"]):
    def waiting(self) -> Self:
        """Nobody has said yet what the customer made of it."""
        return self.filter(outcome=Outcome.WAITING)

    def named_like(self, words: str) -> Self:
        """Sendings whose information, customer or words hold `words`."""
        words = words.strip()
        return self.filter(
            models.Q(information__title__icontains=words)
            | models.Q(customer__name__icontains=words)
            | models.Q(outcome_words__icontains=words)
        )

    def sent_late(self) -> Self:
        """Sent on a day of the company on which it was no longer in time."""
        zone = timezone.get_default_timezone()
        dated = self.annotate(sent_on=TruncDate("sent_at", tzinfo=zone))
        return dated.filter(sent_on__gt=models.F("information__valid_until"))


class Sending(Tracked, Record):
    """One piece of information as one customer received it, once, and what came of it.

    `outcome_on` is the day on which the outcome was said.
    """

    OWNER_PATH = "customer__owner"

    information = models.ForeignKey(
        MarketInformation,
        models.CASCADE,
        related_name="sendings",
        verbose_name=_("market information"),
        db_index=False,
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="information_received",
        verbose_name=_("customer"),
        db_index=False,
    )
    contact = models.ForeignKey(
        "customers.Contact",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="information_received",
        verbose_name=_("to whom"),
    )
    sent_at = models.DateTimeField(_("sent"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="information_sent",
        verbose_name=_("sent by"),
    )
    way = models.CharField(_("way of contact"), max_length=8, choices=Way.choices)
    note = models.CharField(_("note"), max_length=300, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.WAITING
    )
    outcome_words = models.CharField(_("in words"), max_length=LONGEST_WORDS, blank=True)
    outcome_on = models.DateField(_("outcome on"), null=True, blank=True, editable=False)

    objects = SendingQuerySet.as_manager()

    class Meta:
        ordering = ["-sent_at", "-id"]
        verbose_name = _("sent information")
        verbose_name_plural = _("sent information")
        constraints = [
            models.UniqueConstraint(
                fields=["information", "customer"],
                name="information_sent_once",
                violation_error_message=_("This customer has received it already."),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-sent_at", "-id"], name="sending_by_customer"),
            models.Index(fields=["-sent_at", "-id"], name="sending_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.information_id} → {self.customer_id}"

    @property
    def is_waiting(self) -> bool:
        return self.outcome == Outcome.WAITING

    @property
    def was_in_time(self) -> bool:
        """Whether it still helped on the day it was sent."""
        return self.information.is_in_time(local_day(self.sent_at))

    def answer(self, *, outcome: str, words: str, on: date) -> None:
        """Say what the customer made of it; said the same way again, nothing changes."""
        if outcome not in (Outcome.TAKEN_UP, Outcome.NOT_TAKEN_UP):
            raise ValidationError(
                {"outcome": ValidationError(_("Say whether it was taken up."), code="outcome")}
            )
        words = words.strip()
        if (self.outcome, self.outcome_words) == (outcome, words):
            return
        self.outcome, self.outcome_words, self.outcome_on = outcome, words, on
        self.clean_fields(exclude=["information", "customer", "contact", "by"])
        self.save()

    def wait_again(self) -> None:
        """Take back what was said about it."""
        if self.is_waiting:
            return
        self.outcome, self.outcome_words, self.outcome_on = Outcome.WAITING, "", None
        self.save()
