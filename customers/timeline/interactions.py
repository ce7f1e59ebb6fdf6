"""What calls, messages, letters and receptions tell on the timeline, in the customer's words."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from crm.lib.text import Text
from customers.models import Channel, Customer, Interaction
from customers.timeline import Entry, Group

KIND = "interaction"
GROUP = Group.TALKS

ICONS: dict[str, str] = {
    Channel.CALL: "phone",
    Channel.MESSAGE: "chat-bubble-left-right",
    Channel.LETTER: "envelope",
    Channel.RECEPTION: "identification",
    Channel.MEETING: "user-group",
    Channel.MAGAZINE: "book-open",
}
#: What is told of a contact that we began, and of one that the customer began.
TOLD: dict[str, tuple[Text, Text]] = {
    Channel.CALL: (gettext_lazy("%(who)s called"), gettext_lazy("The customer called %(who)s")),
    Channel.MESSAGE: (
        gettext_lazy("%(who)s sent a message"),
        gettext_lazy("Message from the customer to %(who)s"),
    ),
    Channel.LETTER: (
        gettext_lazy("%(who)s sent a letter"),
        gettext_lazy("Letter from the customer to %(who)s"),
    ),
    Channel.RECEPTION: (
        gettext_lazy("%(who)s invited and received the customer"),
        gettext_lazy("%(who)s received the customer"),
    ),
    Channel.MEETING: (
        gettext_lazy("%(who)s met the customer at a customer meeting"),
        gettext_lazy("%(who)s met the customer at a customer meeting"),
    ),
    Channel.MAGAZINE: (
        gettext_lazy("%(who)s sent the magazine"),
        gettext_lazy("The customer wrote to %(who)s about the magazine"),
    ),
}


def entries(customer: Customer, *, before: datetime | None, limit: int) -> list[Entry]:
    """The logged contacts of a customer before `before`, newest first."""
    logged = Interaction.objects.filter(customer=customer).select_related("by", "contact")
    if before is not None:
        logged = logged.filter(at__lt=before)
    return [_entry(one) for one in logged.order_by("-at", "-pk")[:limit]]


def _entry(one: Interaction) -> Entry:
    with_whom = one.contact and _("with %(name)s") % {"name": one.contact.name}
    return Entry(
        at=one.at,
        kind=KIND,
        icon=ICONS[one.channel],
        tone="acc",
        title=TOLD[one.channel][one.inbound] % {"who": one.by.display_name},
        text=with_whom or "",
        words=one.words,
        url=reverse("customers:interaction", args=[one.pk]),
        ref=pgettext("interaction", "Open"),
    )
