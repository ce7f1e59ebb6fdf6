"""The pages of counts: the list, one count, writing one down, putting it right, taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.export import Table
from crm.lib.formats import local_day
from crm.lib.listing import (
    address,
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
from customers.models import Customer
from customers.views.promise_acts import version_sent
from orders import taking_back
from orders.counting_forms import CountLines, StockReportForm
from orders.models import StockLine, StockReport, StockSource
from orders.stock_filters import StockReportFilter
from orders.stocktaking import (
    counted_in,
    enter_count,
    restore_count,
    take_back_count,
    to_count,
)

COLUMNS = (
    *("id", "external_id", "reported_at", "source", "note", "number"),
    *("customer_id", "customer__name", "customer__owner__name"),
)
SORTS = {"-reported_at": ("-reported_at", "-id"), "reported_at": ("reported_at", "id")}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    *((source.label, {"source": source.value}) for source in StockSource),
)
CHIPS = ("reported_from", "reported_to", "product", "owner", "team")
EXPORTED = (
    *("report__external_id", "report__reported_at", "report__source"),
    *("report__customer__external_id", "report__customer__name", "report__customer__owner__name"),
    *("product__external_id", "product__name", "batch", "produced_on", "quantity"),
    *("product__unit", "report__note"),
)


def _filtered(request: HttpRequest, reports: QuerySet[StockReport]) -> StockReportFilter:
    return StockReportFilter(request.GET, queryset=reports, request=request)


def with_number(reports: QuerySet[StockReport]) -> QuerySet[StockReport]:
    """The counts with how many products each has."""
    products = (
        StockLine.objects.filter(report=OuterRef("pk"))
        .order_by()
        .values("report")
        .values_list(Count("product", distinct=True))
    )
    return reports.annotate(number=Coalesce(Subquery(products), 0))


@require_safe
@needs("stock:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Counts of the customers in sight, newest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = _filtered(request, with_number(StockReport.objects.visible_to(user)))
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    customer_id = filters.form.cleaned_data.get("customer_id") if filters.is_valid() else None
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [
            {**row, "source_label": StockSource(row["source"]).label}
            for row in context["page"].rows
        ],
        "heads": sort_heads(request, names, context["sort"], ("-reported_at",)),
        "tabs": quick_filters(request, names, TABS),
        "customer": customer_id
        and Customer.objects.visible_to(user).filter(pk=customer_id).first(),
        "without_customer": address(request, names - {"customer_id", "cursor"}),
        "may_write": may(user, "stock:write"),
    }
    return list_answer(request, "orders/stock_reports.html", "orders/_stock_reports.html", context)


@require_safe
@needs("stock:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The lines of the filtered counts as an Excel or CSV file."""
    head = [
        _("Report number"), _("Counted"), _("Source"), _("Customer number"), _("Customer"),
        _("Owner"), _("SKU"), _("Product"), _("Batch"), _("Produced"), _("Quantity"), _("Unit"),
        _("Note"),
    ]  # fmt: skip
    reports = StockReport.objects.visible_to(cast(User, request.user))
    found = found_by(_filtered(request, reports))
    back = sort_of(request, SORTS).startswith("-")
    sign = "-" if back else ""
    lines = StockLine.objects.filter(report__in=found.order_by()).order_by(
        f"{sign}report__reported_at", f"{sign}report_id", "product_id", "batch"
    )
    name = _("Stock reports %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(lines), counted=lines)


def _exported(lines: QuerySet[StockLine]) -> Iterator[tuple[object, ...]]:
    """The rows of the export, read from the database as they are written."""
    for number, at, source, *rest in lines.values_list(*EXPORTED).iterator(chunk_size=2000):
        yield (number, at, StockSource(source).label, *rest)


def _in_sight(user: User) -> QuerySet[StockReport]:
    return StockReport.objects.visible_to(user).select_related("customer__owner")


@require_safe
@needs("stock:read")
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One count with its lines and its changes."""
    user = cast(User, request.user)
    report = get_object_or_404(_in_sight(user), pk=pk)
    may_write = may(user, "stock:write") and report.by_hand
    context = {
        "report": report,
        "lines": report.lines.select_related("product").order_by(
            "product__name", "product_id", "batch"
        ),
        "changes": described(AuditEntry.objects.of(report).order_by("-id")[:30]),
        "may_write": may_write,
        "may_take_back": may_write
        and taking_back.may_take_back(report, by=user, today=timezone.localdate()),
        "may_products": may(user, "products:read"),
    }
    return render(request, "orders/stock_report.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock:read")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what a dealer has."""
    user, now = cast(User, request.user), timezone.now()
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "stock:write")
    report = StockReport(customer=customer, source=StockSource.DEALER)
    initial = {"reported_at": timezone.localtime(now).replace(second=0, microsecond=0)}
    form = StockReportForm(request.POST or None, instance=report, initial=initial)
    return _counting(request, report, form, now)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("stock:read")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a count right that people keep, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    found = StockReport.objects.visible_to(user).select_related("customer")
    if request.method == "POST":
        found = found.select_for_update(of=("self",))
    report = get_object_or_404(found, pk=pk)
    require(user, "stock:write")
    if not report.by_hand:
        messages.error(request, _("This count is not changed by hand."))
        return redirect("orders:stock-report", pk=pk)
    form = StockReportForm(request.POST or None, instance=report)
    return _counting(request, report, form, timezone.now())


