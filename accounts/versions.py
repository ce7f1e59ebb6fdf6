"""Edits by two people: the second one is told what the first one changed."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.history import Line, described
from accounts.models import AuditEntry
from crm.lib.models import Record

M = TypeVar("M", bound=Record)
SHOWN = 5


class VersionedForm(forms.ModelForm, Generic[M]):  # type: ignore[type-arg]  # not at run time
    """A form over a Record that carries the version it was opened with.

    Where the record has moved on, nothing is saved, the input stays, `changes` holds what others
    did (newest first), and sending the form once more means it.
    """

    instance: M
    changes: list[Line]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes = []
        if self.instance.pk:
            self.fields["version"] = forms.IntegerField(
                widget=forms.HiddenInput, required=False, initial=self.instance.version
            )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance.pk and self.cleaned_data.get("version") != self.instance.version:
            self._show_the_other_change(self.cleaned_data.get("version") or 0)
            raise ValidationError(
                _("Somebody else has changed this meanwhile; nothing was saved."), code="conflict"
            )
        return cleaned

    def _show_the_other_change(self, seen: int) -> None:
        moved = max(1, min(self.instance.version - seen, SHOWN))
        entries = AuditEntry.objects.of(self.instance).order_by("-id")[:moved]
        self.changes = described(entries)
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix("version")] = str(self.instance.version)
        self.data = data
