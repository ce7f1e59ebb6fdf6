"""What is done with many customers of the list at once: a new owner, a tag, an export, undo."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs, require
from accounts.models import User
from crm.lib.export import stream_table
from crm.lib.keyset import count_up_to
from crm.lib.listing import found_by
from customers import tagging
from customers.assigning import assign, pass_on
from customers.filters import CustomerFilter
from customers.forms.bulk import AssignForm, TagForm
from customers.models import Customer, CustomerQuerySet
from customers.views.lists import export_table
from customers.views.saved import forget_counts

#: Above this many the number is shown once more before anything changes.
ASK_ABOVE = 50
MOST = 10_000
UNDO_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Deed:
    """Something to do with the chosen customers: who may, and what is asked before."""

    permission: str
    form: Callable[..., forms.Form] | None = None
    title: Callable[[int], str] = lambda n: ""


def _assigning(n: int) -> str:
    return ngettext(
        "Change the owner of %(n)s customer", "Change the owner of %(n)s customers", n
    ) % {"n": f"{n:,}"}


def _tagging(n: int) -> str:
    return ngettext("Tag %(n)s customer", "Tag %(n)s customers", n) % {"n": f"{n:,}"}


def _untagging(n: int) -> str:
    return ngettext("Take a tag off %(n)s customer", "Take a tag off %(n)s customers", n) % {
        "n": f"{n:,}"
    }


DEEDS = {
    "assign": Deed("customers:assign", AssignForm, _assigning),
    "tag": Deed("customers:write", TagForm, _tagging),
    "untag": Deed("customers:write", TagForm, _untagging),
    "export": Deed("customers:read"),
}


@dataclass(slots=True)
class Chosen:
    """The customers that were picked, or all that fit the filter, in the reader's sight."""

    customers: CustomerQuerySet
    ids: list[int]
    everything: bool
    query: QueryDict
    n: int = 0
    too_many: bool = False

    @property
    def out_of_sight(self) -> int:
        return 0 if self.everything else len(self.ids) - self.n

    @property
    def back(self) -> str:
        url = reverse("customers:list")
        return f"{url}?{self.query.urlencode()}" if self.query else url


def _chosen(request: HttpRequest, user: User) -> Chosen:
    query = QueryDict(request.POST.get("query", "")[:2000], mutable=True)
    for name in list(query):
        if name not in {*CustomerFilter.base_filters, "sort"} or not query[name]:
            del query[name]
    everything = bool(request.POST.get("all"))
    numbers = [one for one in request.POST.getlist("ids") if one.isascii() and one.isdecimal()]
    ids = sorted({int(one) for one in numbers[:MOST] if len(one) < 19})
    visible = Customer.objects.visible_to(user)
    if everything:
        found: Any = found_by(CustomerFilter(query, queryset=visible, request=request))
    else:
        found = visible.filter(pk__in=ids)
    chosen = Chosen(found, ids, everything, query)
    count = count_up_to(found, MOST)
    chosen.n, chosen.too_many = count.n, count.more
    return chosen


@require_POST
@needs("customers:read")
def bulk(request: HttpRequest) -> HttpResponse:
    """Do something with the chosen customers; asks for what is missing, and above 50 once more."""
    user = cast(User, request.user)
    name = request.POST.get("do", "")
    deed = DEEDS.get(name)
    if deed is None:
        raise Http404
    require(user, deed.permission)
    chosen = _chosen(request, user)
    if not chosen.n:
        messages.info(request, _("Choose customers first; none was changed."))
        return redirect(chosen.back)
    if deed.form is None:
        return _export(request, chosen)
    if chosen.too_many:
        messages.warning(
            request,
            _("At most %(limit)s customers at once: narrow the filter.") % {"limit": f"{MOST:,}"},
        )
        return redirect(chosen.back)
    given = request.POST if {"to", "tag"} & set(request.POST) else None
    form = deed.form(given, user=user)
    sure = chosen.n <= ASK_ABOVE or request.POST.get("sure") == str(chosen.n)
    if not (sure and form.is_valid()):
        context = {"form": form, "chosen": chosen, "do": name, "deed": deed.title(chosen.n)}
        return render(request, "customers/bulk.html", context)
    return _do(request, user, name, form, chosen)


def _export(request: HttpRequest, chosen: Chosen) -> HttpResponse:
    if chosen.everything:
        chosen.query["format"] = "xlsx"
        return redirect(f"{reverse('customers:export')}?{chosen.query.urlencode()}")
    head, rows = export_table(chosen.customers.order_by("-net_amount", "-id"))
    name = _("Customers %(day)s") % {"day": timezone.localdate().isoformat()}
    return stream_table(name, head, rows, "xlsx")


