"""Files of counts and sell-outs that people upload: their rows, and what became of them (P23)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.access import ScopedQuerySet


class StockImportKind(models.TextChoices):
    COUNTS = "counts", _("Stock counts")
    SALES = "sales", _("Sell-outs")


class StockImportState(models.TextChoices):
    CHECKING = "checking", _("being looked through")
    CHECKED = "checked", pgettext_lazy("import", "not written yet")
    WRITING = "writing", _("being written")
    DONE = "done", pgettext_lazy("import", "written")


class StockImport(models.Model):
    """One uploaded file.

    `rows` are [number in the file, cells], `head` the cells of the first row. `outcomes` are, row
    by row, [created | updated | unchanged | rejected, why]: what would become of it, and once it
    is written, what became of it. With `atomic`, one rejected row means that nothing is written.
    """

    OWNER_PATH: ClassVar[str] = "by"

    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=StockImportKind.choices)
    name = models.CharField(_("file"), max_length=200)
    head = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    outcomes = models.JSONField(default=list)
    atomic = models.BooleanField(_("all or nothing"), default=False)
    state = models.CharField(
        max_length=10, choices=StockImportState.choices, default=StockImportState.CHECKING
    )
    counts = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("uploaded"))
    written_at = models.DateTimeField(_("written"), null=True)

    objects = ScopedQuerySet["StockImport"].as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("import of stock")
        verbose_name_plural = _("imports of stock")

    def __str__(self) -> str:
        return self.name

    @property
    def may_be_written(self) -> bool:
        """Whether it was looked through, and holds something new that may go in."""
        news = self.counts.get("created", 0) + self.counts.get("updated", 0)
        refused = self.atomic and self.counts.get("rejected", 0)
        return self.state == StockImportState.CHECKED and bool(news) and not refused
