"""The bulk sync endpoints: reading the body, answering what became of its records."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import msgspec
from django.http import HttpRequest, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiKey, User
from accounts.sync import run_sync
from accounts.sync_resource import SyncResource
from crm.lib.bodies import MOST_BYTES, MOST_RECORDS, BodyError, TooManyRecords, split_body
from crm.lib.problems import MEDIA_TYPE, BadRequest, TooLarge, problem
from crm.lib.schema import ApiSchema

NDJSON = ("application/x-ndjson", "application/ndjson")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


#: Every endpoint of the bulk sync by the name of its resource; each joins as it is defined.
ENDPOINTS: dict[str, type[SyncView]] = {}


class SyncView(APIView):
    """One POST for up to 10,000 records of a resource; names its `scope` and `resource`."""

    scope: ClassVar[str]
    resource: ClassVar[type[SyncResource[Any]]]
    http_method_names = ("post",)
    takes_idempotency_key = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        ENDPOINTS[cls.resource.name] = cls

    def post(self, request: Request) -> Response:
        atomic = _atomic(request)
        try:
            raws = split_body(read_body(request), by_line=_by_line(request))
        except BodyError as bad:
            raise BadRequest(str(bad)) from bad
        except TooManyRecords as many:
            raise TooLarge(
                _("A body holds at most %(most)d records; send the rest in another one.")
                % {"most": MOST_RECORDS}
            ) from many
        outcome = run_sync(
            self.resource(cast(User, request.user)),
            self.resource.reader.read(raws),
            key=request.auth if isinstance(request.auth, ApiKey) else None,
            atomic=atomic,
            now=timezone.now(),
        )
        if outcome.refused:
            detail = _("Nothing was written, because some records were rejected.")
            body = problem(422, code="records_rejected", detail=detail) | outcome.as_dict()
            return Response(body, status=422, content_type=MEDIA_TYPE)
        return Response(outcome.as_dict())


def read_body(request: Request) -> bytes:
    """The body, unpacked and within its limit; raises problems with 400, 413 and 415."""
    http = request._request
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise exceptions.UnsupportedMediaType(
            encoding, _("Send the body as it is: compressed bodies are not read here.")
        )
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "Transfer-Encoding" in request.headers:
        raise BadRequest(_("Send the length of the body in a Content-Length header."))
    if length and not (length.isascii() and length.isdigit()):
        raise BadRequest(_("The Content-Length header is no number."))
    if length and int(length) > MOST_BYTES:
        _discard(http, int(length))
        raise TooLarge(_("A body holds at most %(most)d MiB.") % {"most": MOST_BYTES // 1024**2})
    try:
        body = http.read()
    except UnreadablePostError as cut:
        raise BadRequest(_cut_off()) from cut
    if length and len(body) < int(length):
        raise BadRequest(_cut_off())
    return body


def _cut_off() -> str:
    return _("The body was cut off: it is shorter than its Content-Length says.")


def _discard(http: HttpRequest, length: int) -> None:
    """Read a body that is a little too large to its end, or the client never sees our answer."""
    left = min(length, 4 * MOST_BYTES)
    while left > 0 and (chunk := http.read(min(left, 1 << 16))):
        left -= len(chunk)


def _by_line(request: Request) -> bool:
    kind = (request.content_type or "").split(";")[0].strip().lower()
    if kind in NDJSON:
        return True
    if kind == "application/json":
        return False
    raise exceptions.UnsupportedMediaType(
        kind[:100], _("Send application/json or application/x-ndjson.")
    )


def _atomic(request: Request) -> bool:
    text = request.query_params.get("atomic", "false").lower()
    if text not in _TRUTH:
        raise exceptions.ValidationError({"atomic": [_("Give true or false.")]})
    return _TRUTH[text]


# --- the OpenAPI document


class SyncErrorSerializer(serializers.Serializer[Any]):
    """A rejected record: where it stood in the body (from 0), and what is wrong, by field."""

    index = serializers.IntegerField(min_value=0)
    external_id = serializers.CharField(allow_null=True)
    errors = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]  # the contract's name


class SyncAnswerSerializer(serializers.Serializer[Any]):
    """What became of the records of one body."""

    received = serializers.IntegerField(min_value=0)
    created = serializers.IntegerField(min_value=0)
    updated = serializers.IntegerField(min_value=0)
    unchanged = serializers.IntegerField(min_value=0)
    stale = serializers.IntegerField(min_value=0)
    rejected = serializers.IntegerField(min_value=0)
    errors = SyncErrorSerializer(many=True)  # type: ignore[assignment]  # the contract's name


class SyncSchema(ApiSchema):
    """Says the record's fields from the struct that reads it."""

    def get_operation_id(self) -> str:
        return f"{cast(SyncView, self.view).resource.name}_sync"

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        struct = cast(SyncView, self.view).resource.reader.struct
        _refs, found = msgspec.json.schema_components(
            [struct], ref_template="#/components/schemas/{name}"
        )
        for name, schema in found.items():
            self.registry.register_on_missing(
                ResolvedComponent(
                    name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name
                )
            )
        record = {"$ref": f"#/components/schemas/{struct.__name__}"}
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "maxItems": MOST_RECORDS, "items": record}
                },
                NDJSON[0]: {"schema": {"type": "string", "description": "A record to a line."}},
            },
        }
        answers = operation["responses"]
        refused = answers["422"]["content"][MEDIA_TYPE]
        counted = answers["200"]["content"]["application/json"]["schema"]
        refused["schema"] = {"anyOf": [refused["schema"], counted]}  # the problem holds both
        return operation


#: What the OpenAPI document says about every SyncView; put it on each.
described = extend_schema(
    description=(
        "Creates and changes up to 10,000 records (32 MiB) by `external_id`. A field left out "
        "stays as it is, null empties it. A rejected record never stops the others, unless "
        "`atomic` is true. A record with an older `source_updated_at` than the stored one is "
        "stale and not written. Sent twice, the second call changes nothing."
    ),
    request=None,
    parameters=[
        OpenApiParameter(
            "atomic", OpenApiTypes.BOOL, description="One rejection, and nothing is written."
        )
    ],
    responses={
        200: SyncAnswerSerializer,
        503: OpenApiResponse(description="Others keep writing the same rows; send it again."),
    },
)