def _do(
    request: HttpRequest, user: User, name: str, form: forms.Form, chosen: Chosen
) -> HttpResponse:
    now = timezone.now()
    undo: dict[str, Any] = {"user": user.pk, "do": name}
    if name == "assign":
        to = form.cleaned_data["to"]
        try:
            before = pass_on(chosen.customers, to=to, by=user, now=now)
        except ValidationError as refused:
            messages.error(request, " ".join(refused.messages))
            return redirect(chosen.back)
        changed = len(before)
        undo |= {"before": before, "to": to.pk}
        said = ngettext(
            "%(name)s has %(n)s customer more.", "%(name)s has %(n)s customers more.", changed
        ) % {"name": to.display_name, "n": f"{changed:,}"}
    else:
        tag = form.cleaned_data["tag"]
        act = tagging.add_tag if name == "tag" else tagging.remove_tag
        ids = act(chosen.customers, tag, by=user, now=now)
        changed = len(ids)
        undo |= {"ids": ids, "tag": tag}
        if name == "tag":
            said = ngettext(
                "%(n)s customer tagged “%(tag)s”.", "%(n)s customers tagged “%(tag)s”.", changed
            ) % {"n": f"{changed:,}", "tag": tag}
        else:
            said = ngettext(
                "“%(tag)s” taken off %(n)s customer.",
                "“%(tag)s” taken off %(n)s customers.",
                changed,
            ) % {"n": f"{changed:,}", "tag": tag}
    forget_counts(user)
    messages.success(request, said, extra_tags=_undo_address(undo) if changed else "")
    _say_the_rest(request, chosen, changed)
    return redirect(chosen.back)


def _say_the_rest(request: HttpRequest, chosen: Chosen, changed: int) -> None:
    """What did not change, and why."""
    if same := chosen.n - changed:
        messages.info(
            request,
            ngettext("%(n)s customer stays as it was.", "%(n)s customers stay as they were.", same)
            % {"n": f"{same:,}"},
        )
    if hidden := chosen.out_of_sight:
        messages.info(
            request,
            ngettext(
                "%(n)s customer is not in your sight any more and was left alone.",
                "%(n)s customers are not in your sight any more and were left alone.",
                hidden,
            )
            % {"n": f"{hidden:,}"},
        )


def _undo_address(undo: dict[str, Any]) -> str:
    """Where the change can be taken back for a while; what it was is kept on the server."""
    token = secrets.token_urlsafe(16)
    cache.set(f"bulk-undo:{token}", undo, UNDO_SECONDS)
    return f"{reverse('customers:bulk-undo')}?of={token}"


@require_POST
@needs("customers:read")
def undo(request: HttpRequest) -> HttpResponse:
    """Take a change of many back, where nobody has changed the same since."""
    user = cast(User, request.user)
    key = f"bulk-undo:{request.GET.get('of', '')[:40]}"
    kept = cache.get(key) if key.isascii() and key.isprintable() and " " not in key else None
    if not kept or kept["user"] != user.pk:
        messages.info(request, _("This can no longer be taken back."))
        return redirect("customers:list")
    cache.delete(key)
    if kept["do"] == "assign":
        asked, restored = len(kept["before"]), _give_back(kept, user)
    else:
        act = tagging.remove_tag if kept["do"] == "tag" else tagging.add_tag
        customers = Customer.objects.visible_to(user).filter(pk__in=kept["ids"])
        asked = len(kept["ids"])
        restored = len(act(customers, kept["tag"], by=user, now=timezone.now()))
    forget_counts(user)
    messages.success(
        request,
        ngettext("%(n)s customer is as before.", "%(n)s customers are as before.", restored)
        % {"n": f"{restored:,}"},
    )
    if left := asked - restored:
        messages.info(
            request,
            ngettext(
                "%(n)s customer was changed meanwhile and stays so.",
                "%(n)s customers were changed meanwhile and stay so.",
                left,
            )
            % {"n": f"{left:,}"},
        )
    return redirect("customers:list")


def _give_back(kept: dict[str, Any], user: User) -> int:
    """Return files that still have the new owner to their former ones; how many."""
    former: dict[int | None, list[int]] = {}
    for pk, owner in kept["before"].items():
        former.setdefault(owner, []).append(pk)
    people = {
        person.pk: person for person in User.objects.filter(pk__in=[pk for pk in former if pk])
    }
    restored = 0
    for owner, ids in former.items():
        files = Customer.objects.filter(pk__in=ids, owner=kept["to"])
        try:
            restored += assign(
                files, to=people.get(owner) if owner else None, by=user, now=timezone.now()
            )
        except ValidationError:
            continue  # the former owner has left, or is out of sight: said as not restored
    return restored


@require_safe
@needs("customers:read")
def tags(request: HttpRequest) -> HttpResponse:
    """The tags in use among the customers in sight, as choices of a text field."""
    user = cast(User, request.user)
    options = tagging.in_use(Customer.objects.visible_to(user))[:50]
    return render(request, "customers/_options.html", {"options": options})
