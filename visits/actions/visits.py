"""What people and programs do with visits where several rows change together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from crm.lib.days import day_bounds
from crm.lib.formats import local_day
from customers import promising
from customers.models import Customer, Promise
from orders.stocktaking import Counted
from visits.actions.counts import file_counts, note_counted, same_counts
from visits.actions.sightings import Seen, note_seen, same_seen, seen_in
from visits.answers import Answers, cleaned
from visits.models import Visit, VisitStatus
from visits.places import Place


@dataclass(frozen=True, slots=True)
class Said:
    """What was said about promises in a visit: new ones with their day, and those kept."""

    promised: Sequence[tuple[str, date]] = ()
    kept: Sequence[Promise] = ()


NOTHING_SAID = Said()


@transaction.atomic
def plan_visit(*, customer: Customer, rep: User, scheduled_for: datetime, purpose: str) -> Visit:
    """Plan a visit; where this rep has one open with the customer on that day, it is that one."""
    # The customer's row is the queue: the second press of the button waits for the first.
    Customer.objects.select_for_update(of=("self",)).get(pk=customer.pk)
    day = local_day(scheduled_for)
    there = (
        Visit.objects.open().between(*day_bounds(day, day)).filter(customer=customer, rep=rep)
    ).first()
    if there is not None:
        return there
    visit = Visit(customer=customer, rep=rep, scheduled_for=scheduled_for, purpose=purpose.strip())
    visit.full_clean()
    visit.save()
    return visit


@transaction.atomic
def log_visit(
    *,
    client_id: UUID,
    customer: Customer,
    rep: User,
    at: datetime,
    answers: Answers,
    words: str,
    purpose: str,
    close: bool,
    now: datetime,
    said: Said = NOTHING_SAID,
    seen: Sequence[Seen] | None = None,
    counted: Sequence[Counted] | None = None,
) -> Visit:
    """Write down a visit that took place at `at`, as a draft or closed.

    The same `client_id` again leads to the same visit, brought up to what was sent last.
    """
    visit = _visit_of(client_id, customer)
    if visit is None:
        visit = Visit(client_id=client_id, customer=customer, rep=rep, scheduled_for=at)
        visit.purpose = purpose
        try:
            with transaction.atomic():
                visit.check_in(by=rep, at=at, now=now)
        except IntegrityError:  # the other press of the button came first
            visit = _visit_of(client_id, customer)
            if visit is None:
                raise
    return record_visit(
        visit=visit,
        answers=answers,
        words=words,
        purpose=purpose,
        close=close,
        now=now,
        said=said,
        seen=seen,
        counted=counted,
    )


def _visit_of(client_id: UUID, customer: Customer) -> Visit | None:
    return Visit.objects.filter(client_id=client_id, customer=customer).first()


@transaction.atomic
def record_visit(
    *,
    visit: Visit,
    answers: Answers,
    words: str,
    purpose: str,
    close: bool,
    now: datetime,
    version: int | None = None,
    said: Said = NOTHING_SAID,
    seen: Sequence[Seen] | None = None,
    counted: Sequence[Counted] | None = None,
) -> Visit:
    """Keep the record of a visit, and close it where `close`; the customer learns of the visit.

    What was promised in it, and which promises it kept, is noted with it (P42). `seen` are the
    competitors seen there (P52), `counted` the stock that was counted (P23), in place of those
    noted before; None leaves them. Closing files the count; closing a visit that is closed
    already puts its record right. `version` is the one the writer saw: where somebody wrote
    something else since, it is refused with the code `changed`.
    """
    visit = lock_visit(visit)
    if version is not None and visit.version != version:
        told = (visit.answers, visit.words, visit.purpose)
        if (
            told == (cleaned(answers), words.strip(), purpose.strip())
            and (seen is None or same_seen(seen_in(visit), seen))
            and (counted is None or same_counts(visit, counted))
            and (visit.status == VisitStatus.DONE or not close)
        ):
            _note_promises(visit, said, now)
            return visit
        raise changed_meanwhile()
    _note(visit, seen, counted)
    if close or visit.status == VisitStatus.DONE:
        file_counts(visit, now=now)
    if close and visit.status != VisitStatus.DONE:
        visit.close(answers=answers, words=words, purpose=purpose, now=now)
        _note_visit_on_customer(visit)
    else:
        visit.write(answers=answers, words=words, purpose=purpose, now=now)
    _note_promises(visit, said, now)
    return visit


def _note_promises(visit: Visit, said: Said, now: datetime) -> None:
    """Make and keep what was said; said twice about one visit, it is noted once."""
    for content, due_on in said.promised:
        promising.make(
            customer=visit.customer,
            content=content,
            owner=promising.keeper(visit.customer, visit.rep),
            due_on=due_on,
            by=visit.rep,
            now=now,
            client_id=uuid5(NAMESPACE_URL, f"visit:{visit.pk}:{due_on}:{content.strip()}"),
            source=f"{Visit._meta.label_lower}:{visit.pk}",
        )
    for kept in said.kept:
        promise = Promise.objects.select_for_update().get(pk=kept.pk, customer=visit.customer)
        promise.keep(now=now)


@transaction.atomic
def move_visit(*, visit: Visit, to: datetime, purpose: str, version: int) -> Visit:
    """Plan a visit for another time; refused with the code `changed` like `record_visit`."""
    visit = lock_visit(visit)
    if visit.version != version:
        if (visit.scheduled_for, visit.purpose) == (to, purpose.strip()):
            return visit
        raise changed_meanwhile()
    visit.move(to=to, purpose=purpose.strip())
    return visit


@transaction.atomic
def cancel_visit(*, visit: Visit) -> Visit:
    """Call a visit off; one that is off already stays so."""
    visit = lock_visit(visit)
    if visit.status != VisitStatus.CANCELLED:
        visit.cancel()
    return visit


@transaction.atomic
def miss_visit(*, visit: Visit, now: datetime) -> Visit:
    """Say that a visit did not take place; said twice, it is said once."""
    visit = lock_visit(visit)
    if visit.status != VisitStatus.MISSED:
        visit.miss(now)
    return visit


def changed_meanwhile() -> ValidationError:
    return ValidationError(
        _("Somebody else has changed this visit since you opened it. Nothing was saved yet."),
        code="changed",
    )


def lock_visit(visit: Visit) -> Visit:
    """The visit as it stands now, held until the transaction ends."""
    with_files = Visit.objects.select_related("customer", "stock_report")
    return with_files.select_for_update(of=("self",)).get(pk=visit.pk)


@transaction.atomic
def check_in(*, visit: Visit, by: User, now: datetime, place: Place | None) -> Visit:
    """Begin a planned visit, or put the place of one that goes on right.

    A visit planned for a day that has passed is written down as of its planned time, and without
    a place: the phone stands somewhere else by now.
    """
    visit = lock_visit(visit)
    if visit.status == VisitStatus.CHECKED_IN:
        if place is not None:
            visit.locate(place)
    elif local_day(visit.scheduled_for) < local_day(now):
        visit.check_in(by=by, at=visit.scheduled_for, now=now)
    else:
        visit.check_in(by=by, at=now, now=now, place=place)
    return visit


def _note_visit_on_customer(visit: Visit) -> None:
    customer = Customer.objects.select_for_update(of=("self",)).get(pk=visit.customer_id)
    if customer.last_visited_on is None or customer.last_visited_on < visit.visited_on:
        customer.last_visited_on = visit.visited_on
        customer.save(update_fields=["last_visited_on"])


@transaction.atomic
def take_visit(
    *,
    visit: Visit,
    wanted: Visit,
    now: datetime,
    seen: Sequence[Seen] | None = None,
    counted: Sequence[Counted] | None = None,
) -> tuple[Visit, bool]:
    """Store a visit as another program describes it; returns it, and whether it is new.

    `visit` is the bare plan, `wanted` what it comes to: its state, check-in, answers and words;
    `seen` are the competitors seen there, `counted` the stock that was counted.
    The same `client_id` again leads to the visit that is there.
    """
    visit.status = VisitStatus.PLANNED
    try:
        with transaction.atomic():
            if wanted.status == VisitStatus.PLANNED:
                visit.save()
            _bring_to(visit, wanted, now, seen, counted)
    except IntegrityError:  # the first sending came through at the same moment
        known = visit.client_id and _visit_of(visit.client_id, visit.customer)
        if not known:
            raise
        return known, False
    return visit, True


@transaction.atomic
def change_visit(
    *,
    visit: Visit,
    wanted: Visit,
    now: datetime,
    seen: Sequence[Seen] | None = None,
    counted: Sequence[Counted] | None = None,
) -> Visit:
    """Bring a stored visit to what another program says it is, by the steps a person takes."""
    if wanted.customer_id != visit.customer_id:
        raise ValidationError({"customer": _("A visit stays with its customer.")}, code="fixed")
    if wanted.client_id != visit.client_id:
        raise ValidationError({"client_id": _("This number stays as it is.")}, code="fixed")
    if visit.status == VisitStatus.PLANNED:
        visit.rep = wanted.rep
        if (wanted.scheduled_for, wanted.purpose) != (visit.scheduled_for, visit.purpose):
            visit.move(to=wanted.scheduled_for, purpose=wanted.purpose)
    elif wanted.scheduled_for != visit.scheduled_for or wanted.rep_id != visit.rep_id:
        raise ValidationError(_("Only a planned visit can be moved."), code="not_planned")
    elif wanted.checked_in_at != visit.checked_in_at:
        raise ValidationError(
            {"checked_in_at": _("The time of the check-in stays as it is.")}, code="fixed"
        )
    _bring_to(visit, wanted, now, seen, counted)
    return visit


def _bring_to(
    visit: Visit,
    wanted: Visit,
    now: datetime,
    seen: Sequence[Seen] | None,
    counted: Sequence[Counted] | None,
) -> None:
    """The steps from the state of `visit` to that of `wanted`; refuses those that do not exist.

    Competitors `seen` and stock `counted` are noted where the record is written; a visit that is
    called off or did not take place has none.
    """
    place = _place_of(wanted)
    record: dict[str, Any] = {
        "answers": wanted.answers,
        "words": wanted.words,
        "purpose": wanted.purpose,
        "now": now,
    }
    began = wanted.status in (VisitStatus.CHECKED_IN, VisitStatus.DONE)
    if began and visit.status == VisitStatus.PLANNED:
        at = wanted.checked_in_at or now
        visit.check_in(by=wanted.rep, at=at, now=now, place=place)
    elif visit.status == VisitStatus.CHECKED_IN and place and place != _place_of(visit):
        visit.locate(place)
    if wanted.status == VisitStatus.DONE and visit.status != VisitStatus.DONE:
        _note(visit, seen, counted)
        file_counts(visit, now=now)
        visit.close(**record)
        _note_visit_on_customer(visit)
    elif wanted.status in (VisitStatus.CANCELLED, VisitStatus.MISSED) and seen:
        raise ValidationError(
            {"sightings": _("A visit that did not take place saw nothing.")}, code="not_done"
        )
    elif wanted.status in (VisitStatus.CANCELLED, VisitStatus.MISSED) and counted:
        raise ValidationError(
            {"stock": _("A visit that did not take place counted nothing.")}, code="not_done"
        )
    elif wanted.status == VisitStatus.CANCELLED and visit.status != wanted.status:
        visit.cancel()
    elif wanted.status == VisitStatus.MISSED and visit.status != wanted.status:
        visit.miss(now)
    else:
        if wanted.status != visit.status:
            visit.refuse_unless_may_become(VisitStatus(wanted.status))
        told = (cleaned(wanted.answers), wanted.words.strip(), wanted.purpose.strip())
        news = (seen is not None and not same_seen(seen_in(visit), seen)) or (
            counted is not None and not same_counts(visit, counted)
        )
        if news or told != (visit.answers, visit.words, visit.purpose):
            _note(visit, seen, counted)
            if visit.status == VisitStatus.DONE:
                file_counts(visit, now=now)
            visit.write(**record)


def _note(visit: Visit, seen: Sequence[Seen] | None, counted: Sequence[Counted] | None) -> None:
    if seen is not None:
        note_seen(visit, seen)
    if counted is not None:
        note_counted(visit, counted)


def _place_of(visit: Visit) -> Place | None:
    if visit.latitude is None or visit.longitude is None:
        return None
    return Place(visit.latitude, visit.longitude, visit.accuracy_m)
