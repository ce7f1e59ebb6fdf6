"""The bases of every resource of the REST API: lists, single records, guarded changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.validators import UniqueValidator
from rest_framework.views import APIView

from crm.lib.etag import check_if_match, etag
from crm.lib.fields import DayField, MomentField, ScopedRelatedField
from crm.lib.filters import CheckedFilterBackend, filter_names, since
from crm.lib.idempotency import once
from crm.lib.parsing import StrictJSONParser
from crm.lib.problems import Conflict

__all__ = [
    "DayField",
    "MomentField",
    "ReadViewSet",
    "RecordSerializer",
    "RecordViewSet",
    "ScopedRelatedField",
    "StrictJSONParser",
    "fetch_related",
]


def fetch_related(rows: Sequence[Any], *paths: str) -> None:
    """Fetch what `paths` lead to, for all `rows` at once."""
    models.prefetch_related_objects(list(rows), *paths)


M = TypeVar("M", bound=models.Model)


class RecordSerializer(serializers.ModelSerializer[M]):
    """A ModelSerializer that keeps the model's own rules: clean(), uniqueness, constraints."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: MomentField,
        models.DateField: DayField,
    }

    def build_standard_field(
        self, field_name: str, model_field: models.Field[Any, Any]
    ) -> tuple[Any, dict[str, Any]]:
        kind, options = super().build_standard_field(field_name, model_field)
        # full_clean() asks the database once whether the value is taken; twice helps nobody.
        if "validators" in options:
            options["validators"] = [
                check for check in options["validators"] if not isinstance(check, UniqueValidator)
            ]
        return kind, options

    def get_validators(self) -> list[Any]:
        return []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Try the change on a copy; `attrs` come back as the model cleaned them."""
        model = cast("type[models.Model]", self.Meta.model)
        fields = {field.name: field for field in model._meta.concrete_fields}
        candidate = model() if self.instance is None else copy(self.instance)
        given = {name: value for name, value in attrs.items() if name in fields}
        for name, value in given.items():
            setattr(candidate, name, value)
        # Related rows were just fetched by the fields; what is not editable is not for callers.
        settled = {
            name
            for name, field in fields.items()
            if field.is_relation or (not field.editable and name not in given)
        }
        try:
            candidate.full_clean(exclude=settled)
        except DjangoValidationError as refused:
            raise serializers.ValidationError(self._by_source(refused)) from refused
        return {**attrs, **{name: getattr(candidate, name) for name in given}}

    def changes(self) -> bool:
        """Whether saving would change the record; what is sent again unchanged is not written."""
        return any(
            getattr(self.instance, name) != value for name, value in self.validated_data.items()
        )

    def _by_source(self, refused: DjangoValidationError) -> dict[str, list[str]]:
        """The messages under the names the caller knows."""
        names = {str(field.source): name for name, field in self.fields.items()}
        return {names.get(name, name): list(texts) for name, texts in refused.message_dict.items()}


class ReadViewSet(viewsets.GenericViewSet[Any]):
    """List and read what the caller may see.

    A resource says: `scope` (`orders`), `queryset`, `serializer_class`, and where it has them
    `filterset_class`, `ordering_fields`, `ordering` (without `?ordering=`) and `search_fields`.
    """

    scope: ClassVar[str]
    http_method_names: Sequence[str] = ("get", "head")
    lookup_value_regex = "[0-9]{1,18}"
    filter_backends = (CheckedFilterBackend,)
    ordering_fields: ClassVar[Sequence[str]] = ("id", "updated_at", "created_at")
    ordering: ClassVar[str] = "id"
    #: Fields that `?search=` looks into; a QuerySet with `named_like(words)` needs none.
    search_fields: ClassVar[Sequence[str]] = ()

    def get_queryset(self) -> QuerySet[Any]:
        queryset: Any = super().get_queryset()
        visible: QuerySet[Any] = queryset.visible_to(self.request.user)
        return visible

    def get_object(self) -> Any:
        """The record of the address, in sight of the caller; filters of lists do not apply."""
        record = get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, record)
        return record

    @classmethod
    def searches(cls) -> bool:
        """Whether `?search=` is read, beside the filters."""
        return bool(cls.search_fields) or hasattr(cls.queryset, "named_like")

    @classmethod
    def has_changes(cls) -> bool:
        """Whether the records know when they changed (`?updated_since=`)."""
        assert cls.queryset is not None
        return any(field.name == "updated_at" for field in cls.queryset.model._meta.fields)

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        """The rows that `words` describe."""
        if hasattr(queryset, "named_like"):
            return cast("QuerySet[Any]", queryset.named_like(words))
        condition = Q()
        for name in self.search_fields:
            condition |= Q(**{f"{name}__icontains": words})
        return queryset.filter(condition)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The list as `?updated_since=`, `?search=` and the filters narrow it.

        A parameter that nothing reads is refused: a misspelt filter would return everything.
        """
        given = self.request.query_params
        filters = filter_names(self)
        known = {"cursor", "page_size", "ordering", *filters}
        if self.has_changes():
            known.add("updated_since")
        if self.searches():
            known.add("search")
        unknown = sorted(set(given) - known)
        if unknown:
            raise exceptions.ValidationError(
                {name: [_("This list has no such parameter.")] for name in unknown}
            )
        if "updated_since" in given and "updated_since" not in filters:
            queryset = queryset.filter(updated_at__gte=since(given["updated_since"]))
        if (words := given.get("search", "").strip()) and "search" not in filters:
            if "\x00" in words or len(words) > 200:
                raise exceptions.ValidationError({"search": [_("Search for fewer, plain words.")]})
            queryset = self.search(queryset, words)
        return super().filter_queryset(queryset)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        self.prepare(rows)
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    def prepare(self, rows: Sequence[Any]) -> None:
        """Fetch what the answer shows beside the rows, for all of them at once."""

    def answer(self, record: Any, status: int = 200) -> Response:
        """One record, with its version as ETag where it has one."""
        self.prepare([record])
        headers = {}
        if hasattr(record, "version"):
            headers["ETag"] = etag(record.version)
        if status == 201:
            headers["Location"] = self.request.build_absolute_uri(
                self.reverse_action("detail", args=[record.pk])
            )
        return Response(self.get_serializer(record).data, status=status, headers=headers)

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(answer, private=True, no_store=True)
        return answer


