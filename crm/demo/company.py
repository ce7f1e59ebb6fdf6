"""Puts the demo company together, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from random import Random

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Team, User
from crm.demo import people
from crm.demo.aftermath import write_past_reminders, write_sync_calls
from crm.demo.catalogue import Item, write_products
from crm.demo.contacts import write_contacts
from crm.demo.dealings import write_dealings
from crm.demo.fieldwork import write_visits
from crm.demo.judgements import confirm_key_accounts, set_tiers, write_ratings
from crm.demo.knowledge import write_knowledge
from crm.demo.large import more_reps, write_large_business
from crm.demo.leavers import write_leavers
from crm.demo.loose_ends import write_loose_ends
from crm.demo.network import make_dealers, write_cards, write_dealers
from crm.demo.ordering import make_sales, write_sales
from crm.demo.paying import write_payments
from crm.demo.people import Staff, write_people
from crm.demo.rivals import write_rivals
from crm.demo.stocking import write_stock
from crm.demo.terms import write_prices, write_terms
from crm.demo.tidings import write_tidings
from crm.demo.twins import write_twins
from crm.demo.writing import Say, Writer
from customers.models import Customer, Promise
from orders.models import Order, Product
from orders.reviews import review_all
from tiers import tiering
from tiers.actions import open_run
from visits.actions import make_reminders
from visits.models import Visit

#: Tables that must be empty before a demo company moves in.
EMPTY: tuple[type[models.Model], ...] = (Team, Customer, Product, Order, Visit)


def check_empty() -> None:
    """Refuse a database in which somebody works already; the message says what was found."""
    found = [
        str(model._meta.verbose_name_plural) for model in EMPTY if model._default_manager.exists()
    ]
    if found:
        raise ValidationError(
            _(
                "The demo company needs an empty database; this one already has %(what)s. "
                "Nothing was written."
            )
            % {"what": ", ".join(found)},
            code="not_empty",
        )
    taken = User.objects.filter(username__in=people.usernames()).values_list("username", flat=True)
    if names := sorted(taken):
        raise ValidationError(
            _("The demo company needs usernames that are taken: %(names)s. Nothing was written.")
            % {"names": ", ".join(names)},
            code="names_taken",
        )


@transaction.atomic
def load(*, size: str, seed: int, today: date, now: datetime, say: Say) -> None:
    """Fill an empty database with the `small` or the `large` company as of `today`, or refuse.

    The same seed and day give the same rows. Everything or nothing is written.
    """
    check_empty()
    writer = Writer(now=now)

    def chance(part: str) -> Random:
        """Each part has its own chances, so that a change in one leaves the others alone."""
        return Random(f"{seed} {part}")

    joined_at = _at(today - timedelta(days=2700), time(9))
    extra = more_reps(chance("reps"), len(people.REPS)) if size == "large" else []
    staff = write_people(writer, seed=seed, joined_at=joined_at, more_reps=extra)
    items = write_products(writer, today=today)
    say(f"{len(staff.reps)} reps, {len(items)} products")
    if size == "large":
        write_large_business(
            writer, chance("business"), items, reps=staff.reps, today=today, say=say
        )
    else:
        _write_small_business(writer, chance, items, staff, today=today, say=say)
    if size == "small":
        say(f"{write_prices(writer, items, today=today)} prices by day")
    writer.settle()
    *earlier, yesterday = _tier_days(today, runs=2 if size == "large" else 7)
    for as_of in earlier:
        _rank(as_of, now, say)
        if as_of in earlier[-2:]:
            set_tiers(as_of, last=as_of == earlier[-1])
    write_contacts(writer, chance("contacts"))
    write_visits(
        writer,
        chance("visits"),
        items,
        today=today,
        history_days=45 if size == "large" else 365,
    )
    write_rivals(writer, chance("rivals"))
    write_ratings(chance("ratings"), day=yesterday)
    writer.settle()
    _rank(yesterday, now, say)
    say(f"{confirm_key_accounts(now=now)} key accounts")
    write_dealings(
        writer,
        chance("dealings"),
        today=today,
        history_days=45 if size == "large" else 365,
    )
    writer.settle()
    write_tidings(writer, chance("tidings"), today=today)
    if size == "small":
        write_past_reminders(writer, chance("greetings"), today=today)
        write_sync_calls(writer, chance("calls"), integration=staff.integration, today=today)
    write_knowledge(writer, chance("knowledge"))
    writer.settle()
    write_loose_ends()
    say(f"{write_leavers(chance('leavers'), today=today, now=now)} leave silently")
    write_cards(writer)
    writer.settle()
    if size == "small":
        say(write_terms(today=today, now=now))
        say(write_payments(writer, chance("payments"), today=today, now=now))
        say(write_stock(writer, chance("stock"), today=today))
        reviewed = review_all(lambda _done, _total: None, today=today, now=now)
        say(f"{reviewed['customers']} customers had their credit reviewed")
        say(f"{write_twins(now=now)} possible duplicates")
    say(f"{Visit.objects.count():,} visits")
    say(f"{Promise.objects.count():,} promises")
    say(f"{make_reminders(today=today):,} reminders due")


def _write_small_business(
    writer: Writer,
    chance: Callable[[str], Random],
    items: list[Item],
    staff: Staff,
    *,
    today: date,
    say: Say,
) -> None:
    dealers = make_dealers(chance("customers"), first_id=writer.next_id(Customer), today=today)
    sales = make_sales(chance("orders"), dealers, items, today=today)
    write_dealers(writer, chance("files"), dealers, reps=staff.reps, today=today)
    say(f"{len(dealers)} customers")
    lines = write_sales(writer, chance("papers"), sales)
    say(f"{len(sales):,} orders with {lines:,} lines")


def _tier_days(today: date, *, runs: int) -> list[date]:
    """Yesterday, and the last days of the months before it, at least a week earlier."""
    days = [today - timedelta(days=1)]
    while len(days) < runs:
        month_end = days[-1].replace(day=1) - timedelta(days=1)
        if len(days) == 1 and (days[0] - month_end).days < 7:
            month_end = month_end.replace(day=1) - timedelta(days=1)
        days.append(month_end)
    return days[::-1]


def _rank(as_of: date, now: datetime, say: Say) -> None:
    """One tier run, as the nightly job would have done it then; `now` is not before that."""
    now = min(now, _at(as_of + timedelta(days=1), time(2, 10)))
    job, _is_new = open_run(as_of=as_of, user=None, now=now)
    job = tiering.run(job.pk, now=now)
    say(f"tiers as of {as_of}: {job.moved:,} moved")


def _at(day: date, clock: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, clock), timezone.get_default_timezone())
