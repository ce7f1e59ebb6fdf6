"""Fields of the API that take only what the database and the calendar can hold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

#: Times outside lose their day when they change time zone, or mean "empty" in some ERP.
MOMENT_YEARS = range(1970, 2200)
#: Days reach back further: companies are old.
DAY_YEARS = range(1000, 2200)


def read_moment(text: str) -> datetime:
    """An ISO 8601 time with an offset; raises ValueError with a message for people."""
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError(_("Give a time with its offset, like 2026-06-30T18:00:00+08:00."))
    return check_moment(moment)


def check_moment(moment: datetime) -> datetime:
    """`moment`, if it has an offset and a sensible year; raises ValueError otherwise."""
    if moment.tzinfo is None:
        raise ValueError(_("Give a time with its offset, like 2026-06-30T18:00:00+08:00."))
    if moment.year not in MOMENT_YEARS:
        raise ValueError(
            _("The year lies between %(first)d and %(last)d.")
            % {"first": MOMENT_YEARS[0], "last": MOMENT_YEARS[-1]}
        )
    return moment


def check_day(day: date) -> date:
    """`day`, if its year is sensible; raises ValueError otherwise."""
    if day.year not in DAY_YEARS:
        raise ValueError(
            _("The year lies between %(first)d and %(last)d.")
            % {"first": DAY_YEARS[0], "last": DAY_YEARS[-1]}
        )
    return day


class MomentField(serializers.DateTimeField):
    """A time with an offset; answered in the company's time zone."""

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str):
            raise serializers.ValidationError(
                _("Give a time with its offset, like 2026-06-30T18:00:00+08:00.")
            )
        try:
            return read_moment(value)
        except ValueError as bad:
            raise serializers.ValidationError(str(bad)) from bad


class DayField(serializers.DateField):
    """A day, YYYY-MM-DD."""

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        assert day is not None
        try:
            return check_day(day)
        except ValueError as bad:
            raise serializers.ValidationError(str(bad)) from bad


class ScopedRelatedField(serializers.SlugRelatedField[Any]):
    """A row of another model, named by `slug_field`, among those that the caller may see.

    `also` is a second lookup for names that no row has itself. One that is out of sight is
    refused in the same words as one that does not exist.
    """

    #: Whether what the record already names stays valid even where it is out of the caller's
    #: sight, so that sending back what was read changes nothing.
    takes_back: ClassVar[bool] = True

    default_error_messages = {
        "does_not_exist": gettext_lazy("No {model} has {slug_name} '{value}'."),
        "invalid": gettext_lazy("This is not text."),
    }

    def __init__(self, *, also: str = "", **kwargs: Any) -> None:
        self.also = also
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        queryset: Any = super().get_queryset()
        request = self.context.get("request")
        visible: QuerySet[Any] = (
            queryset.none() if request is None else queryset.visible_to(request.user)
        )
        return visible

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, (str, int)):
            self.fail("invalid")
        slug = str(data).strip()
        if self.takes_back:
            current = getattr(getattr(self.parent, "instance", None), str(self.source), None)
            if current is not None and str(getattr(current, self.slug_field)) == slug:
                return current
        queryset = self.get_queryset()
        try:
            return queryset.get(**{self.slug_field: slug})
        except ObjectDoesNotExist:
            if self.also and (row := queryset.filter(**{self.also: slug}).first()):
                return row
            self.fail(
                "does_not_exist",
                model=queryset.model._meta.verbose_name,
                slug_name=self.slug_field,
                value=slug[:100],
            )
