"""The pages of products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.history import described
from accounts.models import AuditEntry, User
from crm.lib.listing import list_answer, list_context
from orders import channel
from orders.filters import ProductFilter
from orders.forms import ProductForm
from orders.models import Product, TradeTerms
from orders.prices import with_uniform
from orders.views.prices import state as price_state

#: So many periods of a product are on its page; the list has them all.
PRICES_SHOWN = 20
SORTS = {"name": ("name", "id")}
COLUMNS = (
    *("id", "external_id", "name", "category", "unit", "dealer_price", "retail_price", "active"),
)


@require_safe
@needs("products:read")
def products(request: HttpRequest) -> HttpResponse:
    """Everything we sell, by name; also answers htmx with the rows."""
    user = cast(User, request.user)
    filters = ProductFilter(request.GET, queryset=Product.objects.visible_to(user), request=request)
    context = {
        **list_context(request, filters, columns=COLUMNS, sorts=SORTS),
        "chips": [filters.form[name] for name in ("category", "active")],
        "may_write": may(user, "products:write"),
    }
    return list_answer(request, "orders/products.html", "orders/_products.html", context)


@require_safe
@needs("products:read")
def product(request: HttpRequest, pk: int) -> HttpResponse:
    """One product with its prices and its changes; what it costs us not for everybody."""
    user = cast(User, request.user)
    found = with_uniform(Product.objects.visible_to(user), day=timezone.localdate())
    thing = get_object_or_404(found, pk=pk)
    sees_costs = may(user, "costs:read")
    entries = AuditEntry.objects.of(thing).order_by("-id")[:30]
    terms = TradeTerms.objects.on(timezone.localdate())
    today = timezone.localdate()
    context = {
        "product": thing,
        "prices": [
            (price, price_state(price.valid_from, price.valid_to, today))
            for price in thing.prices.order_by("-valid_from")[:PRICES_SHOWN]
        ],
        "told": channel.of_product(thing, terms=terms, costs=sees_costs),
        "may_prices": may(user, "prices:read"),
        "may_price": may(user, "prices:write"),
        "today": today,
        "changes": described(entries if sees_costs else without_costs(entries)),
        "may_write": may(user, "products:write"),
        "sees_costs": sees_costs,
    }
    return render(request, "orders/product.html", context)


def without_costs(entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
    """The changes of a product for who may not know what it costs us."""
    for entry in entries:
        costs = [side.pop("unit_cost", None) for side in (entry.before, entry.after)]
        if entry.before or entry.after or costs == [None, None]:
            yield entry


@require_http_methods(["GET", "HEAD", "POST"])
@needs("products:write")
def product_new(request: HttpRequest) -> HttpResponse:
    """Add a product."""
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        thing = form.save()
        messages.success(request, _("%(name)s is on the list.") % {"name": thing.name})
        return redirect("orders:product", pk=thing.pk)
    return render(request, "orders/product_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("products:write")
@transaction.atomic
def product_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a product, unless somebody else did since the form was opened."""
    user = cast(User, request.user)
    things = Product.objects.visible_to(user)
    if request.method == "POST":
        things = things.select_for_update()
    thing = get_object_or_404(things, pk=pk)
    name = thing.name
    form = ProductForm(request.POST or None, instance=thing)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("orders:product", pk=thing.pk)
    context = {"form": form, "product": thing, "name": name}
    return render(request, "orders/product_form.html", context)
