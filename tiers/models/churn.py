"""Who is likely to have left, what that puts at risk, and who was said to be staying (P48)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts.access import SHARED, ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from tiers.models.policies import Measure

if TYPE_CHECKING:
    from customers.models import CustomerQuerySet


class Method(models.TextChoices):
    """How the chance of being alive was found."""

    MODEL = "model", _("Purchase model (BG/NBD)")
    RHYTHM = "rhythm", _("Own rhythm")


class ChurnRun(models.Model):
    """One estimate for all customers, as of the end of a day.

    `outcome` is "fitted", or the code of why the purchase model could not be used (Unfit);
    `parameters` are r, alpha (in days), a and b of the fit. `method` is what customers with two
    purchases or more were judged by; those with one are always compared with their peers.

    `leaving_below`, `gone_after_days` and `measure` are those of the policy in force on that day,
    kept so that the run stays explainable: below which chance of being alive a customer leaves,
    after how many days without a purchase it has gone, and whether money is amount or margin.
    `leaving` is how many stood below the line, without those gone; `value_at_risk` what their
    staying away costs all together, empty for runs from before it was kept. Both are of all
    customers, and take in those of whom somebody said that they stay.
    """

    OWNER_PATH = SHARED

    as_of = models.DateField(_("as of"))
    finished_at = models.DateTimeField(_("finished"))
    period_days = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=20)
    method = models.CharField(max_length=6, choices=Method.choices)
    parameters = models.JSONField(default=dict)
    customers = models.PositiveIntegerField(_("customers"))
    repeat_customers = models.PositiveIntegerField()
    leaving_below = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal("0.5000"))
    gone_after_days = models.PositiveSmallIntegerField(default=365)
    measure = models.CharField(max_length=10, choices=Measure.choices, default=Measure.AMOUNT)
    leaving = models.PositiveIntegerField()
    value_at_risk = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    written = models.PositiveIntegerField()

    objects = ScopedQuerySet["ChurnRun"].as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.as_of}"

    @property
    def by_margin(self) -> bool:
        """Whether what is at risk is margin; else it is net amount."""
        return self.measure == Measure.MARGIN

    def gone_from(self, today: date) -> date:
        """Who bought last on this day or before has gone: nobody brings it back by a visit."""
        return today - timedelta(days=self.gone_after_days)

    def says_leaving(self, outlook: Outlook) -> bool:
        """Whether the customer is likely to have left, lately or long ago."""
        return outlook.alive < self.leaving_below

    def says_gone(self, outlook: Outlook, today: date) -> bool:
        """Whether it is likely to have left so long ago that it has gone."""
        return self.says_leaving(outlook) and outlook.last_on <= self.gone_from(today)


class OutlookQuerySet(ScopedQuerySet["Outlook"]):
    def of(self, customers: CustomerQuerySet) -> Self:
        return self.filter(customer__in=customers.order_by().values("pk"))

    def leaving(self, run: ChurnRun, today: date) -> Self:
        """Likely to have left by the line of `run`, and not so long ago that they have gone."""
        return self.filter(alive__lt=run.leaving_below, last_on__gt=run.gone_from(today))

    def gone(self, run: ChurnRun, today: date) -> Self:
        """Likely to have left by the line of `run`, too long ago for a visit to help."""
        return self.filter(alive__lt=run.leaving_below, last_on__lte=run.gone_from(today))

    def said_to_stay(self, today: date) -> Self:
        """Those of whom somebody said that they are not leaving, as long as that holds."""
        return self.filter(
            Exists(Staying.objects.holding(today).filter(customer=OuterRef("customer")))
        )

    def unexplained(self, today: date) -> Self:
        """Without those of whom somebody said that they are not leaving."""
        holding = Staying.objects.holding(today).filter(customer=OuterRef("customer"))
        return self.filter(~Exists(holding))


class Outlook(models.Model):
    """What is to be expected of one customer that has bought before.

    `alive` is the chance, between 0 and 1, that it will ever buy again. `pace` is how many
    purchases it makes in the coming period if it is alive, at most one where it has bought on one
    day only; `expected` is the same times `alive`, `per_purchase` what a purchase of it brings on
    average, by amount or by margin as the run says. `value_at_risk` is what its staying away costs
    in the period: pace × per purchase × (1 − alive).

    The reason in numbers: it has bought on `intervals` + 1 days, on average every `usual_days`
    (its peers' figure where it bought on one day only), the last time on `last_on`; the silence
    since then is longer than `shorter` of its intervals.

    `as_of` is the day of the run that wrote the row: later runs that found the same left it.
    """

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, related_name="outlook", verbose_name=_("customer")
    )
    as_of = models.DateField(_("as of"))
    method = models.CharField(_("method"), max_length=6, choices=Method.choices)
    alive = models.DecimalField(_("chance of being alive"), max_digits=4, decimal_places=3)
    pace = models.DecimalField(max_digits=8, decimal_places=3)
    expected = models.DecimalField(_("expected purchases"), max_digits=8, decimal_places=3)
    per_purchase = models.DecimalField(_("per purchase"), max_digits=16, decimal_places=2)
    value_at_risk = models.DecimalField(_("value at risk"), max_digits=16, decimal_places=2)
    last_on = models.DateField(_("last purchase"))
    usual_days = models.PositiveIntegerField()
    intervals = models.PositiveIntegerField()
    shorter = models.PositiveIntegerField()

    objects = OutlookQuerySet.as_manager()

    class Meta:
        ordering = ["-value_at_risk", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(alive__gte=0) & models.Q(alive__lte=1), name="alive_is_a_chance"
            ),
        ]
        indexes = [
            models.Index(fields=["-value_at_risk", "-id"], name="outlook_by_risk"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.alive}"

    @property
    def left(self) -> Decimal:
        """The chance that it has left."""
        return 1 - self.alive


class StayingQuerySet(ScopedQuerySet["Staying"]):
    def holding(self, today: date) -> Self:
        """What was said and holds on `today`, its last day included."""
        return self.filter(until__gte=today)


class Staying(Tracked, Record):
    """Somebody's word that a customer is not leaving: why, and until when that is to be believed.

    One for each customer: said again, it is changed, and the audit log keeps what stood before.
    """

    OWNER_PATH = "customer__owner"

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, related_name="staying", verbose_name=_("customer")
    )
    reason = models.CharField(_("why it is not leaving"), max_length=300)
    until = models.DateField(_("until"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )

    objects = StayingQuerySet.as_manager()

    class Meta:
        verbose_name = _("word that a customer stays")
        verbose_name_plural = _("words that customers stay")
        indexes = [models.Index(fields=["until"], name="staying_by_day")]

    def __str__(self) -> str:
        return f"{self.customer_id}: {self.until}"

    def say(self, *, reason: str, until: date, by: Any) -> None:
        """It is not leaving, for this reason, up to and with this day."""
        self.reason, self.until, self.by = reason, until, by
        self.save()
