"""The type of a text that may be translated when it is shown, and the names of fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from django.db import models

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Text: TypeAlias = "str | _StrPromise"


def field_label(model: type[models.Model], name: str) -> Text:
    """What people call a field of `model`."""
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field.verbose_name
