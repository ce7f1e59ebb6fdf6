"""How numbers and days are written for people, in zh-hans and en."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

DASH = "–"
MINUS = "−"
NBSP = "\u00a0"
SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$"}


def _grouped(value: Decimal, places: int) -> str:
    text = f"{abs(value):,.{places}f}"
    return f"{MINUS}{text}" if value < 0 and Decimal(text.replace(",", "")) != 0 else text


def in_chinese() -> bool:
    return (translation.get_language() or "").startswith("zh")


def currency_symbol() -> str:
    return SYMBOLS.get(settings.CURRENCY, f"{settings.CURRENCY}{NBSP}")


def money(value: Decimal | int | None, places: int = 2) -> str:
    """An amount for a table: 1,240,000.00; a dash where there is none."""
    return DASH if value is None else _grouped(Decimal(value), places)


def price(value: Decimal | int | None) -> str:
    """An amount that stands alone: ¥1,240,000.00, −¥12.50."""
    if value is None:
        return DASH
    amount = Decimal(value)
    return f"{MINUS if amount < 0 else ''}{currency_symbol()}{_grouped(abs(amount), 2)}"


def money_short(value: Decimal | int | None) -> str:
    """An amount for a tile: ¥124.0 万, ¥1.24M."""
    if value is None:
        return DASH
    amount = Decimal(value)
    sign = MINUS if amount < 0 else ""
    size = abs(amount)
    if in_chinese():
        steps = ((Decimal(10**8), "亿", 2), (Decimal(10**4), "万", 1))
    else:
        steps = ((Decimal(10**6), "M", 2), (Decimal(10**3), "K", 1))
    for step, unit, places in steps:
        if size >= step:
            number = (size / step).quantize(Decimal(10) ** -places, ROUND_HALF_UP)
            gap = NBSP if in_chinese() else ""
            return f"{sign}{currency_symbol()}{number:,}{gap}{unit}"
    return f"{sign}{currency_symbol()}{size:,.0f}"


def percent(share: Decimal | float | None, places: int = 1) -> str:
    """A share of 0–1 as 41.3 %, with a space that does not break."""
    if share is None:
        return DASH
    value = (Decimal(str(share)) * 100).quantize(Decimal(10) ** -places, ROUND_HALF_UP)
    return f"{_grouped(value, places)}{NBSP}%"


def signed(value: int | Decimal | None, places: int = 0) -> str:
    """A change, always with its sign: +7, −6; 0 stays bare."""
    if value is None:
        return DASH
    text = _grouped(Decimal(value), places)
    return f"+{text}" if value > 0 else text


def quantity(value: Decimal | None) -> str:
    """A quantity without trailing zeros: 3, 0.5, 1,200.125."""
    if value is None:
        return DASH
    text = f"{Decimal(value):,.3f}".rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def distance(metres: int | None) -> str:
    """A distance on the ground: 86 m, 12.6 km."""
    if metres is None:
        return DASH
    return f"{metres}{NBSP}m" if metres < 1000 else f"{metres / 1000:,.1f}{NBSP}km"


def local_day(moment: datetime | date) -> date:
    """The day of `moment` in the company's time zone."""
    return timezone.localtime(moment).date() if isinstance(moment, datetime) else moment


def day(value: datetime | date | None, today: date | None = None) -> str:
    """6月16日 or 16 Jun in this year, with the year before it otherwise."""
    if value is None:
        return DASH
    when = local_day(value)
    this_year = (today or timezone.localdate()).year == when.year
    if in_chinese():
        return (
            f"{when.month}月{when.day}日"
            if this_year
            else f"{when.year}年{when.month}月{when.day}日"
        )
    return date_format(when, "j M" if this_year else "j M Y")


def month(value: date) -> str:
    """A month under a chart: 6月, Jun."""
    return f"{value.month}月" if in_chinese() else date_format(value, "M")


def days_ago(value: datetime | date | None, today: date | None = None) -> str:
    """today, yesterday, 57 days ago; tomorrow and in 3 days for days to come."""
    if value is None:
        return DASH
    days = ((today or timezone.localdate()) - local_day(value)).days
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if days == -1:
        return gettext("tomorrow")
    if days > 0:
        return ngettext("%(days)d day ago", "%(days)d days ago", days) % {"days": days}
    return ngettext("in %(days)d day", "in %(days)d days", -days) % {"days": -days}
