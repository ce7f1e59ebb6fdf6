"""Visits: from plan to close."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked, User
from crm.lib.days import day_bounds, day_start
from crm.lib.formats import local_day
from crm.lib.models import Record
from crm.lib.text import Text
from visits.answers import Answers, check_complete, cleaned
from visits.places import NEAR_M, Place, distance_m


class VisitStatus(models.TextChoices):
    PLANNED = "planned", _("Planned")
    CHECKED_IN = "checked_in", _("Checked in")
    DONE = "done", pgettext_lazy("visit", "Done")
    MISSED = "missed", _("Missed")
    CANCELLED = "cancelled", _("Cancelled")


#: Which state may follow which.
FOLLOWS: dict[str, frozenset[str]] = {
    VisitStatus.PLANNED: frozenset(
        {VisitStatus.CHECKED_IN, VisitStatus.MISSED, VisitStatus.CANCELLED}
    ),
    VisitStatus.CHECKED_IN: frozenset({VisitStatus.DONE, VisitStatus.CANCELLED}),
    VisitStatus.DONE: frozenset(),
    VisitStatus.MISSED: frozenset(),
    VisitStatus.CANCELLED: frozenset(),
}


class VisitQuerySet(ScopedQuerySet["Visit"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Planned for `start` or later, and before `end`."""
        return self.filter(scheduled_for__gte=start, scheduled_for__lt=end)

    def of_days(self, first: date, last: date) -> Self:
        """Planned for the days from `first` to `last`, or checked in then."""
        start, end = day_bounds(first, last)
        return self.filter(
            models.Q(scheduled_for__gte=start, scheduled_for__lt=end)
            | models.Q(checked_in_at__gte=start, checked_in_at__lt=end)
        )

    def named_like(self, words: str) -> Self:
        """Visits to customers, or for purposes, that `words` describe."""
        words = words.strip()
        return self.filter(
            models.Q(customer__name__icontains=words)
            | models.Q(customer__external_id__istartswith=words)
            | models.Q(purpose__icontains=words)
        )

    def open(self) -> Self:
        return self.filter(status__in=[VisitStatus.PLANNED, VisitStatus.CHECKED_IN])

    def left_open(self, today: date) -> Self:
        """Planned before `today`, and neither closed nor cancelled since."""
        return self.open().filter(scheduled_for__lt=day_start(today))


