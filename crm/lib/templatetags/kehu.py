"""Tags and filters of every template: icons, badges, money, days. Loaded everywhere (builtin)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from heroicons.templatetags.heroicons import heroicon_outline

from crm.lib import formats

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """The outline drawing of heroicons called `name`, hidden from screen readers."""
    return mark_safe(heroicon_outline(name, size=None, **{"class": "i", "aria_hidden": "true"}))  # noqa: S308  # drawing of a trusted package


@register.simple_tag
def tier_badge(tier: str | None) -> SafeString:
    """The A/B/C badge; a dashed one for a customer without a tier."""
    if tier:
        title = gettext("ABC tier %(tier)s") % {"tier": tier}
        return format_html(
            '<span class="tier tier-{}" title="{}">{}</span>', tier.lower(), title, tier
        )
    title = gettext("Unranked: net amount of the window not above zero")
    return format_html('<span class="tier tier-u" title="{}">–</span>', title)


@register.filter
def money(value: Decimal | None) -> str:
    return formats.money(value)


@register.filter
def price(value: Decimal | None) -> str:
    return formats.price(value)


@register.filter
def money0(value: Decimal | None) -> str:
    return formats.money(value, 0)


@register.filter
def money_short(value: Decimal | None) -> str:
    return formats.money_short(value)


@register.filter
def percent(value: Decimal | float | None, places: int = 1) -> str:
    return formats.percent(value, places)


@register.filter
def signed(value: int | Decimal | None) -> str:
    return formats.signed(value)


@register.filter
def day(value: datetime | date | None) -> str:
    return formats.day(value)


@register.filter
def month(value: date) -> str:
    return formats.month(value)


@register.filter
def days_ago(value: datetime | date | None) -> str:
    return formats.days_ago(value)


@register.filter
def quantity(value: Decimal | None) -> str:
    return formats.quantity(value)


@register.filter
def distance(metres: int | None) -> str:
    return formats.distance(metres)


@register.filter
def initial(name: str) -> str:
    """The first character of a name, for the avatar."""
    return name.strip()[:1].upper() or "?"


@register.filter
def get(mapping: dict[str, Any], key: str) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if mapping else None


@register.simple_tag(takes_context=True)
def url_with(context: template.RequestContext, **changes: object) -> str:
    """The present address with some query parameters changed; None or '' takes one out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
