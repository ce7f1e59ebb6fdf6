"""What sent market information tells on the customer's timeline (P26)."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.timeline import Entry, Group
from visits.models import Outcome, Sending

KIND = "information"
GROUP = Group.TALKS
TONES = {Outcome.TAKEN_UP: "good", Outcome.NOT_TAKEN_UP: "", Outcome.WAITING: "acc"}


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """What a customer received before `before`, newest first, each with its outcome."""
    sendings = Sending.objects.filter(customer=customer).select_related("information", "by")
    if before is not None:
        sendings = sendings.filter(sent_at__lt=before)
    return [_entry(one) for one in sendings.order_by("-sent_at", "-pk")[:limit]]


def _entry(sending: Sending) -> Entry:
    text = [sending.get_way_display(), sending.by.display_name]
    if not sending.is_waiting:
        text.append(sending.get_outcome_display())
    return Entry(
        at=sending.sent_at,
        kind=KIND,
        icon="newspaper",
        tone=TONES[Outcome(sending.outcome)],
        title=_("Sent: %(title)s") % {"title": sending.information.title},
        text=" · ".join(map(str, text)),
        words=sending.outcome_words,
        url=reverse("visits:sending-outcome", args=[sending.pk]),
        ref=_("Outcome"),
    )
