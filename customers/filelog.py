"""Who read and who changed a customer's file: two logs told as one, newest first (P6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from accounts.history import Line
from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from customers.changes import told, whole_log_of
from customers.models import Customer, FileRead, Profile
from customers.timeline import first_page

PAGE_SIZE = 50
#: The export tells at most this many of each: enough for every file that people keep by hand.
MOST_EXPORTED = 10_000


class Kind(TextChoices):
    READ = "read", pgettext_lazy("the file was", "read")
    CHANGED = "changed", pgettext_lazy("the file was", "changed")


#: What was done to the file itself, and to a record that belongs to it.
TO_THE_FILE = {
    Action.CREATE: gettext_lazy("%(who)s made the file"),
    Action.UPDATE: gettext_lazy("%(who)s changed the file"),
}
TO_A_RECORD = {
    Action.CREATE: gettext_lazy("%(who)s put on file: %(kind)s “%(name)s”"),
    Action.UPDATE: gettext_lazy("%(who)s changed: %(kind)s “%(name)s”"),
    Action.DELETE: gettext_lazy("%(who)s took off the file: %(kind)s “%(name)s”"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line: a day on which somebody read the file, or one change with before and after."""

    at: datetime
    kind: Kind
    who: str
    times: int = 0
    first_at: datetime | None = None
    on: date | None = None
    line: Line | None = None

    @property
    def title(self) -> str:
        """What happened, in one sentence."""
        if self.line is None:
            told = ngettext(
                "%(who)s read the file", "%(who)s read the file %(times)d times", self.times
            )
            return told % {"who": self.who, "times": self.times}
        entry = self.line.entry
        if entry.model == Profile._meta.label_lower:
            return str(TO_THE_FILE[Action.UPDATE]) % {"who": self.who}
        words = {"who": self.who, "kind": self.line.kind, "name": entry.object_name}
        titles = TO_THE_FILE if entry.model == Customer._meta.label_lower else TO_A_RECORD
        return str(titles[Action(entry.action)]) % words


def page(
    customer: Customer,
    reader: User,
    *,
    kinds: frozenset[Kind],
    before: datetime | None = None,
    limit: int = PAGE_SIZE,
) -> tuple[list[Told], datetime | None]:
    """The newest lines of `kinds` before `before`, and the moment before which older ones begin."""
    entries = whole_log_of(customer) if Kind.CHANGED in kinds else AuditEntry.objects.none()
    reads = FileRead.objects.filter(customer=customer).select_related("reader")
    if Kind.READ not in kinds:
        reads = reads.none()
    if before is not None:
        entries, reads = entries.filter(at__lt=before), reads.filter(last_at__lt=before)

    def newest(number: int) -> Iterator[Told]:
        for read in reads.order_by("-last_at", "-id")[:number]:
            yield Told(
                at=read.last_at,
                kind=Kind.READ,
                who=read.reader.display_name,
                times=read.times,
                first_at=read.first_at,
                on=read.on,
            )
        for line in told(entries.order_by("-at", "-id")[:number], reader):
            entry = line.entry
            who = entry.actor_name or str(entry.get_through_display())
            yield Told(at=entry.at, kind=Kind.CHANGED, who=who, line=line)

    return first_page(newest, limit)
