"""The pages of hand-overs: one person's customers go to others, and come back (P6, P15)."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.listing import found_by, list_answer, shown
from customers import handing_over
from customers.filters import chips
from customers.forms.handover import HandOverForm
from customers.models import HandOver
from customers.record_filters import HandOverFilter

#: More than these are confirmed once more.
MANY = 50
#: Hand-overs of the past below the form; the list of all has its own page.
SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:assign")
def hand_over(request: HttpRequest) -> HttpResponse:
    """Choose who gives to whom, see what would pass, do it; below, what passed before."""
    user = cast(User, request.user)
    asked = request.POST if request.method == "POST" else request.GET
    bound = asked if "successor" in asked else None
    form = HandOverForm(bound, user=user, initial={"giver": request.GET.get("giver")})
    previews: list[handing_over.Preview] = []
    if form.is_bound and form.is_valid():
        previews = handing_over.preview(form.shares(), giver=form.cleaned_data["giver"])
        total = sum(one.count for one in previews)
        if request.method == "POST" and request.POST.get("count") == str(total):
            try:
                return _done(request, form)
            except ValidationError as refused:
                form.add_error(None, refused)
                previews = []
        elif request.method == "POST":
            messages.warning(request, _("The customers have changed meanwhile. Look once more."))
    past = HandOver.objects.visible_to(user).select_related("giver", "successor", "by")
    context = {
        "form": form,
        "previews": previews,
        "total": sum(one.count for one in previews),
        "confirms": sum(one.count for one in previews) > MANY,
        "past": list(past.defer("customer_ids", "beside").order_by("-id")[:SHOWN]),
    }
    return render(request, "customers/hand_over.html", context)


def _past(request: HttpRequest) -> HandOverFilter:
    seen = HandOver.objects.visible_to(cast(User, request.user))
    return HandOverFilter(request.GET, queryset=seen, request=request)


@require_safe
@needs("customers:assign")
def past(request: HttpRequest) -> HttpResponse:
    """What was handed over before, newest first."""
    filters = _past(request)
    found = found_by(filters).select_related("giver", "successor", "by")
    context = shown(request, filters, found.defer("customer_ids", "beside"), order=("-id",))
    context["chips"] = chips(filters, ("state", "person", "team", "on_from", "on_to"))
    return list_answer(request, "customers/hand_overs.html", "customers/_hand_overs.html", context)


@require_safe
@needs("customers:assign")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered hand-overs."""
    found = found_by(_past(request)).order_by("-id")
    name = _("Hand-overs %(day)s") % {"day": timezone.localdate().isoformat()}
    head = [_("Time"), pgettext("hand-over", "From"), pgettext("hand-over", "To"), _("Customers")]
    head += [pgettext("person", "By"), _("Reason")]
    head += [_("Taken back"), _("Taken back by"), _("Went back")]
    rows = found.select_related("giver", "successor", "by", "undone_by").defer(
        "customer_ids", "beside"
    )
    return Table(name, head, map(_cells, rows.iterator(chunk_size=2000)), counted=found)


def _cells(one: HandOver) -> tuple[object, ...]:
    return (
        one.at,
        one.giver.display_name,
        one.successor.display_name,
        one.count,
        one.by.display_name,
        one.reason,
        one.undone_at,
        one.undone_by and one.undone_by.display_name,
        one.undone_count if one.undone_at else None,
    )


def _done(request: HttpRequest, form: HandOverForm) -> HttpResponse:
    made = handing_over.hand_over(
        form.shares(),
        giver=form.cleaned_data["giver"],
        by=cast(User, request.user),
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
    )
    count = sum(one.count for one in made)
    said = ngettext(
        "%(n)d customer of %(name)s handed over.", "%(n)d customers of %(name)s handed over.", count
    ) % {"n": count, "name": form.cleaned_data["giver"].display_name}
    undo = reverse("customers:hand-back", args=[made[0].pk]) if len(made) == 1 else ""
    messages.success(request, said, extra_tags=undo)
    return redirect("customers:hand-over")


@require_POST
@needs("customers:assign")
def hand_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a hand-over back: what the successor still has goes back to the giver."""
    user = cast(User, request.user)
    handed = get_object_or_404(HandOver.objects.visible_to(user), pk=pk)
    try:
        count = handing_over.hand_back(handed, by=user, now=timezone.now())
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        said = ngettext(
            "%(n)d customer went back to %(name)s.", "%(n)d customers went back to %(name)s.", count
        )
        messages.success(request, said % {"n": count, "name": handed.giver.display_name})
    return redirect("customers:hand-over")
