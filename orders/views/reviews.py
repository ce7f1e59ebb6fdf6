"""The pages of credit reviews: the proposals, one with its reasons, and deciding on them (P39)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import jobs
from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, JobRun, User
from accounts.views.runs import shown as job_shown
from crm.lib.export import Table
from crm.lib.listing import (
    found_by,
    list_answer,
    list_context,
    parameters,
    quick_filters,
    sort_heads,
    sort_of,
)
from crm.lib.text import Text
from customers.filters import chips
from orders.jobs import REVIEW
from orders.models import CreditReview, Proposal, ReviewState
from orders.payment_filters import ReviewFilter
from orders.payment_forms import AcceptForm, DeclineForm
from orders.reviewing import first_day
from orders.reviews import MOST_AT_ONCE, accept, accept_each, decline, reopen, why

COLUMNS = (
    *("id", "customer_id", "customer__name", "customer__external_id", "customer__abc"),
    *("customer__owner__name", "as_of", "kind", "current", "proposed", "granted", "state"),
    *("version", "facts"),
)
SORTS = {"-proposed": ("-proposed", "-id"), "proposed": ("proposed", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (pgettext_lazy("credit review", "Open"), {}),
    (pgettext_lazy("credit review", "Raise"), {"kind": "raise"}),
    (pgettext_lazy("credit review", "Lower"), {"kind": "lower"}),
    (pgettext_lazy("credit review", "Stop"), {"kind": "stop"}),
    (pgettext_lazy("credit review", "Set a limit"), {"kind": "set"}),
    (pgettext_lazy("credit review", "Accepted"), {"state": "accepted"}),
    (pgettext_lazy("credit review", "Declined"), {"state": "declined"}),
)
CHIPS = ("owner", "team", "abc")
#: The tone of each proposal's dot.
TONES = {Proposal.SET: "acc", Proposal.RAISE: "good", Proposal.LOWER: "warn", Proposal.STOP: "bad"}


def _filtered(request: HttpRequest) -> ReviewFilter:
    reviews = CreditReview.objects.visible_to(cast(User, request.user))
    asked = request.GET.copy()
    if not asked.get("state"):
        asked["state"] = ReviewState.OPEN
    return ReviewFilter(asked, queryset=reviews, request=request)


@require_safe
@needs("reports:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Proposals of the customers in sight, largest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = _filtered(request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    counted = CreditReview.objects.visible_to(user).open().order_by().values("kind")
    found = dict(counted.annotate(n=Count("pk")).values_list("kind", "n"))
    running = JobRun.objects.filter(kind=REVIEW).order_by("-id").first()
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [shown(row) for row in context["page"].rows],
        "tiles": [
            (label, found.get(kind, 0), f"?kind={kind}", TONES[Proposal(kind)])
            for kind, label in Proposal.choices
        ],
        "heads": sort_heads(request, names, context["sort"], ("-proposed",)),
        "tabs": quick_filters(request, names, TABS),
        "narrowed": any(request.GET.get(name) for name in (*CHIPS, "kind")),
        "may_write": may(user, "credit:write"),
        "run": running,
    }
    if running and running.is_open and context["may_write"]:
        context |= job_shown(running)
    return list_answer(request, "orders/reviews.html", "orders/_reviews.html", context)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its proposal in words, its change, and what decided it."""
    kind = Proposal(row["kind"])
    one = CreditReview(kind=kind, facts=row["facts"])
    return {
        **row,
        "label": kind.label,
        "tone": TONES[kind],
        "state_label": ReviewState(row["state"]).label,
        "why": why(one)[0],
        "change": None if row["current"] is None else row["proposed"] - row["current"],
        "is_open": row["state"] == ReviewState.OPEN,
    }


