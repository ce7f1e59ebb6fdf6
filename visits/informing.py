"""Which customers market information fits, in numbers and words, and as a letter (P26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.lib.days import day_bounds, months_before
from crm.lib.formats import day
from customers import divisions
from customers.filters import tagged
from customers.models import Customer, CustomerQuerySet, Kind, Tier
from orders.models import COUNTED, OrderLine
from orders.stats import WINDOW_MONTHS
from visits.models import UNRANKED, MarketInformation, Sending


def fits(
    information: MarketInformation, customers: CustomerQuerySet, *, today: date
) -> CustomerQuerySet:
    """Those of `customers` that it helps and that have not received it yet."""
    received = Sending.objects.filter(information=information, customer=OuterRef("pk"))
    return audience(information, customers, today=today).exclude(Exists(received))


def audience(
    information: MarketInformation, customers: CustomerQuerySet, *, today: date
) -> CustomerQuerySet:
    """Those of `customers` that it helps, whether or not they have received it.

    Bought is what a counted order of the 12 months up to `today` holds, as in the tiers (P8).
    """
    if information.kinds:
        customers = customers.filter(kind__in=information.kinds)
    if information.tiers:
        unranked = Q(abc=None) if UNRANKED in information.tiers else Q(pk__in=[])
        customers = customers.filter(Q(abc__in=information.tiers) | unranked)
    if information.areas:
        inside = Q()
        for prefix in information.areas:
            inside |= Q(division__range=(prefix.ljust(6, "0"), prefix.ljust(6, "9")))
        customers = customers.filter(inside)
    if information.tags:
        carrying = Q()
        for tag in information.tags:
            carrying |= Q(pk__in=tagged(Customer.objects.all(), tag).values("pk"))
        customers = customers.filter(carrying)
    if information.categories:
        first = months_before(today, WINDOW_MONTHS) + timedelta(days=1)
        start, end = day_bounds(first, today)
        bought = OrderLine.objects.filter(
            order__customer=OuterRef("pk"),
            order__status__in=COUNTED,
            order__ordered_at__gte=start,
            order__ordered_at__lt=end,
            product__category__in=information.categories,
        )
        customers = customers.filter(Exists(bought))
    return customers


def whom_it_helps(information: MarketInformation) -> str:
    """The rules in one line: 经销商 · A、B · 浙江省; all customers where there is none."""
    kinds: dict[str, Any] = dict(Kind.choices)
    comma = pgettext("between the items of a list", ", ")
    parts = [
        comma.join(str(kinds[kind]) for kind in information.kinds if kind in kinds),
        comma.join(_("Tier %(tier)s") % {"tier": tier} for tier in ranked(information.tiers)),
        _("without a tier") if UNRANKED in information.tiers else "",
        comma.join(area_name(prefix) for prefix in information.areas),
        _("buys %(what)s") % {"what": comma.join(information.categories)}
        if information.categories
        else "",
        _("tagged %(tags)s") % {"tags": comma.join(information.tags)} if information.tags else "",
    ]
    return " · ".join(part for part in parts if part) or _("All customers")


def ranked(tiers: list[str]) -> list[str]:
    """The tiers among `tiers`, A first."""
    return [tier for tier in Tier.values if tier in tiers]


def area_name(prefix: str) -> str:
    """An area in words, its digits where nobody knows its name."""
    return divisions.name(prefix) or prefix


@dataclass(frozen=True, slots=True)
class Letter:
    """The information as a customer gets it in writing; `mailto` opens a program for e-mail."""

    subject: str
    body: str

    def mailto(self, email: str) -> str:
        """An address that begins an e-mail to `email` with this text."""
        asked = urlencode({"subject": self.subject, "body": self.body}, quote_via=quote)
        return f"mailto:{quote(email, safe='@')}?{asked}"


def letter(
    information: MarketInformation, *, name: str, sender: str, company: str, today: date
) -> Letter:
    """The information addressed to `name`, signed by `sender`; in the reader's language."""
    lines = [pgettext("begins a letter", "%(name)s,") % {"name": name}, "", information.text]
    origin = {
        "source": information.get_source_display(),
        "where": information.where,
        "day": day(information.learned_on, today),
    }
    if information.where:
        lines += ["", _("Source: %(source)s, %(where)s, %(day)s") % origin]
    else:
        lines += ["", _("Source: %(source)s, %(day)s") % origin]
    if information.valid_until:
        until = day(information.valid_until, today)
        lines.append(_("Holds until %(day)s") % {"day": until})
    lines += ["", sender, company, day(today, today)]
    return Letter(information.title, "\n".join(lines))
