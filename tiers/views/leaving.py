"""The worklist of customers that leave silently, by what is at risk, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import jobs
from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import JobRun, User
from accounts.views.runs import shown as job_shown
from crm.lib.export import Table
from crm.lib.formats import local_day
from crm.lib.htmx import page_or_part
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import PAGE_SIZE, found_by, list_answer, quick_filters, turns
from crm.lib.text import Text
from customers import divisions
from customers.filters import chips
from customers.models import Channel, Customer, Interaction
from tiers.churn import trend, words
from tiers.churn.filters import OutlookFilter
from tiers.churn.forms import StayingForm
from tiers.churn.staying import say_staying, take_back
from tiers.jobs import CHURN, request_forecast
from tiers.models import ChurnRun, Outlook, OutlookQuerySet, Staying
from tiers.reasons import per_cent

LEAVING, STAYING, GONE = "", "staying", "gone"
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (pgettext_lazy("customers", "Leaving"), {}),
    (gettext_lazy("Not leaving, we say"), {"state": STAYING}),
    (pgettext_lazy("customers", "Gone"), {"state": GONE}),
)
CHIPS = ("team", "owner", "abc", "division")


def last_run() -> ChurnRun | None:
    return ChurnRun.objects.first()


def _filters(request: HttpRequest, run: ChurnRun | None, today: date) -> OutlookFilter:
    """The customers in sight that the asked list is made of, before it is narrowed."""
    outlooks = Outlook.objects.visible_to(cast(User, request.user))
    state = request.GET.get("state", "")
    if run is None:
        outlooks = outlooks.none()
    elif state == STAYING:
        outlooks = outlooks.said_to_stay(today)
    elif state == GONE:
        outlooks = outlooks.gone(run, today).unexplained(today)
    else:
        outlooks = outlooks.leaving(run, today).unexplained(today)
    return OutlookFilter(request.GET, queryset=outlooks, request=request)


def with_last_contact(outlooks: OutlookQuerySet) -> OutlookQuerySet:
    """Adds `spoke_at` and `spoke_by`: the last contact other than a visit, if there was one."""
    newest = Interaction.objects.filter(customer=OuterRef("customer")).order_by("-at", "-id")
    return outlooks.annotate(
        spoke_at=Subquery(newest.values("at")[:1]), spoke_by=Subquery(newest.values("channel")[:1])
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """The last time we had to do with a customer: how, and on which day."""

    how: Text
    on: date


def last_contact(outlook: Any) -> Contact | None:
    """The later of the last visit and the last call, message or letter."""
    visited: date | None = outlook.customer.last_visited_on
    spoke_at: datetime | None = outlook.spoke_at
    spoke = local_day(spoke_at) if spoke_at else None
    if spoke is not None and (visited is None or spoke > visited):
        return Contact(Channel(outlook.spoke_by).label, spoke)
    return Contact(_("Visit"), visited) if visited else None


@dataclass(frozen=True, slots=True)
class Row:
    outlook: Outlook
    reason: str
    contact: Contact | None


def rows_of(outlooks: list[Outlook], as_of: date) -> list[Row]:
    return [Row(one, words.reason(one, as_of), last_contact(one)) for one in outlooks]


@require_safe
@needs("tiers:read")
def leaving(request: HttpRequest) -> HttpResponse:
    """Customers in sight that are likely to have left, most value at risk first."""
    user = cast(User, request.user)
    today = timezone.localdate()
    run = last_run()
    filters = _filters(request, run, today)
    found = cast(OutlookQuerySet, found_by(filters))
    page = keyset_page(
        with_last_contact(found).select_related("customer__owner", "customer__staying__by"),
        order=("-value_at_risk", "-id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    names = {*filters.filters, "state", "cursor"}
    state = request.GET.get("state", "")
    state = state if state in (STAYING, GONE) else LEAVING
    runs = ChurnRun.objects.visible_to(user) if user.sees_all and state == LEAVING else None
    context = {
        "filters": filters,
        "chips": chips(filters, CHIPS),
        "page": page,
        "rows": rows_of(page.rows, run.as_of) if run else [],
        "count": count_up_to(found),
        "at_risk": _sum(found),
        "state": state,
        "trend": trend.of_company(runs, today=today) if runs is not None else None,
        "tabs": quick_filters(request, names, TABS),
        "narrowed": any(request.GET.get(name) for name in filters.filters),
        **turns(request, names, page),
        **_of_run(run),
        "may_run": may(user, "tiers:write"),
        "may_write": may(user, "customers:write"),
        "may_visit": may(user, "visits:write"),
        **_job(),
    }
    return list_answer(request, "tiers/leaving.html", "tiers/_leaving.html", context)


def _sum(outlooks: OutlookQuerySet) -> Decimal:
    total = outlooks.order_by().aggregate(sum=Sum("value_at_risk"))["sum"]
    return Decimal(total or 0).quantize(Decimal("0.01"))


def _of_run(run: ChurnRun | None) -> dict[str, Any]:
    return {"run": run, "why_not": words.WHY_NOT.get(run.outcome, "") if run else ""}


def _job() -> dict[str, Any]:
    job = JobRun.objects.filter(kind=CHURN).order_by("-pk").first()
    return job_shown(job) if job else {"job": None}


@require_POST
@needs("tiers:write")
def estimate(request: HttpRequest) -> HttpResponse:
    """Estimate all customers now, as of today, in the background."""
    now = timezone.now()
    job = request_forecast(as_of=timezone.localdate(now), user=cast(User, request.user), now=now)
    if not job.is_open and jobs.told(job):
        messages.error(request, jobs.told(job))
    return redirect("tiers:leaving")


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list, with every figure that the reason is made of."""
    today = timezone.localdate()
    run = last_run()
    found = cast(OutlookQuerySet, found_by(_filters(request, run, today)))
    head = [
        _("Customer"),
        _("Number in the ERP"),
        _("Tier"),
        _("Owner"),
        _("Team"),
        _("Area"),
        words.value_at_risk(run),
        _("Likely to have left, %"),
        _("Found by"),
        _("Purchases expected"),
        _("Purchases if it is alive"),
        words.per_purchase(run),
        _("Last purchase"),
        _("Days silent"),
        _("Days between purchases"),
        _("Intervals"),
        _("Shorter than the silence"),
        _("Why"),
        _("Last contact"),
        _("Way of contact"),
        _("Not leaving until"),
        _("Why it is not leaving"),
        _("Said by"),
    ]
    rows = (
        with_last_contact(found)
        .select_related("customer__owner__team", "customer__staying__by")
        .order_by("-value_at_risk", "-id")
        .iterator(chunk_size=1000)
    )
    name = _("Leaving silently %(day)s") % {"day": today}
    return Table(name, head, _cells(rows, run.as_of if run else today, today), counted=found)


