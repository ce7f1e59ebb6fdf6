"""What stands beside the moves on the tier report, as of now: downgrades that wait for further
runs, and tiers that people set by hand (P12)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any, cast

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.keyset import keyset_page
from crm.lib.listing import Tab, address, turns
from tiers import reasons
from tiers.filters import ChangeFilter, of_scope
from tiers.models import Assessment, TierChange, TierOverride, TierPolicy, TierRun
from tiers.models.assessments import AssessmentQuerySet
from tiers.models.overrides import TierOverrideQuerySet
from tiers.workload import cadences

HELD, BY_HAND = "held", "by_hand"
#: Closest to falling first; what ends first.
PAGE_SIZE = 20
ORDERS = {HELD: ("-held_runs", "-id"), BY_HAND: ("until", "id")}


def held(user: User, filters: ChangeFilter) -> AssessmentQuerySet:
    """The downgrades that wait, of customers in sight in the scope."""
    found = Assessment.objects.visible_to(user).held().select_related("customer__owner")
    return of_scope(filters, found)


def by_hand(user: User, filters: ChangeFilter, today: date) -> TierOverrideQuerySet:
    """The overrides in force, each with `computed`: the tier that the computation gives."""
    found = TierOverride.objects.visible_to(user).in_force(today)
    computed = F("customer__assessment__computed_tier")
    return of_scope(
        filters, found.select_related("customer__owner", "by").annotate(computed=computed)
    )


def lists(
    request: HttpRequest, filters: ChangeFilter, run: TierRun, names: Collection[str]
) -> dict[str, Any]:
    """The two tabs with their numbers, and one page of the list that is picked, if one is.

    `run` is the one that decided last, `names` what addresses of the report carry.
    """
    user, today = cast(User, request.user), timezone.localdate()
    found: dict[str, Any] = {HELD: held(user, filters), BY_HAND: by_hand(user, filters, today)}
    picked = request.GET.get("show", "")
    scope = set(names) - {"show", "move", "from_tier", "to_tier", "cursor"}
    labels = {HELD: _("Downgrades held"), BY_HAND: _("Set by hand")}
    numbers = {name: rows.count() for name, rows in found.items()}
    context: dict[str, Any] = {
        "tabs": [
            (Tab(label, address(request, scope, show=name), name == picked), numbers[name])
            for name, label in labels.items()
        ]
    }
    if picked not in found:
        return context
    page = keyset_page(
        found[picked],
        order=ORDERS[picked],
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context |= {"show": picked, "page": page, "count": numbers[picked]}
    context |= turns(request, names, page)
    if picked == HELD:
        context["held"] = held_rows(page.rows, run.policy)
    return context


def held_rows(
    rows: list[Assessment], policy: TierPolicy
) -> list[tuple[Assessment, str, tuple[int | None, int | None]]]:
    """Each with what is waited for in words, and the days between two visits now and then."""
    days = cadences()
    return [
        (
            found,
            reasons.held_words(found, policy),
            (days.get(found.customer.abc), days.get(found.held_tier)),
        )
        for found in rows
    ]


def scope_of(request: HttpRequest) -> ChangeFilter:
    """The picked team and owner."""
    return ChangeFilter(request.GET, queryset=TierChange.objects.none(), request=request)


@require_safe
@needs("tiers:read")
@table_view
def held_export(request: HttpRequest) -> Table:
    """The downgrades that wait, as an Excel or CSV file."""
    found = held(cast(User, request.user), scope_of(request)).order_by(*ORDERS[HELD])
    last = TierRun.objects.decisive().select_related("policy").first()
    head = [
        _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier"), _("Proposed tier"),
        _("Held since"), _("Runs that agree"), _("Runs needed"), _("In words"),
    ]  # fmt: skip

    def rows() -> Iterator[tuple[object, ...]]:
        for one in found.iterator(chunk_size=2000):
            customer = one.customer
            yield (
                customer.external_id,
                customer.name,
                customer.owner.display_name if customer.owner else "",
                customer.abc or _("Unranked"),
                one.held_tier or _("Unranked"),
                one.held_since,
                one.held_runs,
                last.policy.downgrade_runs if last else None,
                reasons.held_words(one, last.policy) if last else "",
            )

    name = _("Downgrades held %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, rows(), counted=found)


@require_safe
@needs("tiers:read")
@table_view
def by_hand_export(request: HttpRequest) -> Table:
    """The overrides in force beside what the computation gives, as an Excel or CSV file."""
    today = timezone.localdate()
    found = by_hand(cast(User, request.user), scope_of(request), today)
    head = [
        _("Number in the ERP"), _("Customer"), _("Owner"), _("Tier set"), _("Computed tier"),
        _("From"), _("Until"), _("Reason"), _("Set by"),
    ]  # fmt: skip

    def rows() -> Iterator[tuple[object, ...]]:
        one: Any
        for one in found.order_by(*ORDERS[BY_HAND]).iterator(chunk_size=2000):
            customer = one.customer
            yield (
                customer.external_id,
                customer.name,
                customer.owner.display_name if customer.owner else "",
                one.tier,
                one.computed or _("Unranked"),
                one.first_on,
                one.until,
                one.reason,
                one.by.display_name,
            )

    name = _("Set by hand %(day)s") % {"day": today.isoformat()}
    return Table(name, head, rows(), counted=found)