def _counting(
    request: HttpRequest, report: StockReport, form: StockReportForm, now: datetime
) -> HttpResponse:
    """The form with its lines: more lines, or what was counted is stored."""
    user = cast(User, request.user)
    lines = CountLines(
        user=user,
        stored=counted_in(report) if report.pk else (),
        offered=to_count(
            customer_id=report.customer_id,
            at=now if report.pk is None else report.reported_at,
            besides=report.pk,
        ),
        data=request.POST if request.method == "POST" else None,
        more="more" in request.POST,
    )
    context: dict[str, Any] = {"form": form, "lines": lines, "report": report}
    context["customer"] = report.customer
    if request.method == "POST" and "more" not in request.POST:
        stored = _stored(form, lines, now)
        if stored is not None:
            messages.success(request, _("The count is stored."))
            return redirect("orders:stock-report", pk=stored.pk)
    wrong = request.method == "POST" and "more" not in request.POST
    return render(request, "orders/stock_report_form.html", context, status=422 if wrong else 200)


def _stored(form: StockReportForm, lines: CountLines, now: datetime) -> StockReport | None:
    """The count as it was written; None where something is wrong, which the forms say."""
    right = lines.is_valid()
    if not form.is_valid():
        return None
    counted_on = local_day(form.cleaned_data["reported_at"])
    if not right or lines.refuse_days_after(counted_on):
        form.add_error(None, _("Some lines need a look; nothing was saved yet."))
        return None
    try:
        return enter_count(
            report=form.save(commit=False),
            lines=lines.counted() or [],
            client_id=form.cleaned_data.get("client_id"),
            now=now,
        )
    except ValidationError as refused:
        named = getattr(refused, "error_dict", {})
        known = set(named) <= set(form.fields)
        form.add_error(None, refused if named and known else " ".join(refused.messages))
        return None


@require_POST
@needs("stock:write")
@transaction.atomic
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take out a count that one entered today by mistake."""
    user = cast(User, request.user)
    report = get_object_or_404(_in_sight(user).select_for_update(of=("self",)), pk=pk)
    if version_sent(request) != report.version:
        messages.error(request, _("It was changed meanwhile. Look at it again."))
        return redirect("orders:stock-report", pk=pk)
    try:
        take_back_count(report=report, by=user, today=timezone.localdate())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("orders:stock-report", pk=pk)
    undo = reverse("orders:stock-report-restore", args=[pk])
    messages.success(request, _("The count was taken back."), extra_tags=undo)
    return redirect(f"{reverse('orders:stock-reports')}?customer_id={report.customer_id}")


@require_POST
@needs("stock:write")
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring back a count that one took back today."""
    report = restore_count(pk=pk, by=cast(User, request.user), today=timezone.localdate())
    if report is None:
        raise Http404
    messages.success(request, _("The count is there again."))
    return redirect("orders:stock-report", pk=pk)
