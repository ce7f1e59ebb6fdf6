"""Abstract bases of the models."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Record(models.Model):
    """A row that knows when it was made and changed, and how often.

    `version` counts the changes: it is the record's ETag and guards the edit forms. Every write,
    set-based ones too, raises it by one.
    """

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.version += 1
        fields = kwargs.get("update_fields")
        if isinstance(fields, (list, tuple, set, frozenset)):
            kwargs["update_fields"] = [*fields, "version", "updated_at"]
        super().save(*args, **kwargs)
