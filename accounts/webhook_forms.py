"""What people fill in about webhooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Webhook
from accounts.versions import VersionedForm
from accounts.webhooks import kinds


class WebhookForm(VersionedForm[Webhook]):
    """Name, address and events; the address is looked up, and refused where it is not public."""

    events = forms.MultipleChoiceField(
        label=_("Events"), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "events")
        help_texts = {
            "name": _("What receives them, such as the ERP or a chat group."),
            "url": _("https://, at a public host. Every event is a POST to this address."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = self.fields["events"]
        assert isinstance(choices, forms.MultipleChoiceField)
        choices.choices = [(name, kind.label) for name, kind in kinds().items()]
        self.fields["url"].widget.attrs |= {
            "inputmode": "url", "autocapitalize": "none", "spellcheck": "false",
        }  # fmt: skip

    def event_rows(self) -> list[tuple[Any, Any]]:
        """Each box to tick with its event."""
        return list(zip(self["events"].subwidgets, kinds().values(), strict=True))