class Visit(Tracked, Record):
    """One visit of one rep to one customer, from plan to close.

    `rep` is the person who visits. `checked_in_at` is when the visit began; one written down
    afterwards carries no place. `distance_m` is the distance in metres from the place of the
    check-in to the customer's address, empty where either is unknown. The shape of `answers`
    is in visits/answers.py, that of `counts` in visits/actions/counts.py; a closed visit has them
    filed as its `stock_report` (P23).
    """

    OWNER_PATH = "customer__owner"
    BESIDE: ClassVar[Mapping[str, Text]] = {"sightings": _("competitors seen")}

    client_id = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="visits",
        verbose_name=_("customer"),
        db_index=False,
    )
    rep = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="visits", verbose_name=_("rep")
    )
    scheduled_for = models.DateTimeField(_("planned for"))
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=VisitStatus.choices, default=VisitStatus.PLANNED
    )
    checked_in_at = models.DateTimeField(_("checked in"), null=True, blank=True)
    closed_at = models.DateTimeField(
        pgettext_lazy("visit", "closed"), null=True, blank=True, editable=False
    )
    latitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    accuracy_m = models.PositiveIntegerField(_("accuracy in metres"), null=True, blank=True)
    distance_m = models.PositiveIntegerField(
        _("distance in metres"), null=True, blank=True, editable=False
    )
    answers = models.JSONField(_("answers"), default=dict, blank=True)
    words = models.TextField(_("the customer's own words"), blank=True, max_length=2000)
    counts = models.JSONField(_("stock counted"), default=list, blank=True, editable=False)
    stock_report = models.OneToOneField(
        "orders.StockReport",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="visit",
        verbose_name=_("stock report"),
    )

    objects = VisitQuerySet.as_manager()

    class Meta:
        ordering = ["-scheduled_for", "-id"]
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [
            models.Index(fields=["rep", "scheduled_for"], name="visit_by_rep_day"),
            models.Index(fields=["customer", "-scheduled_for", "-id"], name="visit_by_customer"),
            models.Index(fields=["updated_at", "id"], name="visit_by_change"),
            models.Index(fields=["scheduled_for", "id"], name="visit_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.scheduled_for:%Y-%m-%d}"

    @property
    def visited_on(self) -> date:
        """The day of the visit in the company's time zone."""
        return local_day(self.checked_in_at or self.scheduled_for)

    @property
    def is_open(self) -> bool:
        return self.status in (VisitStatus.PLANNED, VisitStatus.CHECKED_IN)

    @property
    def was_near(self) -> bool:
        """Whether the check-in was at the customer's address."""
        return self.distance_m is not None and self.distance_m <= NEAR_M

    def may_become(self, status: str) -> bool:
        return status in FOLLOWS[self.status]

    def is_correctable(self, now: datetime) -> bool:
        """Closed, but on this very day: its record may still be put right."""
        return self.closed_at is not None and local_day(self.closed_at) == local_day(now)

    def may_be_written(self, now: datetime) -> bool:
        """Whether answers and words may be written: from check-in to the end of the closing day."""
        return self.status == VisitStatus.CHECKED_IN or self.is_correctable(now)

    def check_in(
        self,
        *,
        by: User,
        at: datetime,
        now: datetime,
        place: Place | None = None,
    ) -> None:
        """Begin the visit: `by` visits the customer at `at`, at `place` where that is known."""
        self.refuse_unless_may_become(VisitStatus.CHECKED_IN)
        _refuse_future(at, now)
        self.status = VisitStatus.CHECKED_IN
        self.rep = by
        self.checked_in_at = at
        self._stand_at(place)
        self.save()

    def locate(self, place: Place) -> None:
        """Put the place of the check-in right, as long as the visit goes on."""
        if self.status != VisitStatus.CHECKED_IN:
            raise ValidationError(_("This visit is not going on."), code="not_checked_in")
        self._stand_at(place)
        self.save()

    def write(self, *, answers: Answers, words: str, purpose: str, now: datetime) -> None:
        """Keep a draft of the record, or put right one that was closed today."""
        if self.status == VisitStatus.PLANNED:
            raise ValidationError(_("Check in before you write."), code="not_checked_in")
        if not self.may_be_written(now):
            raise ValidationError(
                _("This visit is closed; its record can be put right on the day of closing only."),
                code="closed",
            )
        answers = cleaned(answers)
        if self.status == VisitStatus.DONE:
            check_complete(answers)
        self._take_down(answers, words, purpose)
        self.save()

    def close(self, *, answers: Answers, words: str, purpose: str, now: datetime) -> None:
        """Finish the visit. Refused while one of the four questions is open (P27)."""
        self.refuse_unless_may_become(VisitStatus.DONE)
        _refuse_future(self.checked_in_at or self.scheduled_for, now)
        answers = cleaned(answers)
        check_complete(answers)
        self._take_down(answers, words, purpose)
        self.status = VisitStatus.DONE
        self.closed_at = now
        self.save()

    def move(self, *, to: datetime, purpose: str) -> None:
        """Plan the visit for another time."""
        if self.status != VisitStatus.PLANNED:
            raise ValidationError(_("Only a planned visit can be moved."), code="not_planned")
        self.scheduled_for = to
        self.purpose = purpose
        self.save()

    def cancel(self) -> None:
        """Call the visit off."""
        self.refuse_unless_may_become(VisitStatus.CANCELLED)
        self.status = VisitStatus.CANCELLED
        self.save()

    def miss(self, now: datetime) -> None:
        """Say that a planned visit did not take place."""
        self.refuse_unless_may_become(VisitStatus.MISSED)
        if self.scheduled_for > now:
            raise ValidationError(
                _("The time of this visit has not come yet; cancel it instead."), code="not_yet"
            )
        self.status = VisitStatus.MISSED
        self.save()

    def refuse_unless_may_become(self, status: VisitStatus) -> None:
        if not self.may_become(status):
            raise ValidationError(
                _("A visit that is “%(from)s” cannot become “%(to)s”."),
                code="invalid_transition",
                params={"from": self.get_status_display(), "to": status.label},
            )

    def _stand_at(self, place: Place | None) -> None:
        if place is None:
            return
        self.latitude, self.longitude, self.accuracy_m = place
        self.distance_m = distance_m(
            self.latitude, self.longitude, self.customer.latitude, self.customer.longitude
        )

    def _take_down(self, answers: Answers, words: str, purpose: str) -> None:
        self.answers = answers
        self.words = words.strip()
        self.purpose = purpose.strip()


def _refuse_future(at: datetime, now: datetime) -> None:
    if at > now:
        raise ValidationError(_("A visit cannot have begun in the future."), code="future")
