"""The customer file."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Length
from django.utils.translation import gettext_lazy as _

from accounts.access import ScopedQuerySet
from accounts.models import Tracked
from crm.lib.models import Record
from customers.searching import fitting

models.CharField.register_lookup(Length)


class Kind(models.TextChoices):
    DISTRIBUTOR = "distributor", _("Distributor")
    DEALER = "dealer", _("Dealer")
    OUTLET = "outlet", _("Outlet")
    GROUP_BUYER = "group_buyer", _("Group buyer")


class Status(models.TextChoices):
    PROSPECT = "prospect", _("Prospect")
    ACTIVE = "active", _("Active")
    DORMANT = "dormant", _("Dormant")
    LOST = "lost", _("Lost")


class Tier(models.TextChoices):
    """ABC tier; a customer without one (NULL) is unranked."""

    A = "A", "A"
    B = "B", "B"
    C = "C", "C"


class Loyalty(models.TextChoices):
    LOYAL = "loyal", _("Loyal")
    SWITCHER = "switcher", _("Switcher")
    NONE = "none", _("No brand loyalty")


class DivisionFound(models.TextChoices):
    """What became of looking for the area in the address; "" where the area was given."""

    ADDRESS = "address", _("from the address")
    AMBIGUOUS = "ambiguous", _("the address fits more than one area")
    UNKNOWN = "unknown", _("no area fits the address")


class CustomerQuerySet(ScopedQuerySet["Customer"]):
    def unranked(self) -> Self:
        return self.filter(abc=None)

    def numbered(self, number: str) -> Self:
        """The customer with this number in the ERP, its own or that of a file merged into it."""
        from customers.models.duplicates import Alias

        taken_over = Alias.objects.filter(external_id=number).values("customer")
        return self.filter(models.Q(external_id=number) | models.Q(pk__in=taken_over))

    def named_like(self, words: str) -> Self:
        """Customers that all of `words` fit: name, pinyin, initials, numbers, phones, contacts,
        address and areas.

        In the order of the list; a reader's sight, narrowed before, says whose customers.
        """
        return self.filter(fitting(words, places=True))

    def known_as(self, words: str) -> Self:
        """Customers that all of `words` fit without a look at where they are."""
        return self.filter(fitting(words))


class Customer(Tracked, Record):
    """An organisation that buys: one file for each.

    The tier (`abc`, `loyalty`, `key_account`) and the facts of the tier window (`net_amount`,
    `order_count`, `last_ordered_on`, as of the last tier run) are written by the tier run;
    `last_visited_on` by a closed visit.
    """

    OWNER_PATH = "owner"
    #: How the area was found tells nothing that the area and the address do not.
    UNAUDITED = (*Tracked.UNAUDITED, "division_found")
    BESIDE = {"merged": _("merged with"), "area": _("area")}

    external_id = models.CharField(
        _("number in the ERP"), max_length=100, null=True, blank=True, unique=True
    )
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.DEALER)
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PROSPECT
    )
    parent = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("supplied by"),
    )
    group_head = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="group_members",
        verbose_name=_("belongs to the group of"),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("owner"),
    )
    division = models.CharField(
        _("division code"),
        max_length=6,
        blank=True,
        validators=[RegexValidator(r"^\d{6}$", _("A division code has 6 digits."))],
    )
    division_found = models.CharField(
        _("how the area was found"),
        max_length=10,
        choices=DivisionFound.choices,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    address = models.CharField(_("address"), max_length=300, blank=True)
    latitude = models.DecimalField(
        _("latitude"),
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-90), MaxValueValidator(90)],
    )
    longitude = models.DecimalField(
        _("longitude"),
        max_digits=9,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(-180), MaxValueValidator(180)],
    )
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    tax_id = models.CharField(_("tax number"), max_length=32, blank=True)
    founded_on = models.DateField(_("founded on"), null=True, blank=True)
    buyout = models.BooleanField(_("buyout customer"), default=False)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    custom = models.JSONField(_("own fields"), default=dict, blank=True)
    source_updated_at = models.DateTimeField(
        _("changed in the ERP"), null=True, blank=True, editable=False
    )

    abc = models.CharField(
        _("ABC tier"), max_length=1, choices=Tier.choices, null=True, editable=False
    )
    loyalty = models.CharField(
        _("loyalty class"), max_length=10, choices=Loyalty.choices, null=True, editable=False
    )
    key_account = models.BooleanField(_("key account"), default=False, editable=False)
    net_amount = models.DecimalField(
        _("net amount"), max_digits=16, decimal_places=2, null=True, editable=False
    )
    order_count = models.PositiveIntegerField(_("orders"), default=0, editable=False)
    last_ordered_on = models.DateField(_("last order"), null=True, editable=False)
    last_visited_on = models.DateField(_("last visit"), null=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(name__length__gt=0),
                name="customer_has_a_name",
                violation_error_message=_("A customer needs a name."),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-net_amount", "-id"], name="customer_by_owner_net"),
            models.Index(fields=["-net_amount", "-id"], name="customer_by_net"),
            models.Index(fields=["abc", "-net_amount", "-id"], name="customer_by_tier"),
            models.Index(fields=["updated_at", "id"], name="customer_by_change"),
            models.Index(fields=["division"], name="customer_by_division"),
            models.Index(fields=["tax_id"], name="customer_by_tax_id"),
            models.Index(
                fields=["division_found", "id"],
                name="customer_area_unclear",
                condition=models.Q(division_found__in=["ambiguous", "unknown"]),
            ),
            models.Index(fields=["-last_ordered_on", "-id"], name="customer_by_last_order"),
            models.Index(fields=["-last_visited_on", "-id"], name="customer_by_last_visit"),
            models.Index(fields=["name", "id"], name="customer_by_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        self.external_id = self.external_id or None
        self._refuse_number_of_merged()
        from customers.hierarchy import refuse_rings  # which needs the models

        refuse_rings(self)

    def _refuse_number_of_merged(self) -> None:
        from customers.models.duplicates import Alias

        known = self.__dict__.get("_loaded", {}).get("external_id")
        if self.external_id in (None, known):
            return
        if Alias.objects.filter(external_id=self.external_id).exists():
            raise ValidationError(
                {"external_id": _("This number belongs to a file that was merged into another.")}
            )
