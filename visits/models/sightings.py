"""What competitors had standing at a customer when a rep was there (P9, P27, P52)."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.formats import money
from crm.lib.models import Record
from customers.names import fold
from visits.models.visits import VisitStatus

LONGEST_NAME = 60
LONGEST_PRODUCT = 100
LONGEST_NOTE = 200
#: What a visit can take down; more is a stock-taking.
MOST_SIGHTINGS = 20


def key_of(name: str) -> str:
    """The one spelling that all ways of writing a competitor's name share; no spaces in it."""
    return fold(name).replace(" ", "")


class Size(models.TextChoices):
    """How much of it stood there, at a glance."""

    SMALL = "small", pgettext_lazy("amount on the shelf", "Little")
    MEDIUM = "medium", pgettext_lazy("amount on the shelf", "Some")
    LARGE = "large", pgettext_lazy("amount on the shelf", "A lot")


class CompetitorQuerySet(ScopedQuerySet["Competitor"]):
    def noted(self) -> Self:
        """Those that were seen at least once; a name that was a slip is not among them."""
        there = Sighting.objects.filter(competitor=models.OuterRef("pk"))
        return self.filter(models.Exists(there))


class Competitor(Tracked, Record):
    """A brand or maker that competes with us, spelt as it was first noted.

    `key` is what the other spellings have in common with it.
    """

    OWNER_PATH = SHARED

    name = models.CharField(_("competitor"), max_length=LONGEST_NAME)
    key = models.CharField(max_length=4 * LONGEST_NAME, unique=True, editable=False)

    objects = CompetitorQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("competitor")
        verbose_name_plural = _("competitors")

    def __str__(self) -> str:
        return self.name


class SightingQuerySet(ScopedQuerySet["Sighting"]):
    def counted(self) -> Self:
        """Those of closed visits; drafts and cancelled visits say nothing."""
        return self.filter(visit__status=VisitStatus.DONE)

    def named_like(self, words: str) -> Self:
        """Sightings whose product, note, competitor or customer `words` describe."""
        words = words.strip()
        return self.filter(
            models.Q(product__icontains=words)
            | models.Q(note__icontains=words)
            | models.Q(competitor__name__icontains=words)
            | models.Q(visit__customer__name__icontains=words)
        )


class Sighting(Tracked, Record):
    """A competitor's product that a rep saw at a customer in one visit.

    `seen_at` is when that visit began. `price` is that on the shelf, in the company's currency,
    empty where nobody looked. Rows are written with the visit, whose audit entry tells of them.
    """

    OWNER_PATH = "visit__customer__owner"

    visit = models.ForeignKey(
        "visits.Visit", models.CASCADE, related_name="sightings", verbose_name=_("visit")
    )
    competitor = models.ForeignKey(
        Competitor,
        models.PROTECT,
        related_name="sightings",
        verbose_name=_("competitor"),
        db_index=False,
    )
    product = models.CharField(
        pgettext_lazy("of a competitor", "product"), max_length=LONGEST_PRODUCT, blank=True
    )
    size = models.CharField(_("how much"), max_length=6, choices=Size.choices)
    price = models.DecimalField(
        _("price on the shelf"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(9_999_999)],
    )
    note = models.CharField(_("note"), max_length=LONGEST_NOTE, blank=True)
    seen_at = models.DateTimeField(_("seen"), editable=False)

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("competitor sighting")
        verbose_name_plural = _("competitor sightings")
        indexes = [
            models.Index(fields=["-seen_at", "-id"], name="sighting_by_day"),
            models.Index(fields=["competitor", "-seen_at", "-id"], name="sighting_by_competitor"),
        ]

    def __str__(self) -> str:
        return self.in_words

    @property
    def in_words(self) -> str:
        """The whole line, as a log tells it."""
        price = "" if self.price is None else money(self.price)
        parts = (self.competitor.name, self.product, self.get_size_display(), price, self.note)
        return " · ".join(str(part) for part in parts if part)
