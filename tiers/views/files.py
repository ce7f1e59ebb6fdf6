"""What the file of a customer shows of its tier: why, its lines, classes, scores and history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import may, needs
from accounts.models import User
from crm.lib.fields import check_day
from crm.lib.formats import DASH, local_day
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import Page, keyset_page
from crm.lib.listing import address, turns
from crm.lib.text import Text, field_label
from customers.models import Customer, Loyalty, Profile
from tiers import classes, history, keyaccounts, loyal, reasons
from tiers.hand_forms import RatingForm
from tiers.keyaccounts import still_open
from tiers.lines import distances
from tiers.models import (
    Assessment,
    Cause,
    ClassChange,
    KeyAccount,
    KeyCriterion,
    PotentialCriterion,
    Rating,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)
from tiers.scores import Part, parts

#: Changes of tier on a page of the history; in the popover of the file.
PAGE_SIZE, IN_SHORT = 20, 10
#: What the address of the page carries.
TURNED = ("cursor", "classes", "on")


@dataclass(frozen=True, slots=True)
class Line:
    """A change of tier as the history tells it; `on` is the day it counts from."""

    change: TierChange
    title: str
    reason: str
    on: date


@require_safe
@needs("tiers:read")
def of_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Why a customer has its tier: its numbers, the lines, and the tiers it had."""
    user, today = cast(User, request.user), timezone.localdate()
    customers = Customer.objects.visible_to(user).select_related("owner")
    customer = get_object_or_404(customers, pk=pk)
    context = why(customer, today)
    if not wants_part(request):
        context |= whole(request, customer, context)
    else:
        context["history"] = [told(one) for one in changes_of(customer).moves()[:IN_SHORT]]
    return page_or_part(request, "tiers/of_customer.html", "tiers/_of_customer.html", context)


def changes_of(customer: Customer) -> Any:
    changes = TierChange.objects.decisive().filter(customer=customer)
    return changes.with_words().order_by("-pk")


