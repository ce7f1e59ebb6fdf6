"""What the past year left behind: greetings given on the occasions, and the calls of the ERP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import SyncCall
from crm.demo.people import INTEGRATION
from crm.demo.writing import Writer
from crm.lib.calendar import occasions
from customers.models import Customer, Tier
from orders.models import Order
from visits.models import OccasionRule, Reminder

NIGHTS = 30


def write_past_reminders(writer: Writer, rng: Random, *, today: date) -> None:
    """A year of reminders for the A and B customers, most of them done before their day."""
    rules = dict(OccasionRule.objects.filter(enabled=True).values_list("code", "days_before"))
    greeted = list(
        Customer.objects.filter(abc__in=[Tier.A, Tier.B])
        .exclude(owner=None)
        .order_by("id")
        .values_list("id", "owner_id", "created_at")
    )
    first = writer.next_id(Reminder)

    def rows() -> Iterator[tuple[object, ...]]:
        for occasion in occasions(today - timedelta(days=365), today - timedelta(days=1)):
            made_on = occasion.on - timedelta(days=rules.get(occasion.code, 7))
            if occasion.code not in rules:
                continue
            for customer, owner, since in greeted:
                if timezone.localdate(since) > made_on:
                    continue
                days = rng.randint(0, (occasion.on - made_on).days)
                done_at = _at(made_on + timedelta(days=days), 8 * 60 + rng.randrange(570))
                yield (
                    occasion.code, occasion.on, customer, owner,
                    done_at if rng.random() < 0.9 else None,
                    _at(made_on, 7 * 60), _at(made_on, 7 * 60), done_at,
                )  # fmt: skip

    writer.write(
        Reminder,
        (
            "id", "occasion", "on", "customer_id", "user_id", "done_at", "mailed_at",
            "created_at", "updated_at",
        ),
        ((first + number, *row) for number, row in enumerate(rows())),
    )  # fmt: skip


def write_sync_calls(writer: Writer, rng: Random, *, integration: int, today: date) -> None:
    """The ERP's calls of the last nights: each brought the orders of the day before."""
    first_day = today - timedelta(days=NIGHTS)
    brought = (
        Order.objects.filter(ordered_at__gte=_at(first_day, 0))
        .annotate(day=TruncDate("ordered_at"))
        .values("day")
        .annotate(n=Count("id"))
        .order_by("day")
    )
    rows = []
    for pk, night in enumerate(brought, start=writer.next_id(SyncCall)):
        moved_on, missing = rng.randint(0, 9), int(rng.random() < 0.1)
        errors = [
            {
                "index": 0,
                "external_id": f"SO-{night['day']:%y%m}-9{rng.randrange(1000):03}",
                "errors": {"customer": [f"No customer has external_id 'C-2{pk:04}'."]},
            }
        ][:missing]
        received = night["n"] + moved_on + missing
        at = _at(night["day"] + timedelta(days=1), 25 + rng.randrange(9))
        rows.append(
            (pk, at, "orders", integration, INTEGRATION[1], received, night["n"], moved_on,
             missing, errors)
        )  # fmt: skip
    writer.write(
        SyncCall,
        (
            "id", "at", "resource", "actor_id", "actor_name", "received", "created", "updated",
            "rejected", "errors",
        ),
        rows,
    )  # fmt: skip


def _at(day: date, minutes: int) -> datetime:
    clock = time(minutes // 60, minutes % 60)
    return timezone.make_aware(datetime.combine(day, clock), timezone.get_default_timezone())
