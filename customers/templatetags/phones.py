"""Phone numbers in templates. Loaded everywhere (builtin)."""

from __future__ import annotations

from django import template

from crm.lib.formats import DASH
from customers import phones

register = template.Library()


@register.filter
def phone(number: str | None) -> str:
    """A number in the groups people read it in; a dash where there is none."""
    return phones.display(number) if number else DASH


@register.filter
def dial(number: str | None) -> str:
    """What stands behind `tel:`; "" where nothing can be dialled."""
    return phones.dial(number) if number else ""
