"""Files of customers that people bring in (P7)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


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
    FAILED = "failed", _("Failed")


class Import(models.Model):
    """One uploaded file. `mapping` is column number → field; `key` the field that finds a file.

    `done` of `total` rows have been through the present step. `counts` are rows by outcome.
    """

    OWNER_PATH = "by"

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="imports")
    file = models.FileField(upload_to="imports/")
    name = models.CharField(_("file"), max_length=200)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    key = models.CharField(max_length=20, blank=True)
    mode = models.CharField(max_length=6, choices=ImportMode.choices, default=ImportMode.BOTH)
    state = models.CharField(
        max_length=10, choices=ImportState.choices, default=ImportState.UPLOADED
    )
    error = models.CharField(max_length=50, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class ImportRow(models.Model):
    """One row of the file: what it says, what it would do or did, and why it was refused.

    `outcome` is create, update, unchanged or rejected. `before` are the values that an update
    replaced; `errors` are field → list of [code, parameters].
    """

    run = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    outcome = models.CharField(max_length=10, blank=True)
    values = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    errors = models.JSONField(default=dict)
    customer_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(null=True)

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
