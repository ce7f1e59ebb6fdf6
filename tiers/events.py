"""What webhooks hear of tiers: moves of customers, and runs that are done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from accounts.webhooks import EventKind, api_url, listeners, record, record_selected

if TYPE_CHECKING:
    from tiers.models import TierChange, TierRun

CHANGED, DONE = "tier.changed", "tier_run.done"


def offered() -> list[EventKind]:
    return [
        EventKind(
            CHANGED,
            _("Tier changed"),
            _("A customer has another ABC tier, by a run or by hand; one event for each."),
        ),
        EventKind(
            DONE, _("Tier run done"), _("A run of all tiers has ended; trials are not told.")
        ),
    ]


def tell_move(change: TierChange) -> None:
    """Let webhooks know of a move that a person made or that ran out."""
    if change.from_tier == change.to_tier or not (heard := listeners(CHANGED)):
        return
    told = {
        "customer_id": change.customer_id,
        "customer": change.customer.external_id,
        "from_tier": change.from_tier,
        "to_tier": change.to_tier,
        "cause": str(change.cause),
        "run": None,
        "url": api_url("customer-list", change.customer_id),
    }
    record({CHANGED: [told]}, to=heard, at=change.changed_at)


def tell_run(run: TierRun, *, moved: int, at: datetime) -> None:
    """Let webhooks know that a run that decides has ended, and of all its moves, which the
    database tells of itself: there may be a million."""
    heard = listeners(CHANGED, DONE)
    record_selected(CHANGED, *_moves(run.pk), to=heard, at=at)
    done = {
        "id": run.pk,
        "as_of": run.as_of.isoformat(),
        "moved": moved,
        "url": api_url("tier-run-list", run.pk),
    }
    record({DONE: [done]}, to=heard, at=at)


def _moves(run_id: int) -> tuple[str, list[Any]]:
    build = "jsonb_build_object" if connection.vendor == "postgresql" else "json_object"
    statement = f"""
        SELECT {build}('customer_id', c.id, 'customer', c.external_id,
            'from_tier', t.from_tier, 'to_tier', t.to_tier, 'cause', t.cause, 'run', t.run_id,
            'url', %s || c.id || '/') AS data
        FROM tiers_tierchange t JOIN customers_customer c ON c.id = t.customer_id
        WHERE t.run_id = %s ORDER BY t.id
    """  # noqa: S608  # our own words
    return statement, [api_url("customer-list"), run_id]
