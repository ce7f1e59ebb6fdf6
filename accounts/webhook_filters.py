"""How deliveries to webhooks are narrowed down, on the page and in the API."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import FilterSet

from accounts.models import Delivery, DeliveryState
from accounts.webhooks import PING, kinds, label_of
from crm.lib.text import Text

LARGEST_ID = 2**63 - 1


def event_choices() -> list[tuple[str, Text]]:
    return [(name, label_of(name)) for name in (*kinds(), PING)]


class DeliveriesOfWebhook(FilterSet):
    """Of one webhook, by what became of them and by event."""

    state = django_filters.ChoiceFilter(
        choices=DeliveryState.choices, label=_("State"), empty_label=_("any")
    )
    event = django_filters.ChoiceFilter(
        field_name="event__name", choices=event_choices, label=_("Event"), empty_label=_("any")
    )

    class Meta:
        model = Delivery
        fields: list[str] = []


class DeliveryFilter(DeliveriesOfWebhook):
    """Of all webhooks; the API names one by its id."""

    webhook = django_filters.NumberFilter(
        field_name="webhook", label=_("Webhook"), min_value=1, max_value=LARGEST_ID
    )
