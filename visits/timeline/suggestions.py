"""What suggestions tell on the customer's timeline (P26)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from customers.models import Customer
from customers.timeline import Entry, Group
from visits.models import Suggestion, SuggestionState

KIND = "suggestion"
GROUP = Group.TALKS
TONES = {
    SuggestionState.OPEN: "acc",
    SuggestionState.TAKEN_UP: "good",
    SuggestionState.DECLINED: "",
}


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The suggestions written down before `before`, newest first, each with its outcome."""
    made: Any = Suggestion.objects.filter(customer=customer).select_related("by", "product")
    if before is not None:
        made = made.filter(created_at__lt=before)
    return [_entry(one) for one in made.order_by("-created_at", "-pk")[:limit]]


def _entry(suggestion: Suggestion) -> Entry:
    text = [suggestion.by.display_name, str(suggestion.get_state_display())]
    if suggestion.product is not None:
        text.insert(0, suggestion.product.name)
    return Entry(
        at=suggestion.created_at,
        kind=KIND,
        icon="light-bulb",
        tone=TONES[SuggestionState(suggestion.state)],
        title=_("Suggested: %(what)s") % {"what": suggestion.text},
        text=" · ".join(text),
        words=suggestion.outcome_words,
        url=reverse("visits:suggestion", args=[suggestion.pk]),
        ref=_("Suggestion"),
    )