@require_safe
@needs("reports:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    head = [
        _("Customer number"), _("Customer"), _("Owner"), _("Tier"), _("As of"), _("Proposal"),
        _("Limit now"), _("Proposed limit"), _("Why"), _("State"), _("Granted"),
    ]  # fmt: skip
    found = found_by(_filtered(request)).order_by(*SORTS[sort_of(request, SORTS)])
    name = _("Credit reviews %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found), counted=found)


def _exported(found: QuerySet[CreditReview]) -> Iterator[tuple[object, ...]]:
    for row in found.values(*COLUMNS).iterator(chunk_size=2000):
        one = shown(row)
        told = " ".join(why(CreditReview(kind=row["kind"], facts=row["facts"])))
        yield (
            row["customer__external_id"], row["customer__name"], row["customer__owner__name"],
            row["customer__abc"], row["as_of"], one["label"], row["current"], row["proposed"],
            told, one["state_label"], row["granted"],
        )  # fmt: skip


@require_safe
@needs("payments:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One proposal with all its reasons and the figures behind them, and the ways to decide."""
    one = _one(request, pk)
    require(request.user, "reports:read")
    return _page(request, one)


def _one(request: HttpRequest, pk: int) -> CreditReview:
    found = CreditReview.objects.visible_to(cast(User, request.user))
    return get_object_or_404(found.select_related("customer__owner", "decided_by"), pk=pk)


def _page(
    request: HttpRequest,
    one: CreditReview,
    *,
    accepting: AcceptForm | None = None,
    declining: DeclineForm | None = None,
) -> HttpResponse:
    user = cast(User, request.user)
    facts = one.facts
    version = {"version": one.version}
    window = f"customer_id={one.customer_id}&{{}}_from={first_day(one.as_of)}&{{}}_to={one.as_of}"
    context = {
        "review": one,
        "tone": TONES[Proposal(one.kind)],
        "why": why(one),
        "facts": {
            **facts,
            **{
                name: Decimal(facts[name])
                for name in ("net", "need", "wanted", "delivered", "overdue")
            },
        },
        "orders_url": f"{reverse('orders:list')}?{window.format('ordered', 'ordered')}",
        "payments_url": f"{reverse('orders:payments')}?{window.format('paid', 'paid')}",
        "accepting": accepting or AcceptForm(initial={"amount": one.proposed, **version}),
        "declining": declining or DeclineForm(initial=version, prefix="no"),
        "changes": described(AuditEntry.objects.of(one).order_by("-id")[:30]),
        "may_write": may(user, "credit:write"),
    }
    wrong = (accepting and accepting.errors) or (declining and declining.errors)
    return render(request, "orders/review.html", context, status=422 if wrong else 200)


@require_POST
@needs("credit:write")
def accept_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the customer the proposed limit, or another one."""
    one = _one(request, pk)
    form = AcceptForm(request.POST)
    if not form.is_valid():
        return _page(request, one, accepting=form)
    user = cast(User, request.user)
    deed = partial(accept, review=one, by=user, now=timezone.now(), **form.cleaned_data)
    return _told(request, one, deed, _("The credit of %(name)s is set."))


@require_POST
@needs("credit:write")
def decline_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave the credit as it is, for a reason."""
    one = _one(request, pk)
    form = DeclineForm(request.POST, prefix="no")
    if not form.is_valid():
        return _page(request, one, declining=form)
    user = cast(User, request.user)
    deed = partial(decline, review=one, by=user, now=timezone.now(), **form.cleaned_data)
    return _told(request, one, deed, _("The proposal for %(name)s is declined."))


def _told(
    request: HttpRequest, one: CreditReview, deed: Callable[[], object], said: str
) -> HttpResponse:
    try:
        deed()
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        undo = reverse("orders:review-reopen", args=[one.pk])
        messages.success(request, said % {"name": one.customer.name}, extra_tags=undo)
    return redirect("orders:review", pk=one.pk)


@require_POST
@needs("credit:write")
def reopen_one(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision back, the credit with it."""
    one = _one(request, pk)
    try:
        reopen(review=one)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("The proposal is open again."))
    return redirect("orders:review", pk=pk)


# --- several at once


def _picked(request: HttpRequest, given: list[str]) -> list[CreditReview]:
    ids = [int(one) for one in given if one.isascii() and one.isdecimal() and len(one) < 19]
    found = CreditReview.objects.visible_to(cast(User, request.user)).filter(pk__in=ids)
    return list(found.select_related("customer", "decided_by")[: MOST_AT_ONCE + 1])


@require_POST
@needs("credit:write")
def accept_picked(request: HttpRequest) -> HttpResponse:
    """Accept the picked proposals as they stand, at most MOST_AT_ONCE."""
    picked = _picked(request, request.POST.getlist("ids"))
    if not picked:
        messages.info(request, _("Choose proposals first; none was accepted."))
        return redirect("orders:reviews")
    try:
        gone, left = accept_each(picked, by=cast(User, request.user), now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("orders:reviews")
    if gone:
        ids = ",".join(str(one.pk) for one in gone)
        messages.success(
            request,
            ngettext("%(n)d credit is set.", "%(n)d credits are set.", len(gone))
            % {"n": len(gone)},
            extra_tags=f"{reverse('orders:reviews-reopen')}?ids={ids}",
        )
    for one, reason in left:
        messages.warning(request, f"{one.customer.name}: {reason}")
    return redirect("orders:reviews")


@require_POST
@needs("credit:write")
def reopen_picked(request: HttpRequest) -> HttpResponse:
    """Take back what was accepted together."""
    back = 0
    for one in _picked(request, request.GET.get("ids", "").split(",")):
        try:
            reopen(review=one)
            back += 1
        except ValidationError as refused:
            messages.warning(request, f"{one.customer.name}: {' '.join(refused.messages)}")
    messages.success(
        request,
        ngettext("%(n)d proposal is open again.", "%(n)d proposals are open again.", back)
        % {"n": back},
    )
    return redirect("orders:reviews")


@require_POST
@needs("credit:write")
def run(request: HttpRequest) -> HttpResponse:
    """Have the credit of all customers reviewed now; a second press finds the first's run."""
    user = cast(User, request.user)
    job = jobs.request(REVIEW, owner=user, parameters={}, now=timezone.now())
    return redirect("accounts:run", pk=job.pk)
