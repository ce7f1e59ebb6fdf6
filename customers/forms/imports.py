"""The forms of an import: the file, and what its columns mean."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.importing import fields
from customers.models import Import, ImportMode


class UploadForm(forms.Form):
    """One file; what it is, its content says."""

    file = forms.FileField(
        label=gettext_lazy("Excel or CSV file"),
        allow_empty_file=True,  # that it is empty is said with the other reasons
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.txt,.tsv"}),
        help_text=gettext_lazy(".xlsx or CSV, up to 20 MB and 50,000 rows."),
    )


class MappingForm(forms.Form):
    """A field for each column of the file, what customers are found by, and what may happen."""

    key = forms.ChoiceField(
        label=gettext_lazy("A customer on file is found by"),
        help_text=gettext_lazy("Rows without it are rejected."),
    )
    mode = forms.ChoiceField(label=gettext_lazy("What to take"), choices=ImportMode.choices)
    clears = forms.BooleanField(
        label=gettext_lazy("Empty cells empty the field"),
        required=False,
        help_text=gettext_lazy("Otherwise an empty cell changes nothing."),
    )

    def __init__(self, data: Any = None, *, run: Import) -> None:
        initial = {"key": run.key, "mode": run.mode, "clears": run.clears}
        initial |= {f"column_{at}": name for at, name in run.mapping.items()}
        super().__init__(data, initial=initial)
        self.run = run
        labels = fields.labels()
        key: Any = self.fields["key"]
        key.choices = [(name, labels[name]) for name in fields.KEYS]
        choices = self._choices(labels)
        for at, column in enumerate(run.columns):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=str(column["head"]), choices=choices, required=False
            )

    @staticmethod
    def _choices(labels: dict[str, str]) -> list[tuple[str, Any]]:
        grouped: list[tuple[str, Any]] = [("", _("Leave out")), (fields.OWN, _("As an own field"))]
        for title, prefix in fields.GROUPS:
            names = [
                name
                for name in fields.FIELDS
                if (name.startswith(prefix) if prefix else "." not in name)
            ]
            grouped.append((str(title), [(name, labels[name]) for name in names]))
        return grouped

    @property
    def columns(self) -> list[tuple[dict[str, Any], forms.BoundField]]:
        """Each column of the file with its field."""
        return [(column, self[f"column_{at}"]) for at, column in enumerate(self.run.columns)]

    @property
    def mapping(self) -> dict[str, str]:
        """Column → field, of those that are not left out."""
        chosen = {
            str(at): self.cleaned_data.get(f"column_{at}", "")
            for at in range(len(self.run.columns))
        }
        return {at: name for at, name in chosen.items() if name}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        labels = fields.labels()
        first: dict[str, str] = {}
        for at, name in self.mapping.items():
            if name in first and name != fields.OWN:
                head = str(self.run.columns[int(first[name])]["head"])
                self.add_error(
                    f"column_{at}",
                    _("“%(head)s” is the %(field)s already.")
                    % {"head": head, "field": labels[name]},
                )
            first.setdefault(name, at)
        key = cleaned.get("key")
        if key and key not in first:
            self.add_error("key", _("No column is the %(field)s.") % {"field": labels[key]})
        if cleaned.get("mode") != ImportMode.UPDATE and "name" not in first:
            message = _("New customers need a column for the %(field)s.")
            self.add_error("mode", message % {"field": labels["name"]})
        return cleaned

    def put_into(self, run: Import) -> None:
        """Store the choices with the import."""
        run.mapping = self.mapping
        run.key, run.mode = self.cleaned_data["key"], self.cleaned_data["mode"]
        run.clears = self.cleaned_data["clears"]
        run.save(update_fields=["mapping", "key", "mode", "clears"])


def key_label(run: Import) -> str:
    """What files are found by, in words."""
    return capfirst(fields.labels().get(run.key, run.key))
