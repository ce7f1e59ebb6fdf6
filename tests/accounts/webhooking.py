"""Webhooks as tests set them up: somebody listens, something happens, and it is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from accounts import delivering, webhooks
from accounts.models import Delivery, Webhook
from tests.accounts.receiver import Receiver
from tests.factories import local, make_webhook

NOW = local(2026, 6, 16, 12)


def listening(receiver: Receiver, *events: str, **values: Any) -> Webhook:
    return make_webhook(*events, url=receiver.url, **values)


def tell(*numbers: int, name: str = "order.held", at: datetime = NOW) -> None:
    webhooks.record(
        {name: ({"id": number} for number in numbers)}, to=webhooks.listeners(name), at=at
    )


def send(webhook: Webhook, now: datetime = NOW, **options: Any) -> int:
    return delivering.deliver(webhook_id=webhook.pk, now=now, **options)


def only() -> Delivery:
    return Delivery.objects.select_related("event", "webhook").get()
