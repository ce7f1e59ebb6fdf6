"""Calculations of the customer share that people keep under a name (P49)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import AuditEntry, Tracked, User
from accounts.roles import Role
from crm.lib.formats import local_day
from crm.lib.models import Record
from crm.lib.text import Text
from tiers import share


def validate_share(text: str) -> None:
    """A share of 0–1 as `tiers.share.stored` writes it."""
    try:
        fits = 0 <= share.read_stored(text) <= 1
    except (ValueError, ZeroDivisionError):
        fits = False
    if not fits:
        raise ValidationError(_("A share lies between 0 and 100 %."), code="invalid")


def share_field(label: Text) -> models.CharField[str, str]:
    """A share kept exactly, as a fraction: 3/20, 2/3."""
    return models.CharField(label, max_length=60, validators=[validate_share])


class ScenarioQuerySet(ScopedQuerySet["Scenario"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The reader's own calculations, and those that others share."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.filter(models.Q(owner=user.pk) | models.Q(shared=True))

    def restore(self, *, pk: int, by: User, now: datetime) -> Scenario | None:
        """Bring back what `by` deleted today, from the audit log; None where there is none such.

        ValidationError where its owner has another one of the name meanwhile.
        """
        if there := self.visible_to(by).filter(pk=pk).first():
            return there
        stored = AuditEntry.objects.taken_out(self.model, pk, by=by, on=local_day(now))
        if stored is None:
            return None
        scenario = self.model(pk=pk, **stored)
        scenario.yearly_spend = Decimal(stored["yearly_spend"])
        scenario.validate_constraints()
        scenario.save(force_insert=True)
        return scenario


class Scenario(Tracked, Record):
    """The inputs of one calculation, under its owner's name for it; private, or shared with all.

    `division` is the area that it is about, "" for none. The results are not kept: they follow.
    """

    OWNER_PATH = SHARED

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="share_scenarios",
        verbose_name=_("owner"),
    )
    name = models.CharField(_("name"), max_length=60)
    division = models.CharField(
        _("area"),
        max_length=6,
        blank=True,
        validators=[RegexValidator(r"^\d{6}$", _("A division code has 6 digits."))],
    )
    population = models.PositiveBigIntegerField(
        _("population"),
        validators=[MinValueValidator(1), MaxValueValidator(share.MOST_PEOPLE)],
    )
    age_share = share_field(_("of the right age"))
    reachable_share = share_field(_("can be reached"))
    valid_share = share_field(_("are won"))
    spender_share = share_field(_("of them buy"))
    yearly_spend = models.DecimalField(
        _("each spends a year"),
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(share.MOST_SPENT)],
    )
    shared = models.BooleanField(_("shared with everybody"), default=False)
    notes = models.TextField(_("notes"), max_length=2000, blank=True)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("calculation")
        verbose_name_plural = _("calculations")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="one_calculation_of_a_name",
                violation_error_message=_("You have a calculation of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may_be_changed_by(self, user: User) -> bool:
        """By its owner, and by an administrator where it is shared."""
        return self.owner_id == user.pk or (
            self.shared and (user.is_superuser or user.role == Role.ADMINISTRATOR)
        )

    @property
    def inputs(self) -> share.Inputs:
        """What the calculation starts from."""
        return share.Inputs(
            population=self.population,
            yearly_spend=self.yearly_spend,
            **{name: share.read_stored(getattr(self, name)) for name in share.SHARES},
        )
