"""The field of a phone number."""

from __future__ import annotations

from typing import Any

from django import forms

from customers import phones


class PhoneField(forms.CharField):
    """One phone number, however it is written; comes out as E.164.

    `stored` is what the record holds now: text that nobody could read may stay as it is, so that
    the rest of the record can be changed.
    """

    widget = forms.TextInput(
        attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off", "maxlength": 60}
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=60, **{"required": False, **options})
        self.stored = ""

    def prepare_value(self, value: Any) -> Any:
        return phones.display(value) if isinstance(value, str) else value

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return text if text == self.stored else phones.parse(text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return phones.stored(data or "") != (initial or "")
