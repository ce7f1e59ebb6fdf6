"""Taking out what one entered today by mistake, and bringing it back from the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar, cast

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Tracked, User
from accounts.models.audit import Action
from crm.lib.formats import local_day
from customers.models import Customer

M = TypeVar("M", bound=Tracked)


@dataclass(frozen=True, slots=True)
class Restored(Generic[M]):
    """A record that is there again; `beside` is what its entry told beside the columns.

    It is not `fresh` where it was never gone.
    """

    record: M
    beside: Mapping[str, Any]
    fresh: bool


def may_take_back(record: Tracked, *, by: User, today: date) -> bool:
    """Whether `by` made the record today."""
    made = AuditEntry.objects.of(record).filter(action=Action.CREATE).first()
    return made is not None and made.actor_id == by.pk and local_day(made.at) == today


def take_back(record: Tracked, *, by: User, today: date) -> None:
    """Take out what `by` made today; ValidationError for anything else."""
    if not may_take_back(record, by=by, today=today):
        raise ValidationError(
            _("Only who entered it can take it back, and on the same day only."), code="settled"
        )
    record.delete()


@transaction.atomic
def restore(model: type[M], pk: int, *, by: User, today: date) -> Restored[M] | None:
    """Bring back what `by` took out today; None where there is nothing such in sight.

    What is still there stays as it is.
    """
    rows = cast(Any, model._default_manager)
    if there := rows.visible_to(by).filter(pk=pk).first():
        return Restored(there, {}, fresh=False)
    stored = AuditEntry.objects.taken_out(model, pk, by=by, on=today)
    if stored is None:
        return None
    if not Customer.objects.visible_to(by).filter(pk=stored["customer_id"]).exists():
        return None
    fields = {field.attname: field for field in model._meta.concrete_fields}
    columns = {
        name: fields[name].to_python(value) for name, value in stored.items() if name in fields
    }
    beside = {name: value for name, value in stored.items() if name not in fields}
    record = model(pk=pk, **columns)
    for name, value in beside.items():
        record.tell_also(name, None, value)
    record.save(force_insert=True)
    return Restored(record, beside, fresh=True)