class RecordViewSet(ReadViewSet):
    """A resource whose records the caller may also create and change; nothing is deleted."""

    http_method_names: Sequence[str] = ("get", "head", "post", "put", "patch")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        def answer() -> Response:
            serializer = self.get_serializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            with _clash_answered():
                self.perform_create(serializer)
            return self.answer(serializer.instance, status=201)

        return once(request, answer, now=timezone.now())

    def update(
        self, request: Request, *args: Any, partial: bool = False, **kwargs: Any
    ) -> Response:
        with transaction.atomic():
            record = get_object_or_404(
                self.get_queryset().select_for_update(of=("self",)), pk=kwargs["pk"]
            )
            check_if_match(request, record.version)
            serializer = self.get_serializer(record, data=request.data, partial=partial)
            serializer.is_valid(raise_exception=True)
            with _clash_answered():
                self.perform_update(serializer)
            return self.answer(serializer.instance)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.update(request, *args, partial=True, **kwargs)

    def perform_create(self, serializer: Any) -> None:
        """Store the new record: one call, the serializer's own or an action's."""
        serializer.save()

    def perform_update(self, serializer: Any) -> None:
        """Store the change: one call, the serializer's own or an action's."""
        if serializer.changes():
            serializer.save()


@contextmanager
def _clash_answered() -> Iterator[None]:
    """A clash that only the database could see becomes a 409 with words, and undoes its write."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as clash:
        raise Conflict from clash


class UnknownAddress(APIView):
    """Whatever no resource answers below /api/v1/."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    schema = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound(
            _("No resource has this address. Addresses of the API end with a slash.")
        )
