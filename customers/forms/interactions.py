"""The forms of contacts with a customer: logging one in ten seconds, and putting it right."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.versions import VersionedForm
from crm.lib.forms import MomentField
from customers.models import Channel, Contact, Customer, Interaction

BEGUN_BY = (
    ("", pgettext_lazy("who began the contact", "We did")),
    ("yes", pgettext_lazy("who began the contact", "The customer did")),
)


class InteractionForm(VersionedForm[Interaction]):
    """How, with whom, who began it, when (not in the future), and what was said."""

    inbound = forms.TypedChoiceField(
        label=_("Who began"),
        choices=BEGUN_BY,
        coerce=bool,
        empty_value=False,  # type: ignore[arg-type]  # whatever stands for nothing chosen
        required=False,
        widget=forms.RadioSelect,
    )
    at = MomentField(label=_("When"))

    class Meta:
        model = Interaction
        fields = ("channel", "words", "contact", "inbound", "at")
        labels = {"words": _("Customer’s words or the gist"), "contact": _("Spoke with")}
        widgets = {
            "channel": forms.RadioSelect,
            "words": forms.Textarea(
                attrs={"rows": 3, "placeholder": _("As close to the words as you can")}
            ),
        }

    def __init__(self, *args: Any, customer: Customer | None, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        channel, contact = self.fields["channel"], self.fields["contact"]
        assert isinstance(channel, forms.TypedChoiceField)
        assert isinstance(contact, forms.ModelChoiceField)
        channel.choices = Channel.choices
        contact.queryset = (
            Contact.objects.filter(customer=customer).still_there()
            if customer
            else Contact.objects.none()
        )
        contact.empty_label = pgettext_lazy("contact", "nobody in particular")
        if self.instance.pk:
            self.initial["inbound"] = "yes" if self.instance.inbound else ""
            self.initial["at"] = timezone.localtime(self.instance.at)
        self.fields["at"].widget.attrs["max"] = timezone.localtime(now).strftime("%Y-%m-%dT%H:%M")


class LogForm(InteractionForm):
    """A contact being logged; `client_id` makes a second press of the button harmless."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, now: datetime, initial: dict[str, Any], **kwargs: Any) -> None:
        start = {
            "client_id": uuid4(),
            "at": timezone.localtime(now),
            "channel": Channel.CALL,
            "inbound": "",
        }
        super().__init__(*args, now=now, initial={**start, **initial}, auto_id="log-%s", **kwargs)
