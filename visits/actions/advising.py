"""Making suggestions to customers (P26)."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from visits.models import Suggestion, SuggestionState


@transaction.atomic
def make_suggestion(*, suggestion: Suggestion, client_id: UUID | None = None) -> Suggestion:
    """Put a suggestion on its customer's file; the same `client_id` again leads to the same one.

    ValidationError where the visit it was made in is another customer's.
    """
    if client_id is not None and (there := _made_as(client_id, suggestion)):
        return there
    if suggestion.visit is not None and suggestion.visit.customer_id != suggestion.customer_id:
        raise ValidationError(_("This visit is another customer’s."), code="visit")
    suggestion.client_id, suggestion.state = client_id, SuggestionState.OPEN
    suggestion.full_clean(exclude=["customer", "visit", "product", "by"])
    try:
        with transaction.atomic():
            suggestion.save()
    except IntegrityError:  # the other press of the button came first
        there = _made_as(client_id, suggestion) if client_id else None
        if there is None:
            raise
        return there
    return suggestion


def _made_as(client_id: UUID, suggestion: Suggestion) -> Suggestion | None:
    return Suggestion.objects.filter(client_id=client_id, customer=suggestion.customer).first()
