"""The people at a customer (P3)."""

from __future__ import annotations

from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from customers import birthdays
from customers.birthdays import Birthday, BirthdayCalendar


class Gender(models.TextChoices):
    FEMALE = "female", _("female")
    MALE = "male", _("male")


class BuyingRole(models.TextChoices):
    DECISION_MAKER = "decision_maker", _("Decision maker")
    INFLUENCER = "influencer", _("Influencer")
    PURCHASER = "purchaser", _("Purchaser")
    USER = "user", pgettext_lazy("buying role", "User")


#: Who is named first: who decides, then who buys.
PLACES = (
    BuyingRole.DECISION_MAKER,
    BuyingRole.PURCHASER,
    BuyingRole.INFLUENCER,
    BuyingRole.USER,
)


class ContactQuerySet(ScopedQuerySet["Contact"]):
    def still_there(self) -> Self:
        return self.filter(has_left=False)

    def by_role(self) -> Self:
        """Who decides first, then by rapport; who has left comes last."""
        place = models.Case(
            *(models.When(buying_role=role, then=at) for at, role in enumerate(PLACES)),
            default=len(PLACES),
        )
        return self.order_by("has_left", place, models.F("rapport").desc(nulls_last=True), "pk")

    def named_like(self, words: str) -> Self:
        """People whose name, title, number or way to be reached holds `words`."""
        words = words.strip()
        if not words:
            return self
        fits = models.Q()
        for name in ("name", "title", "phone", "email", "wechat"):
            fits |= models.Q(**{f"{name}__icontains": words})
        digits = "".join(letter for letter in words if letter.isdecimal())
        if len(digits) >= 4:
            fits |= models.Q(phone__contains=digits.lstrip("0"))
        return self.filter(fits | models.Q(external_id__istartswith=words))


class Contact(Tracked, Record):
    """A person at a customer: all who influence buying, not only who signs (P50).

    The birthday is kept in parts, since a lunar one (30th of the 2nd month) need not be a solar
    date and the year is often unknown; `birthday_leap` says that the month is a leap month.
    """

    OWNER_PATH = "customer__owner"

    external_id = models.CharField(
        _("number in the ERP"), max_length=100, null=True, blank=True, unique=True
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="contacts",
        verbose_name=_("customer"),
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=100)
    gender = models.CharField(_("gender"), max_length=6, choices=Gender.choices, blank=True)
    title = models.CharField(_("title"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    wechat = models.CharField(_("WeChat"), max_length=64, blank=True)
    birthday_calendar = models.CharField(
        _("birthday calendar"),
        max_length=5,
        choices=BirthdayCalendar.choices,
        default=BirthdayCalendar.SOLAR,
    )
    birth_year = models.PositiveSmallIntegerField(
        _("year of birth"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2100)],
    )
    birth_month = models.PositiveSmallIntegerField(
        _("month of birth"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    birth_day = models.PositiveSmallIntegerField(
        _("day of birth"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
    )
    birthday_leap = models.BooleanField(_("leap month"), default=False)
    buying_role = models.CharField(
        _("buying role"), max_length=20, choices=BuyingRole.choices, blank=True
    )
    rapport = models.PositiveSmallIntegerField(
        _("rapport"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text=_("0 to 100"),
    )
    likes = models.CharField(_("likes"), max_length=500, blank=True)
    has_left = models.BooleanField(_("no longer there"), default=False)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["has_left", "-rapport", "id"]
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        indexes = [
            models.Index(fields=["customer", "id"], name="contact_by_customer"),
            models.Index(fields=["updated_at", "id"], name="contact_by_change"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def birthday(self) -> Birthday | None:
        if self.birth_month is None or self.birth_day is None:
            return None
        return Birthday(
            self.birthday_calendar,
            self.birth_month,
            self.birth_day,
            self.birthday_leap,
            self.birth_year,
        )

    @birthday.setter
    def birthday(self, birthday: Birthday | None) -> None:
        """All parts at once; None empties them."""
        given = birthday or Birthday(BirthdayCalendar.SOLAR, 0, 0)
        self.birthday_calendar, self.birthday_leap = given.calendar, given.leap
        self.birth_year = given.year
        self.birth_month, self.birth_day = given.month or None, given.day or None

    @property
    def birthday_text(self) -> str:
        """What is known of the date of birth, as the API writes it."""
        return birthdays.as_text(birthdays.Parts(self.birth_year, self.birth_month, self.birth_day))

    @property
    def birthday_words(self) -> str:
        """农历五月初三; "" where the day is not known."""
        return birthdays.in_words(self.birthday) if self.birthday else ""

    @property
    def rapport_tone(self) -> str:
        """How the meter is coloured: good from 60, bad below 40."""
        if self.rapport is None:
            return ""
        return "good" if self.rapport >= 60 else "warn" if self.rapport >= 40 else "bad"

    def clean(self) -> None:
        super().clean()
        self.external_id = self.external_id or None
        if self.birth_month is None and self.birth_day is None:
            self.birthday_leap = False
            return
        if self.birth_month is None:
            raise ValidationError({"birth_month": _("Give the month, too.")})
        if self.birth_day is None:
            raise ValidationError({"birth_day": _("Give the day, too.")})
        assert self.birthday
        if said := birthdays.fault(self.birthday):
            raise ValidationError({"birth_day": said})
