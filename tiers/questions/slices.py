"""What a question is asked of: some customers, a period, and perhaps one category of products."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef

from crm.lib.contributions import contributions
from customers.models import CustomerQuerySet
from orders.models import Order, OrderLine, OrderQuerySet
from tiers.questions.periods import Period

#: A customer of one order counts as silent after as many days without another (P48), where neither
#: the question nor, on the pages, the policy says otherwise.
SILENCE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Slice:
    """`customers` in the reader's sight that were picked, as they belong today.

    With a `category` only those orders count that have a line of it, and only those customers
    that ever placed one up to the end of the period. Orders without lines are in no category.
    Who is leaving is known as of `today`, whatever the period.
    """

    customers: CustomerQuerySet
    period: Period
    today: date
    category: str = ""
    silence_days: int = SILENCE_DAYS

    def earlier(self) -> Slice:
        """The same of the period before."""
        return replace(self, period=self.period.before())

    def orders(self, until: datetime | None = None) -> OrderQuerySet:
        """The orders of these customers up to the end of the period, whatever their state."""
        found = Order.objects.filter(ordered_at__lt=until or self.period.bounds[1]).order_by()
        if self.customers.query.where:
            found = found.filter(customer__in=self.customers.order_by().values("pk"))
        if self.category:
            lines = OrderLine.objects.filter(product__category=self.category)
            found = found.filter(pk__in=lines.order_by().values("order"))
        return found

    def population(self) -> CustomerQuerySet:
        """All customers that the question is about, whether they buy or not."""
        if not self.category:
            return self.customers
        return self.customers.filter(pk__in=self.orders().counted().values("customer"))


def never_contacted(customers: CustomerQuerySet, until: datetime) -> CustomerQuerySet:
    """Those without any visit, call, case or message before `until`.

    Each app that knows of contacts says which in its module `contacted`.
    """
    for contacted in contributions("contacted", "contacted"):
        rows: Any = contacted(until=until)
        customers = customers.exclude(Exists(rows.order_by().filter(customer=OuterRef("pk"))))
    return customers