def told(change: TierChange) -> Line:
    """A change in words: what a run found, or what a person said."""
    if change.run is not None:
        return Line(change, reasons.title(change), reasons.explain(change), change.run.as_of)
    said = {
        Cause.OVERRIDE: _("Set by hand: %(from)s to %(to)s"),
        Cause.OVERRIDE_CHANGED: _("Still set by hand: %(to)s"),
        Cause.OVERRIDE_ENDED: _("No longer set by hand: %(from)s to %(to)s"),
        Cause.OVERRIDE_EXPIRED: _("Its time by hand is over: %(from)s to %(to)s"),
    }[Cause(change.cause)]
    tiers = {"from": change.from_tier or DASH, "to": change.to_tier or DASH}
    return Line(change, said % tiers, reasons.explain(change), local_day(change.changed_at))


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A change of loyalty class or key-account score as the history tells it."""

    change: ClassChange
    title: str
    reason: str


def classes_of(customer: Customer, cursor: str) -> tuple[Page[ClassChange], list[ClassLine]]:
    """A page of the loyalty classes so far, and of the score over and under the line."""
    found = ClassChange.objects.filter(customer=customer).select_related("run__policy")
    page = keyset_page(found, order=("-id",), cursor=cursor, size=PAGE_SIZE)
    lines = [ClassLine(one, classes.title(one), classes.explain(one)) for one in page.rows]
    return page, lines


def why(customer: Customer, today: date) -> dict[str, Any]:
    """The numbers behind the tier, and the override that decides instead of them."""
    last = TierRun.objects.decisive().select_related("policy").first()
    standing = None
    if last and customer.net_amount is not None:
        standing = reasons.standings([customer.pk], last.policy).get(customer.pk)
    lines = reasons.Lines.of(last.policy) if last else None
    return {
        "customer": customer,
        "today": today,
        "run": last if customer.net_amount is not None else None,
        "standing": standing,
        "place": reasons.place(standing or reasons.unranked(customer), lines) if lines else "",
        "share": reasons.cut(standing.share, lines) if standing and lines else "",
        "override": TierOverride.objects.open()
        .filter(customer=customer)
        .select_related("by")
        .first(),
    }


def whole(request: HttpRequest, customer: Customer, known: dict[str, Any]) -> dict[str, Any]:
    """What only the page shows: distances, loyalty, scores, ratings, and all of the history.

    `known` is what `why` has found.
    """
    user, run = cast(User, request.user), cast("TierRun | None", known["run"])
    found = Assessment.objects.filter(customer=customer).select_related("override__by")
    assessment = found.first()
    rating = Rating.objects.filter(customer=customer).select_related("by").first()
    purchase = Profile.objects.filter(customer=customer).values_list("yearly_purchase", flat=True)
    page = keyset_page(
        changes_of(customer),
        order=("-id",),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    policy = run.policy if run else None
    asked = asked_day(request)
    past: Any = None
    if asked:
        then = history.tier_on(asked, Customer.objects.filter(pk=customer.pk))
        past = history.class_on(asked, then).first()
    older, class_history = classes_of(customer, request.GET.get("classes", ""))
    return {
        "sentence": reasons.explain_one(customer, assessment, known["standing"], run),
        "distances": distances(customer, policy) if policy else [],
        "assessment": assessment,
        "policy": policy,
        **judged(assessment, policy, next(iter(purchase), None)),
        "key_account": KeyAccount.objects.open()
        .filter(customer=customer)
        .select_related("by")
        .first(),
        "rating": rating,
        "rated": rated(rating),
        "page": page,
        "history": [told(one) for one in page.rows],
        "asked": asked,
        "past": past,
        "may_write": may(user, "tiers:write"),
        "may_rate": may(user, "customers:write"),
        **turns(request, TURNED, page),
        "class_history": class_history,
        "classes_previous": older.previous and address(request, TURNED, classes=older.previous),
        "classes_next": older.next and address(request, TURNED, classes=older.next),
        "past_class": past and dict(Loyalty.choices).get(past.loyalty_then, ""),
    }


def asked_day(request: HttpRequest) -> date | None:
    """The day that the reader wants to know the tier of; None for none and for nonsense."""
    try:
        asked = parse_date(request.GET.get("on", ""))
        return check_day(asked) if asked else None
    except ValueError:
        return None


def judged(
    assessment: Assessment | None, policy: TierPolicy | None, yearly_purchase: Any
) -> dict[str, Any]:
    """The facts of the loyalty class and the parts of both scores, beside what the policy asks."""
    if assessment is None or policy is None:
        return {"facts": [], "key_parts": [], "potential_parts": [], "open": None}
    keys: list[Part] = parts(assessment.key_parts, policy.key_weights, KeyCriterion)
    potential = parts(assessment.potential_parts, policy.potential_weights, PotentialCriterion)
    return {
        "facts": loyal.facts(assessment, policy),
        "key_parts": keys,
        "potential_parts": potential,
        "open": still_open(yearly_purchase, assessment.wallet_share),
    }


def rated(rating: Rating | None) -> list[tuple[Text, int | None]]:
    """What people judge of the customer, by the name of the question."""
    return [(field_label(Rating, name), getattr(rating, name, None)) for name in keyaccounts.RATED]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def rating(request: HttpRequest, pk: int) -> HttpResponse:
    """What people know of the customer that no order tells, from 0 to 10 or unknown (P10, P11)."""
    if request.method == "POST":
        return _rated(request, pk)
    customer = get_object_or_404(Customer.objects.visible_to(cast(User, request.user)), pk=pk)
    known = Rating.objects.filter(customer=customer).first()
    form = RatingForm(instance=known or Rating(customer=customer))
    return render(request, "tiers/rating.html", {"form": form, "customer": customer})


@transaction.atomic
def _rated(request: HttpRequest, pk: int) -> HttpResponse:
    user = cast(User, request.user)
    seen = Customer.objects.visible_to(user).select_for_update(of=("self",))
    customer = get_object_or_404(seen, pk=pk)
    known = Rating.objects.filter(customer=customer).first()
    form = RatingForm(request.POST, instance=known or Rating(customer=customer))
    if form.is_valid():
        keyaccounts.rate(rating=form.save(commit=False), by=user, now=timezone.now())
        messages.success(request, _("Saved. The next run scores by it."))
        return redirect("tiers:of-customer", pk=pk)
    return render(request, "tiers/rating.html", {"form": form, "customer": customer}, status=422)
