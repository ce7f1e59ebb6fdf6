"""How the API reads the filters of a list, so that no value breaks the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import exceptions

from crm.lib.fields import check_day, check_moment, read_moment

LARGEST = Decimal(10) ** 14
LONGEST = 200


def since(text: str) -> datetime:
    """`?updated_since=`; a `+` that arrived as a space, as in many clients, is understood."""
    try:
        return read_moment(re.sub(r" (?=\d\d:?\d\d$)", "+", text.strip()))
    except ValueError as bad:
        raise exceptions.ValidationError({"updated_since": [str(bad)]}) from bad


def filter_names(view: Any) -> set[str]:
    """The query parameters that the view's FilterSet reads."""
    filterset_class = getattr(view, "filterset_class", None)
    if filterset_class is None:
        return set()
    names: set[str] = set()
    for name, filter_ in filterset_class.base_filters.items():
        # `.field` would be kept on the class, without the request that scopes its choices.
        widget = filter_.extra.get("widget", filter_.field_class.widget)
        suffixes = getattr(widget, "suffixes", None)
        names.update(f"{name}_{suffix}" if suffix else name for suffix in suffixes or [""])
    return names


class CheckedFilterBackend(DjangoFilterBackend):
    """django-filter, and 400 for numbers and days that a column could not be compared with."""

    def get_filterset_class(self, view: Any, queryset: Any = None) -> Any:
        """The view's FilterSet; that of an action may be for another model than the view's."""
        return getattr(view, "filterset_class", None)

    def get_filterset_kwargs(self, request: Any, queryset: Any, view: Any) -> dict[str, Any]:
        options: dict[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        if "updated_since" in request.query_params:
            options["data"] = options["data"].copy()
            options["data"]["updated_since"] = since(options["data"]["updated_since"]).isoformat()
        return options

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise exceptions.ValidationError(
                {name: list(messages) for name, messages in filterset.errors.items()}
            )
        for name, value in filterset.form.cleaned_data.items():
            for part in _parts(value):
                _check(name, part)
        return filterset.qs


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, slice):
        yield from (value.start, value.stop)
    elif isinstance(value, (list, tuple)):
        yield from value
    else:
        yield value


def _check(name: str, value: Any) -> None:
    try:
        if isinstance(value, str) and len(value) > LONGEST:
            raise ValueError(_("This text is too long to look for."))
        if isinstance(value, datetime):
            check_moment(value)
        elif isinstance(value, date):
            check_day(value)
        elif isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            number = Decimal(value)
            if not number.is_finite() or abs(number) >= LARGEST:
                raise ValueError(_("This number is too large."))
    except ValueError as bad:
        raise exceptions.ValidationError({name: [str(bad)]}) from bad
