"""The audit log: one row per change to domain data, and one per sync call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts import audit


class Action(models.TextChoices):
    CREATE = "create", _("created")
    UPDATE = "update", _("changed")
    DELETE = "delete", _("deleted")


class AuditEntry(models.Model):
    """One change of one record: who, when, before, after, through what.

    `before` and `after` hold only the fields that changed (all of them on create and delete).
    Names of the person, key and record are copied, so that the entry outlives them.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    key = models.ForeignKey(
        "accounts.ApiKey", models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    through = models.CharField(_("through"), max_length=10, choices=audit.Through.choices)
    action = models.CharField(_("action"), max_length=10, choices=Action.choices)
    model = models.CharField(_("kind of record"), max_length=60)
    object_id = models.BigIntegerField()
    object_name = models.CharField(_("record"), max_length=200, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["model", "object_id", "-id"], name="audit_by_record"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
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

    Set-based writes do not pass here: they write their own entries with `AuditEntry.write_many`.
    """

    #: Fields that say nothing to an auditor.
    UNAUDITED: ClassVar[Collection[str]] = ("updated_at", "created_at", "version", "last_login")
    #: Fields whose values must not be copied anywhere; a change shows as dots.
    SECRET: ClassVar[Collection[str]] = ("password",)

    _loaded: dict[str, Any]

    class Meta:
        abstract = True

    @classmethod
    def from_db(  # type: ignore[override]  # the stubs already know Django 6's fetch_mode
        cls, db: str | None, field_names: Collection[str], values: Collection[Any]
    ) -> Self:
        instance = super().from_db(db, field_names, values)
        instance._remember()
        return instance

    def _remember(self) -> None:
        self._loaded = {
            f.attname: self.__dict__[f.attname]
            for f in self._meta.concrete_fields
            if f.attname in self.__dict__
        }

    def _audited(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: "••••" if name in self.SECRET and value else value
            for name, value in values.items()
            if name not in self.UNAUDITED and name != "id"
        }

    def _note(self, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        AuditEntry.build(
            model=type(self),
            object_id=self.pk,
            object_name=str(self),
            action=action,
            before=self._audited(before),
            after=self._audited(after),
        ).save(force_insert=True)

    def save(self, *args: Any, **kwargs: Any) -> None:
        creating = self._state.adding
        before = {} if creating else getattr(self, "_loaded", {})
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._remember()
            after = self._loaded
            if creating:
                self._note(Action.CREATE, {}, after)
                return
            changed = [
                name
                for name, value in after.items()
                if name in before and before[name] != value and name not in self.UNAUDITED
            ]
            if changed:
                self._note(
                    Action.UPDATE,
                    {name: before[name] for name in changed},
                    {name: after[name] for name in changed},
                )

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._remember()
        with transaction.atomic():
            self._note(Action.DELETE, self._loaded, {})
            return super().delete(*args, **kwargs)


class SyncCall(models.Model):
    """One call of a bulk sync endpoint: who sent what, and what became of it.

    `errors` holds the answer's error list as sent to the caller.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True)
    resource = models.CharField(_("resource"), max_length=30)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    key = models.ForeignKey(
        "accounts.ApiKey", models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    atomic = models.BooleanField(default=False)
    received = models.PositiveIntegerField(_("received"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    stale = models.PositiveIntegerField(_("stale"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    errors = models.JSONField(default=list)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.resource} {self.at:%Y-%m-%d %H:%M}"
