"""What every report of the REST API asks in the same way."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.request import Request

FORMATS = ("json", "csv", "xlsx")
FORMAT = OpenApiParameter("format", str, enum=FORMATS)


def format_asked(request: Request, known: Collection[str]) -> str:
    """The format of the answer, one of FORMATS.

    Raises ValidationError for another one, and for parameters beside those `known`: a misspelt
    one would leave the report as wide as it was.
    """
    asked = request.query_params
    if unknown := sorted(set(asked) - {*known, "format"}):
        raise exceptions.ValidationError(
            {name: [_("This report has no such parameter.")] for name in unknown}
        )
    kind = asked.get("format", "json")
    if kind not in FORMATS:
        raise exceptions.ValidationError({"format": [_("Give json, csv or xlsx.")]})
    return kind
