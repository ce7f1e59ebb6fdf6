"""Files of one company that stand there twice, and what became of them (P5)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import owned_by_sight_of

if TYPE_CHECKING:
    from accounts.models import User
    from customers.models.customer import Customer


class PairState(models.TextChoices):
    OPEN = "open", pgettext_lazy("pair of files", "Open")
    DISMISSED = "dismissed", _("Not the same")


class DuplicatePairQuerySet(models.QuerySet["DuplicatePair"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Pairs of which `user` may see both files."""
        return self.filter(
            owned_by_sight_of(user, "first__owner"), owned_by_sight_of(user, "second__owner")
        )

    def of(self, customer: Customer) -> Self:
        """Pairs that `customer` is one of."""
        return self.filter(models.Q(first=customer) | models.Q(second=customer))


class DuplicatePair(models.Model):
    """Two files that look like one company; `first` has the smaller id.

    `score` is 0–100, `reasons` lists why as codes with their evidence, so that the page can say
    it in the reader's language.
    """

    first = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")
    second = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=PairState.choices, default=PairState.OPEN)
    found_at = models.DateTimeField()
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(null=True)

    objects = DuplicatePairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="one_pair_of_two_files"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="pair_in_order"
            ),
        ]
        indexes = [models.Index(fields=["state", "-score", "-id"], name="pair_by_score")]

    def __str__(self) -> str:
        return f"{self.first_id} = {self.second_id}"

    @property
    def files(self) -> tuple[Customer, Customer]:
        return self.first, self.second

    def dismiss(self, *, by: User, now: datetime) -> None:
        """The two are not one company, whatever later searches find."""
        self.state, self.settled_by, self.settled_at = PairState.DISMISSED, by, now
        self.save(update_fields=["state", "settled_by", "settled_at"])

    def reopen(self) -> None:
        """Take `dismiss` back."""
        self.state, self.settled_by, self.settled_at = PairState.OPEN, None, None
        self.save(update_fields=["state", "settled_by", "settled_at"])


class Merge(models.Model):
    """One file that went into another, with all that is needed to take it back.

    `gone` is the row of the file that went, column by column; `before` are the survivor's values
    that the merge changed; `moved` tells which rows went over: table → ids.
    """

    survivor = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="merges", verbose_name=_("customer")
    )
    gone_id = models.BigIntegerField()
    gone_name = models.CharField(max_length=200)
    gone = models.JSONField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    moved = models.JSONField(default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["gone_id"], name="merge_by_gone")]

    def __str__(self) -> str:
        return f"{self.gone_name} → {self.survivor_id}"


class Alias(models.Model):
    """A number in the ERP of a file that was merged: sync takes it for the survivor's."""

    external_id = models.CharField(_("number in the ERP"), max_length=100, unique=True)
    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="aliases", verbose_name=_("customer")
    )
    merge = models.ForeignKey(Merge, models.CASCADE, null=True, related_name="aliases")

    def __str__(self) -> str:
        return self.external_id
