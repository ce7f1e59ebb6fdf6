"""The kinds of long jobs over customers' files."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.jobs import JobKind
from accounts.models import JobRun
from customers.importing import steps

#: The search for duplicates in the whole database.
SEARCH = "duplicates"


def offered() -> list[JobKind]:
    return [
        *steps.offered(),
        JobKind(
            name=SEARCH,
            label=gettext_lazy("Search for duplicates"),
            task="customers.tasks.find_duplicates",
            page=lambda _job: reverse("customers:duplicates"),
            tell=_tell_search,
            shared=True,
            permission="customers:read",
        ),
    ]


def _tell_search(job: JobRun) -> str:
    """No numbers: the reader may see a part of what was found only."""
    if job.result.get("left_out"):
        return _("All files were compared, but for very large groups with the same key.")
    return _("All files were compared.")
