"""The kinds of long jobs over orders and stock."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.jobs import JobKind
from accounts.models import JobRun
from orders.stock_importing import KIND


def offered() -> list[JobKind]:
    return [
        JobKind(
            name=KIND,
            label=gettext_lazy("Import of dealers’ stock"),
            task="orders.tasks.import_stock",
            page=lambda job: reverse("orders:stock-import", args=[job.parameters["import"]]),
            tell=_tell,
        ),
    ]


def _tell(job: JobRun) -> str:
    counts = job.result.get("counts", {})
    numbers = {name: counts.get(name, 0) for name in ("created", "updated", "rejected")}
    if job.result.get("written"):
        return _("Rows: %(created)d new, %(updated)d changed, %(rejected)d rejected.") % numbers
    return (
        _("Looked through: %(created)d new, %(updated)d changed, %(rejected)d rejected.") % numbers
    )
