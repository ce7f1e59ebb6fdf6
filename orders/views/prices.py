"""The pages of the uniform prices (P35.2, P39)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.formats import day as in_words
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
from orders import prices
from orders.choosing import suggested
from orders.filters import PriceFilter
from orders.forms import PriceForm
from orders.models import Price, Product
from orders.prices import ONE_DAY, record_price

SORTS = {"-valid_from": ("-valid_from", "-id"), "valid_from": ("valid_from", "id")}
COLUMNS = (
    *("id", "product_id", "product__name", "product__external_id", "product__category"),
    *("dealer_price", "retail_price", "valid_from", "valid_to"),
)
EXPORTED = (
    *("product__external_id", "product__name", "product__category", "external_id"),
    *("dealer_price", "retail_price", "valid_from", "valid_to"),
)
CHIPS = ("category", "on", "begins_after", "ended_before")


def state(first: date, last: date | None, today: date) -> dict[str, Any]:
    """How a period stands to `today`, in words and as the tone of its dot."""
    if first > today:
        return {"label": _("to come"), "tone": "warn"}
    if last is not None and last < today:
        return {"label": _("past"), "tone": "off"}
    return {"label": _("in force"), "tone": "good"}


@require_safe
@needs("prices:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Every price by its first day, newest first; also answers htmx with the rows."""
    user = cast(User, request.user)
    today = timezone.localdate()
    filters = PriceFilter(request.GET, queryset=Price.objects.visible_to(user), request=request)
    names = parameters(filters)
    context = list_context(request, filters, columns=COLUMNS, sorts=SORTS)
    on = today.isoformat()
    offered: tuple[tuple[Text, dict[str, str]], ...] = (
        (gettext_lazy("All"), {}),
        (gettext_lazy("In force today"), {"on": on}),
        (gettext_lazy("To come"), {"begins_after": on}),
        (gettext_lazy("Past"), {"ended_before": on}),
    )
    context |= {
        "chips": chips(filters, CHIPS),
        "rows": [
            {**row, **state(row["valid_from"], row["valid_to"], today)}
            for row in context["page"].rows
        ],
        "heads": sort_heads(request, names, context["sort"], ("-valid_from",)),
        "tabs": quick_filters(request, names, offered),
        "may_write": may(user, "prices:write"),
        "may_products": may(user, "products:read"),
    }
    return list_answer(request, "orders/prices.html", "orders/_prices.html", context)


@require_safe
@needs("prices:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered list as an Excel or CSV file."""
    user = cast(User, request.user)
    filters = PriceFilter(request.GET, queryset=Price.objects.visible_to(user), request=request)
    found = found_by(filters).order_by(*SORTS[sort_of(request, SORTS)])
    head = [
        _("SKU"), _("Product"), _("Category"), _("Number in the ERP"), _("Dealer price"),
        _("Retail price"), _("Valid from"), _("Valid to"),
    ]  # fmt: skip
    name = _("Prices %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, _exported(found), counted=found)


def _exported(found: QuerySet[Price]) -> Iterator[tuple[object, ...]]:
    yield from found.values_list(*EXPORTED).iterator(chunk_size=2000)


@require_safe
@needs("products:read")
def product_options(request: HttpRequest) -> HttpResponse:
    """Products for the words typed into a field, whichever name the field has."""
    user = cast(User, request.user)
    words = next(iter(request.GET.values()), "")[:200]
    found = suggested(Product.objects.visible_to(user), str(words))
    return render(request, "orders/_product_options.html", {"products": found})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("prices:write")
def new(request: HttpRequest) -> HttpResponse:
    """Give a product a price from a day on; an open-ended one before it ends the day before."""
    user = cast(User, request.user)
    wanted = request.GET.get("product", "")
    product = None
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        product = Product.objects.visible_to(user).filter(pk=wanted).first()
    initial = {"product": product, "valid_from": timezone.localdate() + ONE_DAY}
    form = PriceForm(request.POST or None, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        price = form.save(commit=False)
        price.product = form.cleaned_data["product"]
        try:
            ended = record_price(price=price, follow=True)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _told(price, ended))
            return redirect("orders:product", pk=price.product_id)
    context = {"form": form, "back": _back(product)}
    return render(request, "orders/price_form.html", context)


def _told(price: Price, ended: Price | None) -> str:
    name = price.product.name
    if ended is None or ended.valid_to is None:
        return _("The price of %(name)s is on the list.") % {"name": name}
    return _("The price of %(name)s is on the list; the one before ends on %(day)s.") % {
        "name": name,
        "day": in_words(ended.valid_to),
    }


def _back(product: Product | None) -> str:
    return reverse("orders:product", args=[product.pk]) if product else reverse("orders:prices")


@require_http_methods(["GET", "HEAD", "POST"])
@needs("prices:write")
@transaction.atomic
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a price, unless somebody else did since the form was opened."""
    price = _one(request, pk)
    name = str(price)
    form = PriceForm(request.POST or None, instance=price, user=cast(User, request.user))
    if request.method == "POST" and form.is_valid():
        try:
            record_price(price=form.save(commit=False))
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, _("Saved."))
            return redirect("orders:product", pk=price.product_id)
    context = {"form": form, "price": price, "name": name, "back": _back(price.product)}
    return render(request, "orders/price_form.html", context)


def _one(request: HttpRequest, pk: int) -> Price:
    """A price in sight; locked, where it is about to be changed."""
    found = Price.objects.visible_to(cast(User, request.user)).select_related("product")
    if request.method == "POST":
        prices.lock()  # before the row, as the bulk sync does
        found = found.select_for_update(of=("self",))
    return get_object_or_404(found, pk=pk)


@require_POST
@needs("prices:write")
@transaction.atomic
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Let today be the last day of a price, at one press; it can be taken back."""
    price = _one(request, pk)
    before = price.valid_to
    today = timezone.localdate()
    try:
        if before != today:  # otherwise it is the second press of the button
            price.end(last_day=today)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        to = before.isoformat() if before else ""
        undo = f"{reverse('orders:price-reopen', args=[pk])}?to={to}&version={price.version}"
        said = _("Today is the last day of this price.")
        messages.success(request, said, extra_tags="" if before == today else undo)
    return redirect("orders:product", pk=price.product_id)


@require_POST
@needs("prices:write")
@transaction.atomic
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the end back, unless the price was changed or its days were given away since."""
    price = _one(request, pk)
    try:
        if request.GET.get("version") != str(price.version):
            raise ValidationError(_("The price was changed meanwhile. It is shown as it is now."))
        to = request.GET.get("to", "")
        price.valid_to = date.fromisoformat(to) if to else None
        price.clean_fields()
        record_price(price=price)
    except ValueError:
        messages.error(request, _("This is not a day."))
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("The price holds as before."))
    return redirect("orders:product", pk=price.product_id)
