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
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import needs
from accounts.models import User
from crm.lib.keyset import keyset_page
from customers import handing_over
from customers.forms.handover import HandOverForm
from customers.models import HandOver

#: More than these are confirmed once more.
MANY = 50
SHOWN = 20


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
    page = keyset_page(
        HandOver.objects.visible_to(user).select_related("giver", "successor", "by"),
        order=("-id",),
        cursor=request.GET.get("cursor", ""),
        size=SHOWN,
    )
    context = {
        "form": form,
        "previews": previews,
        "total": sum(one.count for one in previews),
        "confirms": sum(one.count for one in previews) > MANY,
        "page": page,
    }
    return render(request, "customers/hand_over.html", context)


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