@require_safe
@needs("tiers:read")
@table_view
def trend_export(request: HttpRequest) -> Table:
    """What every run found, with the line that it drew, newest first.

    The figures are those of all customers, and only for readers who see them all.
    """
    user = cast(User, request.user)
    if not user.sees_all:
        raise PermissionDenied
    runs = ChurnRun.objects.visible_to(user).order_by("-id")
    head = [
        _("As of"),
        _("Customers"),
        _("Leaving silently"),
        _("Value at risk"),
        _("Counted by"),
        _("Leaving below a chance of, %"),
        _("Gone after days"),
        _("Finished"),
    ]
    rows = (
        (
            run.as_of,
            run.customers,
            run.leaving,
            run.value_at_risk,
            run.get_measure_display(),
            per_cent(run.leaving_below),
            run.gone_after_days,
            run.finished_at,
        )
        for run in runs.iterator(chunk_size=1000)
    )
    name = _("Leaving silently, run by run %(day)s") % {"day": timezone.localdate()}
    return Table(name, head, rows, counted=runs)


def _cells(outlooks: Iterator[Outlook], as_of: date, today: date) -> Iterator[tuple[object, ...]]:
    for one in outlooks:
        customer, contact = one.customer, last_contact(one)
        owner = customer.owner
        word = word_of(customer, today)
        yield (
            customer.name,
            customer.external_id,
            customer.abc,
            owner and owner.display_name,
            owner and owner.team and owner.team.name,
            "".join(divisions.path(customer.division)) if customer.division else "",
            one.value_at_risk,
            per_cent(one.left),
            words.method(one),
            one.expected,
            one.pace,
            one.per_purchase,
            one.last_on,
            words.silent_days(one, as_of),
            one.usual_days,
            one.intervals,
            one.shorter,
            words.reason(one, as_of),
            contact and contact.on,
            contact and str(contact.how),
            word and word.until,
            word and word.reason,
            word and word.by.display_name,
        )


def word_of(customer: Customer, today: date) -> Staying | None:
    """What was said of the customer, as long as it holds."""
    word: Staying | None = getattr(customer, "staying", None)
    return word if word is not None and word.until >= today else None


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def staying(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a customer is not leaving: why, and until when."""
    user = cast(User, request.user)
    now = timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    form = StayingForm(request.POST or None, today=timezone.localdate(now))
    if form.is_valid():
        try:
            word = say_staying(customer=customer, by=user, now=now, **form.cleaned_data)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(
                request,
                _("%(name)s is off the list until %(day)s.")
                % {"name": customer.name, "day": word.until.isoformat()},
                extra_tags=reverse("tiers:staying-undo", args=[customer.pk]),
            )
            return redirect("tiers:leaving")
    run, outlook = last_run(), Outlook.objects.filter(customer=customer).first()
    context = {
        "form": form,
        "customer": customer,
        "outlook": outlook,
        "reason": words.reason(outlook, run.as_of) if run and outlook else "",
    }
    return render(request, "tiers/leaving_staying.html", context)


@require_POST
@needs("customers:write")
def staying_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take “not leaving” back."""
    customer = get_object_or_404(Customer.objects.visible_to(cast(User, request.user)), pk=pk)
    take_back(customer=customer)
    messages.success(request, _("%(name)s is judged by its purchases again.") % {"name": customer})
    return redirect("tiers:leaving")


@require_safe
@needs("tiers:read")
def outlook(request: HttpRequest, pk: int) -> HttpResponse:
    """How likely a customer is to have left, and why: a line on its file, and a page."""
    user = cast(User, request.user)
    today = timezone.localdate()
    customer = get_object_or_404(
        Customer.objects.visible_to(user).select_related("outlook", "staying__by"), pk=pk
    )
    run = last_run()
    one: Outlook | None = getattr(customer, "outlook", None) if run else None
    context = {
        "customer": customer,
        "outlook": one,
        "word": word_of(customer, today),
        "is_leaving": run is not None and one is not None and run.says_leaving(one),
        "gone": run is not None and one is not None and run.says_gone(one, today),
        "reason": words.reason(one, run.as_of) if run and one else "",
        "risk": words.risk(one, run.period_days) if run and one else "",
        "method": words.method(one) if one else "",
        "may_write": may(user, "customers:write"),
        "may_visit": may(user, "visits:write"),
        **_of_run(run),
    }
    return page_or_part(request, "tiers/leaving_outlook.html", "tiers/_leaving_line.html", context)
