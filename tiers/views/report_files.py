"""What the tier report gives to take away: who moved in a run, and the ranking (P8, P12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from django import forms
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from customers.filters import DAYS
from tiers import ranking, reasons
from tiers.models import Measure, TierChange, TierChangeQuerySet, TierRun
from tiers.views.report import picked_run, scope


def asked_run(request: HttpRequest) -> TierRun:
    """The run of the address, or the last one that decided. Raises Http404."""
    user = cast(User, request.user)
    latest = TierRun.objects.visible_to(user).decisive().select_related("policy")[:1]
    run = picked_run(request, user, list(latest))
    if run is None:
        raise Http404
    return run


@require_safe
@needs("tiers:read")
@table_view
def moves(request: HttpRequest) -> Table:
    """The moved customers of a run, as an Excel or CSV file."""
    run = asked_run(request)
    _customers, filters = scope(request, cast(User, request.user), run)
    return changes_table(filters.qs if filters.is_valid() else TierChange.objects.none(), run)


@require_safe
@needs("tiers:read")
@table_view
def ranked(request: HttpRequest) -> Table:
    """The ranking as an Excel or CSV file: as it stands, or as of a `run` or the day `as_of`.

    A day has the tiers of the last run that looked at it or at a day before it; 404 before the
    first. Raises ValidationError for what is no day.
    """
    user = cast(User, request.user)
    day = forms.DateField(required=False, validators=DAYS).clean(request.GET.get("as_of", ""))
    if day is None:
        run = asked_run(request)
    else:
        found = ranking.run_on(day, TierRun.objects.visible_to(user))
        if found is None:
            raise Http404
        run = found
    customers, _filters = scope(request, user, run)
    past = day is not None or request.GET.get("run")
    lines = ranking.as_left_by(run, customers) if past else ranking.as_it_stands(customers, run)
    by_margin = run.policy.measure == Measure.MARGIN
    head = [
        _("Rank"), _("Ranked within"), _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier"),
        _("Margin") if by_margin else _("Net amount"), _("Share, %"), _("Cumulative share, %"),
    ]  # fmt: skip
    groups: dict[str, str] = {"": ""}

    def rows() -> Iterator[tuple[object, ...]]:
        for line in lines:
            if line.group not in groups:
                groups[line.group] = reasons.group_name(line.group, run.policy.ranked_within)
            yield (
                line.place,
                groups[line.group],
                line.number,
                line.name,
                line.owner,
                line.tier or _("Unranked"),
                line.value,
                reasons.per_cent(line.share),
                reasons.per_cent(line.running),
            )

    name = _("Ranking as of %(day)s") % {"day": run.as_of.isoformat()}
    return Table(name, head, rows(), counted=customers)


def changes_table(changes: TierChangeQuerySet, run: TierRun) -> Table:
    """Each change of `run` with its numbers and the reason."""
    head = [_("Number in the ERP"), _("Customer"), _("Owner"), _("From"), _("To")]
    head += [_("Net amount before"), _("Net amount"), _("Rank before"), _("Rank"), _("Why")]
    found = changes.with_words().select_related("customer__owner").order_by("pk")

    def rows() -> Iterator[tuple[object, ...]]:
        for change in found.iterator(chunk_size=2000):
            change.run = run
            owner = change.customer.owner
            yield (
                change.customer.external_id,
                change.customer.name,
                owner.display_name if owner else "",
                change.from_tier or _("Unranked"),
                change.to_tier or _("Unranked"),
                change.net_before,
                change.net_amount,
                change.rank_before,
                change.rank,
                reasons.explain(change),
            )

    name = _("Tier changes as of %(day)s") % {"day": run.as_of.isoformat()}
    return Table(name, head, rows(), counted=found)
