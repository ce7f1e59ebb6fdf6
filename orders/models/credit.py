"""What customers pay, what credit they have, what they owe, and which orders wait for that."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record


class PaymentQuerySet(ScopedQuerySet["Payment"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Paid at `start` or later, and before `end`."""
        return self.filter(paid_at__gte=start, paid_at__lt=end)

    def standing(self) -> Self:
        """Payments that were not taken back, and no reversals."""
        return self.filter(reverses=None, reversal=None)


class Payment(Tracked, Record):
    """Money that a customer paid (回款); below zero where money went back to it.

    Nothing is deleted: a reversal is a payment of the opposite amount that `reverses` another
    one. `order` is the order that the customer named, if any; the ledger spreads the rest.
    """

    OWNER_PATH = "customer__owner"

    external_id = models.CharField(
        _("payment number"), max_length=100, null=True, blank=True, unique=True
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        related_name="payments",
        verbose_name=_("customer"),
        db_index=False,
    )
    order = models.ForeignKey(
        "orders.Order",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("order"),
    )
    paid_at = models.DateTimeField(_("paid"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    method = models.CharField(_("payment method"), max_length=50, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    reverses = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="reversal",
        verbose_name=_("takes back"),
    )
    #: Made once for each form: a second press of the button finds the payment of the first.
    client_id = models.UUIDField(null=True, editable=False, unique=True)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    objects = PaymentQuerySet.as_manager()

    UNAUDITED = (*Tracked.UNAUDITED, "client_id")

    class Meta:
        ordering = ["-paid_at", "-id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [
            models.CheckConstraint(
                condition=~Q(amount=0),
                name="payment_moves_money",
                violation_error_message=_("A payment is not zero."),
            ),
        ]
        indexes = [
            models.Index(fields=["paid_at", "id"], name="payment_by_day"),
            models.Index(fields=["customer", "-paid_at", "-id"], name="payment_by_customer"),
            models.Index(fields=["updated_at", "id"], name="payment_by_change"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"#{self.pk}"

    @property
    def is_reversed(self) -> bool:
        return hasattr(self, "reversal")


class HoldAt(models.TextChoices):
    """Where an order waits that the credit does not cover."""

    NEVER = "never", pgettext_lazy("orders wait", "never")
    ORDER = "order", _("when ordered")
    DELIVERY = "delivery", _("before delivery")


class CreditQuerySet(ScopedQuerySet["Credit"]):
    pass


class Credit(Tracked, Record):
    """What a customer may owe us, and how long; without one there is no limit (P39).

    Each change says its reason; the audit log keeps all of them.
    """

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField(
        "customers.Customer",
        models.PROTECT,
        related_name="credit",
        verbose_name=_("customer"),
        editable=False,
    )
    limit = models.DecimalField(
        _("credit limit"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: no limit."),
    )
    terms_days = models.PositiveIntegerField(
        _("terms in days"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("An order is due so many days after its day."),
    )
    hold_at = models.CharField(
        _("orders wait"), max_length=10, choices=HoldAt.choices, default=HoldAt.NEVER
    )
    hold_overdue_days = models.PositiveIntegerField(
        _("also when overdue for days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365)],
        help_text=_("Orders also wait while something is overdue for more days. Empty: never."),
    )
    reason = models.CharField(_("reason"), max_length=300)

    objects = CreditQuerySet.as_manager()

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        constraints = [
            models.CheckConstraint(
                condition=Q(limit__gte=0) | Q(limit=None),
                name="credit_limit_not_negative",
                violation_error_message=_("A limit is not negative."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.customer)


class BalanceQuerySet(ScopedQuerySet["Balance"]):
    def owing(self) -> Self:
        """Customers with something open, or with money on account."""
        return self.exclude(ordered=0, delivered=0, on_account=0)

    def overdue(self) -> Self:
        return self.filter(overdue__gt=0)

    def over_limit(self) -> Self:
        """Customers that owe more than they may."""
        return self.filter(customer__credit__limit__lt=F("exposure"))


class Balance(models.Model):
    """What a customer owes as of a day, worked out from its orders and payments.

    Written again whenever they change and every night; nobody edits it. `ordered` is confirmed
    and not shipped, `delivered` shipped and not paid: `not_due` and the overdue ages are its
    parts. `on_account` is what was paid beyond all orders (below zero: owed beside them).
    """

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField("customers.Customer", models.CASCADE, related_name="balance")
    as_of = models.DateField(_("as of"))
    ordered = models.DecimalField(_("ordered"), max_digits=16, decimal_places=2)
    delivered = models.DecimalField(_("delivered, unpaid"), max_digits=16, decimal_places=2)
    not_due = models.DecimalField(_("not yet due"), max_digits=16, decimal_places=2)
    overdue_30 = models.DecimalField(_("overdue to 30 days"), max_digits=16, decimal_places=2)
    overdue_60 = models.DecimalField(_("overdue 31–60 days"), max_digits=16, decimal_places=2)
    overdue_90 = models.DecimalField(_("overdue 61–90 days"), max_digits=16, decimal_places=2)
    overdue_over_90 = models.DecimalField(
        _("overdue over 90 days"), max_digits=16, decimal_places=2
    )
    overdue = models.DecimalField(_("overdue"), max_digits=16, decimal_places=2)
    on_account = models.DecimalField(_("on account"), max_digits=16, decimal_places=2)
    exposure = models.DecimalField(_("exposure"), max_digits=16, decimal_places=2)

    objects = BalanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        indexes = [
            models.Index(fields=["-exposure", "-customer"], name="balance_by_exposure"),
            models.Index(fields=["-overdue", "-customer"], name="balance_by_overdue"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of}"


class Cause(models.TextChoices):
    """Why an order waits."""

    LIMIT = "limit", _("over the limit")
    OVERDUE = "overdue", _("overdue")


class HoldQuerySet(ScopedQuerySet["Hold"]):
    def open(self) -> Self:
        return self.filter(ended_at=None)


class Hold(Tracked, Record):
    """An order that waits because of its customer's credit, with the numbers of that moment.

    It ends when a person releases it (`released_by` with a `reason`) or when its cause is gone.
    What was released is not held again for the same cause.
    """

    OWNER_PATH = "order__customer__owner"

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="holds", verbose_name=_("order")
    )
    cause = models.CharField(_("cause"), max_length=10, choices=Cause.choices)
    #: limit, used, amount (decimal strings) for LIMIT; overdue (amount), days, allowed for OVERDUE.
    facts = models.JSONField(_("facts"), default=dict)
    held_at = models.DateTimeField(_("held"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("released by"),
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-held_at", "-id"]
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "cause"], condition=Q(ended_at=None), name="one_open_hold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order} {self.get_cause_display()}"


#: What a customer has of whom nobody said anything.
USUAL_TERMS_DAYS = 30


def usual_credit(customer_id: int) -> Credit:
    """The credit of a customer of whom nobody said anything: no limit, nothing waits."""
    return Credit(customer_id=customer_id, terms_days=USUAL_TERMS_DAYS)
