"""What the file of a customer shows of its tier."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.models import User
from crm.lib.htmx import page_or_part
from customers.models import Customer
from tiers import reasons
from tiers.models import TierChange, TierRun


@require_safe
@needs("tiers:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a customer has its tier: its numbers, the lines, and the tiers it had."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    last = TierRun.objects.decisive().select_related("policy").first()
    standing = None
    if last and customer.abc:
        standing = reasons.standings([customer.pk], last.policy).get(customer.pk)
    lines = reasons.Lines.of(last.policy) if last else None
    context = {
        "customer": customer,
        "run": last if customer.net_amount is not None else None,
        "standing": standing,
        "place": reasons.place(standing or reasons.unranked(customer), lines) if lines else "",
        "share": reasons.cut(standing.share, lines) if standing and lines else "",
        "history": [
            (change, reasons.title(change), reasons.explain(change))
            for change in TierChange.objects.decisive()
            .filter(customer=customer)
            .select_related("run__policy")
            .order_by("-pk")[:10]
        ],
    }
    return page_or_part(request, "tiers/of_customer.html", "tiers/_of_customer.html", context)
