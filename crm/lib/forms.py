"""How forms are drawn (every field by one template), and the pickers of days and moments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseForm
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _

#: Years that can be meant; others are typing errors.
YEARS = range(2000, 2101)


class KehuRenderer(TemplatesSetting):
    """Django's template renderer with our field and form templates (templates/components/)."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class DayInput(forms.DateInput):
    """A day picker of the browser's own."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class MomentInput(forms.DateTimeInput):
    """A picker of day and time of the browser's own."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class MomentField(forms.DateTimeField):
    """A moment in the company's time zone, to the minute."""

    widget = MomentInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """Refuse years in which nothing can be meant, before they change time zone."""
        try:
            moment = super().to_python(value)
        except OverflowError:
            moment = None
        if value in self.empty_values:
            return None
        if moment is None or moment.year not in YEARS:
            raise ValidationError(
                _("The year lies between %(first)d and %(last)d."),
                code="invalid",
                params={"first": YEARS[0], "last": YEARS[-1]},
            )
        return moment


def begin_at(form: BaseForm, name: str) -> None:
    """Put the cursor into the field called `name` when the page opens, if there is one."""
    if name in form.fields:
        form.fields[name].widget.attrs["autofocus"] = True
