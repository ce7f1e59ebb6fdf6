"""The kinds of long jobs over orders, credit and stock."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.jobs import JobKind
from accounts.models import JobRun
from orders.stock_importing import KIND

#: The credit review of all customers.
REVIEW = "credit-review"


def offered() -> list[JobKind]:
    return [
        JobKind(
            name=KIND,
            label=gettext_lazy("Import of dealers’ stock"),
            task="orders.tasks.import_stock",
            page=lambda job: reverse("orders:stock-import", args=[job.parameters["import"]]),
            tell=_tell_import,
        ),
        JobKind(
            name=REVIEW,
            label=gettext_lazy("Credit review"),
            task="orders.tasks.review_credit",
            page=lambda _job: reverse("orders:reviews"),
            tell=_tell_review,
            shared=True,
            permission="credit:write",
        ),
    ]


def _tell_import(job: JobRun) -> str:
    counts = job.result.get("counts", {})
    numbers = {name: counts.get(name, 0) for name in ("created", "updated", "rejected")}
    if job.result.get("written"):
        return _("Rows: %(created)d new, %(updated)d changed, %(rejected)d rejected.") % numbers
    return (
        _("Looked through: %(created)d new, %(updated)d changed, %(rejected)d rejected.") % numbers
    )


def _tell_review(job: JobRun) -> str:
    return _(
        "%(customers)d customers were reviewed: %(raise)d to raise, %(lower)d to lower, "
        "%(stop)d to stop, %(set)d without a limit yet."
    ) % {name: job.result.get(name, 0) for name in ("customers", "raise", "lower", "stop", "set")}
