"""The pages of dealers' stock: the list, one product at one dealer, and the tab of a file (P24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.formats import local_day
from crm.lib.htmx import page_or_part
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
from customers.views.files import file_frame, opened
from orders.models import AdjustmentCause, Order, StockPosition, StockRules
from orders.position_filters import VIEWS, PositionFilter
from orders.stock import words
from orders.stock.ageing import by_age
from orders.stock.drawing import draw
from orders.stock.gathering import histories
from orders.stock.judging import Judgement, judge
from orders.stock.movements import Interval, Kind

COLUMNS = (
    *("id", "customer_id", "customer__name", "customer__external_id", "customer__owner__name"),
    *("product_id", "product__name", "product__external_id", "product__category"),
    *("product__unit", "counted_at", "quantity", "expected", "is_estimated", "on_the_way"),
    *("per_day", "cover_days", "safety_stock", "reorder_point", "suggestion", "is_slow"),
    *("exchange_by", "oldest_on", "is_impossible", "as_of"),
)
SORTS: dict[str, tuple[str, ...]] = {
    "cover_days": ("cover_days", "id"),
    "-cover_days": ("-cover_days", "-id"),
    "-suggestion": ("-suggestion", "-id"),
    "suggestion": ("suggestion", "id"),
    "exchange_by": ("exchange_by", "id"),
    "-exchange_by": ("-exchange_by", "-id"),
    "counted_at": ("counted_at", "id"),
    "-counted_at": ("-counted_at", "-id"),
    "oldest_on": ("oldest_on", "id"),
    "-oldest_on": ("-oldest_on", "-id"),
}
#: What is most urgent in a view comes first, until the reader asks for another order.
FIRST = {"reorder": "cover_days", "slow": "exchange_by", "old": "oldest_on"}
#: Dealers are visited monthly or so: what was not counted for longer is worth a word.
STALE_DAYS = 45
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("All"), {}),
    *((label, {"view": view}) for view, label in VIEWS.items()),
    (gettext_lazy("Not counted lately"), {"not_counted": str(STALE_DAYS)}),
)
CHIPS = ("category", "division", "owner", "team", "not_counted")
#: On the page of a customer; more are in the list.
MOST_SHOWN = 200
MOST_INTERVALS = 24


def _filtered(
    request: HttpRequest, today: date, given: Mapping[str, Any] | None = None
) -> PositionFilter:
    seen = StockPosition.objects.visible_to(cast(User, request.user))
    data = request.GET if given is None else given
    return PositionFilter(data, queryset=seen, request=request, today=today)


def _sorts(request: HttpRequest) -> dict[str, tuple[str, ...]]:
    first = FIRST.get(request.GET.get("view", ""), "cover_days")
    if request.GET.get("not_counted"):
        first = "counted_at"
    return {first: SORTS[first], **SORTS}


@require_safe
@needs("stock:read")
def list_(request: HttpRequest) -> HttpResponse:
    """What dealers have, how long it lasts and what to order; also answers htmx with the rows."""
    today = timezone.localdate()
    filters = _filtered(request, today)
    names = parameters(filters)
    by_words = bool(request.GET.get("q", "").strip())
    context = list_context(
        request, filters, columns=COLUMNS, sorts=_sorts(request), by_words=by_words
    )
    rules = StockRules.objects.on(today)
    columns = ("cover_days", "-suggestion", "exchange_by", "counted_at", "oldest_on")
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [shown(row, rules, today) for row in context["page"].rows],
        "tiles": _tiles(request, names, rules, today),
        "heads": sort_heads(request, names, context["sort"], columns),
        "tabs": quick_filters(request, names, TABS),
        "view": request.GET.get("view", ""),
        "narrowed": any(request.GET.get(name) for name in filters.filters),
        "today": today,
    }
    return list_answer(request, "orders/stock.html", "orders/_stock.html", context)


def shown(row: dict[str, Any], rules: StockRules, today: date) -> dict[str, Any]:
    """A row with what is said of it: how old, how long it can be exchanged, what to look at."""
    apply_by, oldest = row["exchange_by"], row["oldest_on"]
    return {
        **row,
        "is_old": bool(oldest) and (today - oldest).days > rules.old_days,
        "countdown": words.countdown(apply_by, today) if apply_by else "",
        "tone": words.tone(apply_by, today) if apply_by else "",
        "is_due": bool(row["suggestion"]),
    }


def _tiles(
    request: HttpRequest, names: set[str], rules: StockRules, today: date
) -> list[dict[str, Any]]:
    """How many positions each view has and what they are worth, under the other filters."""
    others = {name: value for name, value in request.GET.items() if name not in _OF_VIEWS}
    found: Any = found_by(_filtered(request, today, others)).order_by()
    old = Q(pk__in=StockPosition.objects.old(rules, today).values("pk"))
    views = {
        "reorder": (Q(suggestion__gt=0), F("suggestion")),
        "slow": (Q(is_slow=True), F("expected")),
        "old": (old, F("expected")),
        "impossible": (Q(is_impossible=True), F("expected")),
    }
    sums = found.aggregate(
        **{f"{view}_n": Count("pk", filter=which) for view, (which, _what) in views.items()},
        **{
            f"{view}_worth": Sum(what * F("product__dealer_price"), filter=which)
            for view, (which, what) in views.items()
        },
    )
    return [
        {
            "label": label,
            "url": address(request, names, view=view, not_counted="", cursor="", sort=""),
            "n": sums[f"{view}_n"],
            "worth": sums[f"{view}_worth"] or Decimal(0),
            "current": request.GET.get("view") == view,
        }
        for view, label in VIEWS.items()
    ]


_OF_VIEWS = {"view", "not_counted", "cursor", "sort"}


@require_safe
@needs("stock:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    today = timezone.localdate()
    head = [
        _("Customer number"), _("Customer"), _("Owner"), _("SKU"), _("Product"), _("Category"),
        _("Unit"), _("Last counted"), _("Last count"), _("Expected now"), _("Estimated"),
        _("On the way"), _("Demand per day"), _("Days of cover"), _("Safety stock"),
        _("Reorder point"), _("Suggested order"), _("Slow-moving"), _("Exchange by"),
        _("Oldest batch produced"), _("Impossible"), _("As of"),
    ]  # fmt: skip
    sorts = _sorts(request)
    found = found_by(_filtered(request, today)).order_by(*sorts[sort_of(request, sorts)])
    name = _("Dealer stock %(day)s") % {"day": today.isoformat()}
    return Table(name, head, exported(found), counted=found)


EXPORTED = (
    *("customer__external_id", "customer__name", "customer__owner__name"),
    *("product__external_id", "product__name", "product__category", "product__unit"),
    *("counted_at", "quantity", "expected", "is_estimated", "on_the_way", "per_day", "cover_days"),
    *("safety_stock", "reorder_point", "suggestion", "is_slow", "exchange_by", "oldest_on"),
    *("is_impossible", "as_of"),
)


def exported(found: QuerySet[StockPosition]) -> Iterator[tuple[object, ...]]:
    yield from found.values_list(*EXPORTED).iterator(chunk_size=2000)


# --- one product at one dealer


@require_safe
@needs("stock:read")
def position(request: HttpRequest, pk: int) -> HttpResponse:
    """How the stock came about: counts and what moved between them, batches, why to order."""
    user, today = cast(User, request.user), timezone.localdate()
    one = get_object_or_404(
        StockPosition.objects.visible_to(user).select_related("customer", "product"), pk=pk
    )
    history = next(iter(histories([one.customer_id], product_id=one.product_id)), None)
    if history is None:  # its last count was taken back a moment ago
        raise Http404
    rules = StockRules.objects.on(today)
    found = judge(history, rules, today=today)
    asked = _asked(request, found)
    latest = found.intervals[-MOST_INTERVALS:]
    rows = [
        {
            "it": interval,
            "impossible": [words.why_impossible(problem) for problem in interval.findings],
            "overtaken": [words.why_overtaken(other) for other in interval.overtaken],
        }
        for interval in reversed(latest)
    ]
    context = {
        "one": one,
        "found": found,
        "rules": rules,
        "why": words.why_order(found, rules, one.product.unit),
        "picture": draw(found, today=today),
        "intervals": rows,
        "noted": [row for row in rows if row["impossible"] or row["overtaken"]],
        "earlier": len(found.intervals) - len(latest),
        "asked": asked,
        "moves": _moves(asked, request.GET.get("kind", "")) if asked else [],
        "kind": request.GET.get("kind", ""),
        "lots": _lots(found, rules, today),
        "ages": [
            (words.AGES[age], quantity)
            for age, quantity in by_age(found.last.opening.lots, today).items()
            if quantity
        ],
        "countdown": words.countdown(found.deadline.apply_by, today) if found.deadline else "",
        "tone": words.tone(found.deadline.apply_by, today) if found.deadline else "",
        "may_orders": may(user, "orders:read"),
        "may_write": may(user, "stock:write"),
        "today": today,
    }
    return page_or_part(request, "orders/position.html", "orders/_position_moves.html", context)


def _asked(request: HttpRequest, found: Judgement) -> Interval | None:
    """The interval whose rows the reader wants to see, named by the count that opens it."""
    asked = request.GET.get("from", "")
    return next((one for one in found.intervals if str(one.opening.pk) == asked), None)


def _moves(interval: Interval, kind: str) -> list[dict[str, Any]]:
    """The rows behind the numbers of an interval, of one kind or all."""
    moves = [move for move in interval.moves if kind not in set(Kind) or move.kind == kind]
    orders = Order.objects.in_bulk([move.pk for move in moves if move.kind == Kind.DELIVERY])
    causes = dict(AdjustmentCause.choices)
    return [
        {
            "it": move,
            "order": orders.get(move.pk) if move.kind == Kind.DELIVERY else None,
            "cause": causes.get(move.cause, ""),
        }
        for move in moves
    ]


def _lots(found: Judgement, rules: StockRules, today: date) -> list[dict[str, Any]]:
    """The batches of the last count, the oldest first, those without a day at the end."""
    deadlines = {one.batch: one for one in found.deadlines}
    lots = sorted(found.last.opening.lots, key=lambda lot: (lot.produced_on or date.max, lot.batch))
    rows = []
    for lot in lots:
        if lot.quantity <= 0:
            continue
        days = (today - lot.produced_on).days if lot.produced_on else None
        apply_by = deadlines[lot.batch].apply_by
        rows.append(
            {
                "it": lot,
                "days": days,
                "is_old": days is not None and days > rules.old_days,
                "deadline": deadlines[lot.batch],
                "countdown": words.countdown(apply_by, today),
                "tone": words.tone(apply_by, today),
            }
        )
    return rows


# --- the file of a customer


@require_safe
@needs("stock:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What a customer has in stock: a page of its file, to htmx the panel in short."""
    user, today = cast(User, request.user), timezone.localdate()
    customer = get_object_or_404(Customer.objects.visible_to(user).select_related("owner"), pk=pk)
    opened(request, customer)
    rules = StockRules.objects.on(today)
    seen = StockPosition.objects.filter(customer=customer)
    rows = [
        shown(row, rules, today)
        for row in seen.order_by("product__name", "pk").values(*COLUMNS)[: MOST_SHOWN + 1]
    ]
    context = {
        **file_frame(customer, user, "stock"),
        "rows": rows[:MOST_SHOWN],
        "more": len(rows) > MOST_SHOWN,
        "due": sum(row["is_due"] for row in rows),
        "slow": sum(row["is_slow"] for row in rows),
        "impossible": sum(row["is_impossible"] for row in rows),
        "counted": max((local_day(row["counted_at"]) for row in rows), default=None),
        "may_count": may(user, "stock:write"),
        "in_file": True,
    }
    return page_or_part(
        request, "orders/stock_of_customer.html", "orders/_stock_of_customer.html", context
    )
