"""The OpenAPI document: what every operation has in common, said once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from crm.lib.idempotency import HEADER, LONGEST
from crm.lib.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details, in the language of Accept-Language (en, zh-hans).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "Which problem, for programs.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Field (`lines.0.quantity`) to messages, where fields are at fault.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

EVERYWHERE = {
    "400": "The request is not valid; `errors` says where.",
    "401": "No valid API key and no session.",
    "403": "The key lacks the scope, or the role the permission.",
    "404": "There is no such record, or it is out of the caller's sight.",
    "405": "The address does not take this method.",
    "406": "The answer cannot be given in the format asked for.",
    "429": "Too many requests in this minute; see Retry-After.",
}
WITH_BODY = {
    "409": "The record clashes with another write, or the first request is still in progress.",
    "413": "The body is too large.",
    "415": "The body has a format that is not read here.",
    "422": "The Idempotency-Key was used with another body, or the request cannot be carried out.",
}
GUARDED = {"412": "If-Match names a version that is no longer the present one."}


class ApiSchema(AutoSchema):
    """Adds the problems, If-Match, Idempotency-Key and the list parameters to every operation."""

    def get_tags(self) -> list[str]:
        return [str(getattr(self.view, "scope", "api"))]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        problems = dict(EVERYWHERE)
        if self.method in {"POST", "PUT", "PATCH"}:
            problems |= WITH_BODY
        if self._is_guarded():
            problems |= GUARDED
        schema = self._problem().ref
        for status, words in problems.items():
            answer: dict[str, Any] = {
                "description": words,
                "content": {MEDIA_TYPE: {"schema": schema}},
            }
            if status == "429":
                answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
            operation["responses"].setdefault(status, answer)
        for status, answer in operation["responses"].items():
            if status.startswith("2") and self._has_etag():
                answer.setdefault("headers", {})["ETag"] = {
                    "description": "The version of the record, for If-Match.",
                    "schema": {"type": "string"},
                }
        operation["responses"] = dict(sorted(operation["responses"].items()))
        return dict(operation)

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters = list(super()._get_parameters())
        if self._is_guarded():
            parameters.append(
                _header("If-Match", "The ETag that was read; with an old one nothing is written.")
            )
        if self.method == "POST" and getattr(self.view, "takes_idempotency_key", self._creates()):
            parameters.append(
                _header(
                    HEADER,
                    "Sent again within 24 hours with the same body, the first answer is repeated "
                    "(`Idempotent-Replay: true`).",
                    maximum=LONGEST,
                )
            )
        return parameters

    def _get_filter_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = list(super()._get_filter_parameters())
        view: Any = self.view
        if not (self._is_list_view() and hasattr(view, "has_changes")):
            return parameters
        if view.has_changes():
            parameters.append(
                _query("updated_since", "Only what changed at or after.", format="date-time")
            )
        if view.searches():
            parameters.append(_query("search", "Only what these words describe.", maxLength=200))
        return parameters

    def _map_serializer_field(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_serializer_field(*args, **kwargs)
        if isinstance(schema.get("type"), list):  # nullable by the field and by its model: once
            schema["type"] = list(dict.fromkeys(schema["type"]))
        return schema

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if direction == "response" and schema.get("properties"):
            schema["required"] = sorted(schema["properties"])  # every field is always answered
        return schema

    def _creates(self) -> bool:
        return getattr(self.view, "action", "") == "create"

    def _is_guarded(self) -> bool:
        return self.method in {"PUT", "PATCH"}

    def _has_etag(self) -> bool:
        action = getattr(self.view, "action", "")
        model = getattr(getattr(self.view, "queryset", None), "model", None)
        return hasattr(model, "version") and action in {
            "retrieve",
            "create",
            "update",
            "partial_update",
        }

    def _problem(self) -> ResolvedComponent:
        component = ResolvedComponent(
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        return component


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key: `Bearer <key>`."}


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.authentication.BrowserSessionAuthentication"
    name = "BrowserSession"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


def _header(name: str, words: str, maximum: int | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if maximum:
        schema |= {"minLength": 1, "maxLength": maximum}
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": words,
        "schema": schema,
    }


def _query(name: str, words: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": words,
        "schema": {"type": "string", **schema},
    }
