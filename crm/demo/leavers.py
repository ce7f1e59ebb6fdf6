"""Who leaves silently at the demo company, and of whom somebody knows better (P48)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from accounts.roles import Role
from crm.lib.days import day_start
from customers.models import Customer
from tiers.churn import leaving
from tiers.churn.forecast import forecast
from tiers.churn.staying import say_staying
from tiers.models import ChurnRun

#: Estimates of earlier weeks, for how the number developed.
WEEKS = 6
#: What reps know of customers that only look as if they left: in Chinese, as they write.
KNOWN = (
    "店面装修，下月重新开业",
    "老板回老家了，国庆后恢复进货",
    "换仓库，暂由隔壁网点代进",
)


def write_leavers(chance: Random, *, today: date, now: datetime) -> int:
    """The estimates of last night and of earlier weeks, as the job would have made them.

    How many leave.
    """
    for weeks in range(WEEKS, -1, -1):
        night = today - timedelta(weeks=weeks)
        made_at = min(now, day_start(night) + timedelta(hours=2, minutes=30))
        forecast(lambda _done, _total: None, as_of=night - timedelta(days=1), now=made_at)
    owned = Customer.objects.filter(owner__role=Role.REP, owner__is_active=True)
    run = ChurnRun.objects.first()
    found = list(
        leaving(owned, run=run, today=today).select_related("customer__owner")[: 10 * len(KNOWN)]
    )
    for one, words in zip(chance.sample(found, min(len(KNOWN), len(found))), KNOWN, strict=False):
        owner = one.customer.owner
        assert owner is not None
        until = today + timedelta(days=chance.randint(14, 60))
        say_staying(customer=one.customer, reason=words, until=until, by=owner, now=made_at)
    return leaving(Customer.objects.all(), run=run, today=today).count()
