"""Files of customers that people bring in (P7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet
from accounts.roles import Role

if TYPE_CHECKING:
    from accounts.models import User


class ImportMode(models.TextChoices):
    CREATE = "create", _("Only new ones")
    UPDATE = "update", _("Only those on file")
    BOTH = "both", _("New ones and those on file")


class ImportState(models.TextChoices):
    """An import is mapped by a person, checked in the background, applied, perhaps undone."""

    UPLOADED = "uploaded", _("Uploaded")
    CHECKING = "checking", _("Checking")
    CHECKED = "checked", _("Checked")
    APPLYING = "applying", _("Writing")
    DONE = "done", _("Done")
    UNDOING = "undoing", _("Taking back")
    UNDONE = "undone", _("Taken back")


#: States in which a worker has the import.
AT_WORK = (ImportState.CHECKING, ImportState.APPLYING, ImportState.UNDOING)


class Outcome(models.TextChoices):
    """What a row comes to."""

    CREATE = "create", _("New")
    UPDATE = "update", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    REJECTED = "rejected", _("Rejected")
    LEFT = "left", _("Left out")


class Alike(models.TextChoices):
    """What becomes of a new row that looks like a customer on file."""

    CREATE = "create", _("put on file as a new customer")
    SAME = "same", _("take it as that customer")
    LEAVE = "leave", _("leave it out")


class RowState(models.TextChoices):
    """How far a row is: what it comes to is only planned, written, taken back, or was kept."""

    PLANNED = "planned", _("Planned")
    WRITTEN = "written", _("Written")
    UNDONE = "undone", _("Taken back")
    KEPT = "kept", pgettext_lazy("row of an import", "Kept")


class Import(models.Model):
    """One uploaded file. `mapping` is column number → field; `key` the field that finds a file.

    `columns` are the heads of the table, each with a sample of its values; `table` tells where it
    stands: sheet, row of the heads, encoding, number of rows, what was odd. `clears`: an empty
    cell empties its field; `alike` what becomes of rows that look like a customer on file, where
    nobody chose for the row. `done` of `total` rows have been through the present step, the last
    of them at `stepped_at`. `counts` are rows by outcome.
    """

    OWNER_PATH = "by"

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="imports")
    file = models.FileField(upload_to="imports/")
    name = models.CharField(_("file"), max_length=200)
    table = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    key = models.CharField(max_length=20, blank=True)
    mode = models.CharField(max_length=6, choices=ImportMode.choices, default=ImportMode.BOTH)
    clears = models.BooleanField(default=False)
    alike = models.CharField(
        max_length=6, choices=Alike.choices, default=Alike.CREATE, db_default=Alike.CREATE
    )
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED
    )
    error = models.CharField(max_length=50, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    stepped_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    #: Who had it written, and taken back: whoever uploaded it, or one who leads that person.
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )

    objects = ScopedQuerySet["Import"].as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state in AT_WORK

    def answers_to(self, user: User) -> bool:
        """Whether `user`, who sees the import, may go on with it: its uploader, whoever leads the
        uploader's team, an administrator."""
        leads = user.role in (Role.MANAGER, Role.ADMINISTRATOR)
        return self.by_id == user.pk or user.is_superuser or leads

    @property
    def percent(self) -> int:
        """0–100 of the present step, rounded down."""
        return min(100 * self.done // self.total, 100) if self.total else 0


class ImportRow(models.Model):
    """One row of the file: what it says, what it would do or did, and why it was refused.

    `values` are field → value for the fields that its cells fill, in stored form; `before` what
    an update replaces of it. `errors` are field → list of [code, parameters]: why a rejected row
    was refused, what to look at in another. `customer_id`, `version` and `contact_id` name what
    was written; before that, the file that would be changed, as it stood when the row was looked
    at. `choice` is what a person chose for a row that looks like a customer on file. Rows are
    written by `level`: one that names another new row as the customer above it comes after it.
    """

    run = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    state = models.CharField(max_length=7, choices=RowState.choices, default=RowState.PLANNED)
    values = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    errors = models.JSONField(default=dict)
    customer_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    choice = models.CharField(
        max_length=6, choices=Alike.choices, blank=True, default="", db_default=""
    )
    level = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="one_row_of_a_number"),
        ]
        indexes = [models.Index(fields=["run", "outcome", "number"], name="import_row_by_outcome")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"


class ColumnMapping(models.Model):
    """How the columns of a file were mapped last time, by its heads; one for the company."""

    heads = models.CharField(max_length=64, unique=True)
    mapping = models.JSONField(default=dict)
    key = models.CharField(max_length=20, blank=True)
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.heads
