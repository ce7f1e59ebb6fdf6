"""The audit log: one row per change to domain data, and one per sync call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import date
from typing import Any, ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit
from crm.lib.formats import local_day
from crm.lib.text import Text

DOTS = "••••"
#: What the addresses of the bulk sync end in, as the pages call it.
RESOURCES: dict[str, Text] = {
    "customers": _("Customers"),
    "contacts": _("Contacts"),
    "products": _("Products"),
    "prices": _("Prices"),
    "orders": _("Orders"),
    "payments": _("Payments"),
    "stock-reports": _("Stock reports"),
    "sell-outs": _("Sell-outs"),
}


class Action(models.TextChoices):
    CREATE = "create", _("created")
    UPDATE = "update", _("changed")
    DELETE = "delete", _("deleted")


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def of(self, record: models.Model) -> Self:
        """The entries of one record, newest first."""
        return self.filter(model=record._meta.label_lower, object_id=record.pk)

    def taken_out(
        self, model: type[models.Model], pk: int, *, by: models.Model, on: date
    ) -> dict[str, Any] | None:
        """The columns of a record that `by` deleted on the day `on`; None if there is none such."""
        entry = self.filter(
            model=model._meta.label_lower, object_id=pk, action=Action.DELETE, actor=by.pk
        ).first()
        return dict(entry.before) if entry and local_day(entry.at) == on else None


class AuditEntry(models.Model):
    """One change of one record: who, when, before, after, through what.

    `before` and `after` hold only the fields that changed (all of them on create and delete).
    Names of the person, key and record are copied, so that the entry outlives them.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    # No index of its own: each costs every synced row, and users and keys are never deleted.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    key = models.ForeignKey(
        "accounts.ApiKey",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    through = models.CharField(_("through"), max_length=10, choices=audit.Through.choices)
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    model = models.CharField(_("kind of record"), max_length=60)
    object_id = models.BigIntegerField(_("record number"))
    object_name = models.CharField(_("record"), max_length=200, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(fields=["model", "object_id", "-id"], name="audit_by_record"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            # Which records are gone: few, so that no other entry pays for it.
            models.Index(
                fields=["model", "-id"],
                name="audit_deletes",
                condition=models.Q(action="delete"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.model} {self.object_id}"

    @classmethod
    def build(
        cls,
        *,
        model: type[models.Model],
        object_id: int,
        object_name: str,
        action: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> Self:
        """An unsaved entry under whoever is acting now."""
        who = audit.current()
        name = who.key.name if who.key else who.user.display_name if who.user else ""
        return cls(
            actor_id=who.user.pk if who.user else None,
            actor_name=name[:150],
            key_id=who.key.pk if who.key else None,
            through=who.through,
            action=action,
            model=model._meta.label_lower,
            object_id=object_id,
            object_name=object_name[:200],
            before=dict(before),
            after=dict(after),
        )

    @classmethod
    def write_many(cls, entries: Iterable[Self]) -> None:
        """Store the entries of one set-based change, a thousand to a statement."""
        cls.objects.bulk_create(entries, batch_size=1000)


class Tracked(models.Model):
    """A model whose every save() and delete() writes an audit entry in the same transaction.

    Set-based writes, and rows that go because another one went, do not pass here: who makes them
    writes the entries with `AuditEntry.write_many`.
    """

    #: Fields that say nothing to an auditor.
    UNAUDITED: ClassVar[Collection[str]] = ("updated_at", "created_at", "version", "last_login")
    #: Fields whose values must not be copied anywhere; a change shows as dots.
    SECRET: ClassVar[Collection[str]] = ("password",)
    #: What changes with the record beside its own columns (`tell_also`): name → label.
    BESIDE: ClassVar[Mapping[str, Text]] = {}
    #: Of that, what is a list of rows: name → the columns in the order in which people read them.
    ROWS: ClassVar[Mapping[str, Sequence[str]]] = {}

    #: What the database holds, as far as this instance has read or written it.
    _loaded: dict[str, Any]
    _also: dict[str, tuple[Any, Any]]

    class Meta:
        abstract = True

    @classmethod
    def from_db(  # type: ignore[override]  # the stubs already know Django 6's fetch_mode
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        instance = super().from_db(db, field_names, values)
        instance._remember(cls._audited_fields())
        return instance

    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: models.QuerySet[Self] | None = None,
    ) -> None:
        fields = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)
        self._remember(self._audited_fields(fields))

    def save(self, *args: Any, **kwargs: Any) -> None:
        creating = self._state.adding
        fields = [
            f
            for f in self._audited_fields(kwargs.get("update_fields"))
            if f.attname in self.__dict__  # a deferred field is not saved
        ]
        with transaction.atomic():
            before = {} if creating else self._stored(fields)
            super().save(*args, **kwargs)
            computed = [
                f.attname for f in fields if hasattr(self.__dict__[f.attname], "resolve_expression")
            ]
            if computed:
                self.refresh_from_db(fields=computed)
            self._remember(fields)
            after = {f.attname: f.to_python(self.__dict__[f.attname]) for f in fields}
            also = self.__dict__.pop("_also", {})
            before |= {name: old for name, (old, _new) in also.items()}
            after |= {name: new for name, (_old, new) in also.items()}
            if creating:
                self._entry(Action.CREATE, {}, after).save(force_insert=True)
                return
            changed = [name for name, value in after.items() if before.get(name) != value]
            if changed:
                self._entry(
                    Action.UPDATE,
                    {name: before.get(name) for name in changed},
                    {name: after[name] for name in changed},
                ).save(force_insert=True)

    def tell_also(self, name: str, before: Any, after: Any) -> None:
        """Let the entry of the next save() or delete() tell this too; `name` is one of BESIDE."""
        if before != after:
            self._also = {**self.__dict__.get("_also", {}), name: (before, after)}

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            also = {name: old for name, (old, _new) in self.__dict__.pop("_also", {}).items()}
            entry = self._entry(Action.DELETE, self._stored(self._audited_fields()) | also, {})
            deleted = super().delete(*args, **kwargs)
            if deleted[0]:
                entry.save(force_insert=True)
            return deleted

    def was(self, column: str) -> Any:
        """What the database holds in `column`, as far as this instance has read or written it."""
        return self.__dict__.get("_loaded", {}).get(column)

    @classmethod
    def _audited_fields(cls, only: Collection[str] | None = None) -> list[models.Field[Any, Any]]:
        """The columns an auditor wants, of those called `only` (field or column names)."""
        return [
            f
            for f in cls._meta.concrete_fields
            if not f.primary_key
            and f.name not in cls.UNAUDITED
            and (only is None or f.name in only or f.attname in only)
        ]

    def _remember(self, fields: Iterable[models.Field[Any, Any]]) -> None:
        """Note the present values of `fields` as what the database holds."""
        now = self.__dict__
        self._loaded = {
            **now.get("_loaded", {}),
            # Lists and dicts are copied: they can be changed in place.
            **{
                f.attname: deepcopy(now[f.attname])
                if isinstance(now[f.attname], (list, dict))
                else now[f.attname]
                for f in fields
                if f.attname in now
            },
        }

    def _stored(self, fields: Iterable[models.Field[Any, Any]]) -> dict[str, Any]:
        """What the database holds in `fields`; reads once more where some were never loaded."""
        loaded = self.__dict__.get("_loaded", {})
        wanted = [f.attname for f in fields]
        unknown = [name for name in wanted if name not in loaded]
        if unknown:
            row = type(self)._base_manager.filter(pk=self.pk).values(*unknown).first()
            loaded = {**loaded, **(row or {})}
        return {name: loaded[name] for name in wanted if name in loaded}

    def _entry(
        self, action: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> AuditEntry:
        def shown(values: Mapping[str, Any]) -> dict[str, Any]:
            return {
                name: DOTS if name in self.SECRET and value else value
                for name, value in values.items()
            }

        return AuditEntry.build(
            model=type(self),
            object_id=self.pk,
            object_name=str(self),
            action=action,
            before=shown(before),
            after=shown(after),
        )


class SyncCallQuerySet(models.QuerySet["SyncCall"]):
    def last_of_each_key(self, resources: Iterable[str]) -> Self:
        """The newest call of every key to each of `resources`: an index look-up for each pair."""
        keys = apps.get_model("accounts", "ApiKey")._default_manager.order_by()
        of_key = self.model._default_manager.filter(key=models.OuterRef("pk")).order_by("-id")
        last = [
            keys.values_list(models.Subquery(of_key.filter(resource=name).values("pk")[:1]))
            for name in resources
        ]
        return self.filter(pk__in=last[0].union(*last[1:])) if last else self.none()


class SyncCall(models.Model):
    """One call of a bulk sync endpoint: who sent what, and what became of it.

    `errors` holds the first 500 errors of the answer, as sent to the caller.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    resource = models.CharField(_("resource"), max_length=30)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    key = models.ForeignKey(
        "accounts.ApiKey",
        models.SET_NULL,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    #: The call whose rejected records somebody sent again here.
    again_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="again")
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    atomic = models.BooleanField(default=False)
    received = models.PositiveIntegerField(_("received"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    stale = models.PositiveIntegerField(_("stale"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    errors = models.JSONField(default=list)

    objects = SyncCallQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["key", "resource", "-id"], name="sync_by_key"),
            models.Index(fields=["at"], name="sync_by_time"),
            models.Index(
                fields=["-id"], name="sync_with_rejected", condition=models.Q(rejected__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.resource} {self.at:%Y-%m-%d %H:%M}"

    @property
    def sender(self) -> str:
        """The key that sent it, else the person."""
        return self.key.name if self.key else self.actor_name

    @property
    def resource_label(self) -> Text:
        """What was synced, as the pages call it."""
        return RESOURCES.get(self.resource, self.resource)
