"""Which contacts with a customer its own app knows of: calls, messages, letters, meetings (P48)."""

from __future__ import annotations

from datetime import datetime

from customers.models import Channel, Interaction
from customers.models.interactions import InteractionQuerySet

#: Ways in which people dealt with each other. A magazine goes to everybody, and is none.
PERSONAL = (Channel.CALL, Channel.MESSAGE, Channel.LETTER, Channel.RECEPTION, Channel.MEETING)


def contacted(*, until: datetime) -> InteractionQuerySet:
    """The contacts before `until`; each row names its `customer`."""
    return Interaction.objects.filter(at__lt=until, channel__in=PERSONAL)
