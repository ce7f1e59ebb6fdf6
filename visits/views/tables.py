"""The lists of visits as files to take away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.exports import table_view
from crm.lib.export import Table
from visits.answers import Answers, Care, Sales
from visits.cadence import most_urgent_first
from visits.models import Visit
from visits.views.day import late_customers
from visits.views.visits import visits_found


@require_safe
@needs("visits:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The visits of the filtered list."""
    visits = visits_found(request)
    head = [
        _("Customer"),
        _("Number in the ERP"),
        _("Rep"),
        _("Team"),
        _("Planned for"),
        _("Status"),
        _("Checked in"),
        _("Closed"),
        _("Distance in metres"),
        _("Purpose"),
        _("How our products sell"),
        _("New need"),
        _("New products introduced"),
        _("Greetings and care"),
        _("Customer's own words"),
    ]
    rows = visits.order_by("-scheduled_for", "-id").iterator(chunk_size=1000)
    name = _("Visits %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, map(_visit_cells, rows), counted=visits)


def _visit_cells(visit: Visit) -> tuple[object, ...]:
    answers: Answers = visit.answers
    care = [str(Care(code).label) for code in answers.get("care", []) if code in Care.values]
    return (
        visit.customer.name,
        visit.customer.external_id,
        visit.rep.display_name,
        visit.rep.team and visit.rep.team.name,
        visit.scheduled_for,
        visit.get_status_display(),
        visit.checked_in_at,
        visit.closed_at,
        visit.distance_m,
        visit.purpose,
        " ".join(_sales_words(answers)),
        answers.get("new_need_note") or answers.get("new_need"),
        answers.get("new_products", []),
        [*care, *filter(None, [answers.get("care_note")])],
        visit.words,
    )


def _sales_words(answers: Answers) -> Iterator[str]:
    if answers.get("sales") in Sales.values:
        yield str(Sales(answers["sales"]).label)
    if answers.get("sales_note"):
        yield answers["sales_note"]


@require_safe
@needs("visits:read")
@table_view
def overdue_export(request: HttpRequest) -> Table:
    """The customers of the filtered list whose cadence has run out."""
    today = timezone.localdate()
    late = late_customers(request, today)
    head = [
        _("Customer"),
        _("Number in the ERP"),
        _("Tier"),
        _("Owner"),
        _("Team"),
        _("Last visit"),
        _("Days between visits"),
        _("Days over"),
    ]
    rows: Any = most_urgent_first(late).iterator(chunk_size=1000)
    return Table(
        _("Overdue visits %(day)s") % {"day": today},
        head,
        (
            (
                customer.name,
                customer.external_id,
                customer.abc,
                customer.owner and customer.owner.display_name,
                customer.owner and customer.owner.team and customer.owner.team.name,
                customer.last_visited_on,
                customer.every_days,
                customer.last_visited_on
                and (today - customer.last_visited_on).days - customer.every_days,
            )
            for customer in rows
        ),
        counted=late,
    )
