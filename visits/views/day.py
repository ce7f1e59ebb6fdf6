"""The day in the field: today's route, who is overdue, and planning a visit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url

from accounts.access import needs
from accounts.models import User
from accounts.roles import Role
from crm.lib.calendar import Occasion, occasions
from crm.lib.htmx import page_or_part, wants_part
from crm.lib.keyset import count_up_to
from crm.lib.listing import address
from customers.filters import people_in_sight, teams_in_sight
from customers.models import Assignment, Customer, CustomerQuerySet
from customers.views.assignments import with_progress
from visits.actions import plan_visit
from visits.cadence import overdue as overdue_of
from visits.cadence import page_after, with_next_visit
from visits.filters import OverdueFilter
from visits.forms import PlanForm
from visits.models import Cadence, OccasionCode, Reminder, ReminderQuerySet, Visit, VisitQuerySet
from visits.route import next_slot, route_of
from visits.suggestions import of_day, reason_for

SHOWN = 5
PAGE_SIZE = 50
LOOK_AHEAD = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose day it is: one person's, or (`person` None) that of everybody in sight."""

    user: User
    person: User | None

    def visits(self) -> VisitQuerySet:
        visits = Visit.objects.visible_to(self.user).select_related("customer", "rep")
        return visits if self.person is None else visits.filter(rep=self.person)

    def customers(self) -> CustomerQuerySet:
        customers = Customer.objects.visible_to(self.user)
        return customers if self.person is None else customers.filter(owner=self.person)

    def reminders(self) -> ReminderQuerySet:
        reminders = Reminder.objects.visible_to(self.user).select_related("customer__owner")
        return reminders if self.person is None else reminders.of(self.person)


def _scope(request: HttpRequest, username: str) -> Scope:
    """A manager looks at the teams, or at one person in them; everybody else at themselves."""
    user = cast(User, request.user)
    if user.role != Role.MANAGER:
        return Scope(user, user)
    if not username:
        return Scope(user, None)
    return Scope(user, get_object_or_404(people_in_sight(request), username=username))


def next_occasion(today: date) -> Occasion | None:
    return next(iter(occasions(today, today + LOOK_AHEAD)), None)


def day_context(request: HttpRequest, username: str, now: datetime) -> dict[str, Any]:
    """Everything the page of the day shows."""
    today = timezone.localdate(now)
    scope = _scope(request, username)
    route = route_of(scope.visits().of_days(today, today))
    cadences = list(Cadence.objects.all())
    late = overdue_of(scope.customers(), cadences, today)
    unplanned: Any = with_next_visit(late, today)
    reminders = scope.reminders().current(today)
    left_open = scope.visits().left_open(today)
    late_rows = page_after(unplanned.filter(next_visit_id=None), "", SHOWN, today).rows
    gaps = Assignment.objects.visible_to(scope.user).open().select_related("owner")
    if scope.person is not None:
        gaps = gaps.of(scope.person)
    following = route.next
    return {
        "today": today,
        "scope": scope,
        "username": username,
        "people": people_in_sight(request) if scope.user.role == Role.MANAGER else (),
        "route": route,
        "cadence_of": {cadence.abc: cadence.every_days for cadence in cadences},
        "next_reminders": (
            list(Reminder.objects.current(today).filter(customer=following.customer))
            if following and scope.person
            else []
        ),
        "late": late_rows,
        "leaving": of_day(scope.customers(), due=late_rows, today=today, limit=SHOWN),
        "late_count": count_up_to(late),
        "reminders": list(reminders.order_by("on", "customer__abc", "pk")[:SHOWN]),
        "reminder_count": count_up_to(reminders),
        "left_open": list(left_open.order_by("-scheduled_for", "-pk")[:SHOWN]),
        "left_open_count": count_up_to(left_open),
        "gaps": [
            row for row in with_progress(list(gaps.order_by("due_on", "pk")[:SHOWN])) if row["left"]
        ],
        "occasion": next_occasion(today),
        "occasion_names": dict(OccasionCode.choices),
    }


@require_safe
@needs("visits:write")
def today(request: HttpRequest) -> HttpResponse:
    """What a rep does today; for a manager, what her people do."""
    context = day_context(request, request.GET.get("rep", ""), timezone.now())
    response = render(request, "visits/today.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def late_customers(request: HttpRequest, today: date) -> CustomerQuerySet:
    """The customers in sight that fit the filters and whose cadence has run out."""
    found = _overdue_filter(request)
    customers = found.qs if found.is_valid() else Customer.objects.none()
    return overdue_of(customers, Cadence.objects.all(), today).select_related("owner__team")


def _overdue_filter(request: HttpRequest) -> OverdueFilter:
    customers = Customer.objects.visible_to(cast(User, request.user))
    return OverdueFilter(request.GET, queryset=customers, request=request)


@require_safe
@needs("visits:read")
def overdue(request: HttpRequest) -> HttpResponse:
    """Customers whose cadence has run out, the most urgent first."""
    user = cast(User, request.user)
    today = timezone.localdate()
    found = _overdue_filter(request)
    late = late_customers(request, today)
    page = page_after(with_next_visit(late, today), request.GET.get("after", ""), PAGE_SIZE, today)
    context = {
        "filter": found,
        "filter_fields": filter_fields(request, "abc", "owner", "team"),
        "page": page,
        "count": count_up_to(late),
        "may_plan": user.may("visits:write"),
    }
    return list_or_part(request, "overdue", context, {*found.filters, "after"})


@require_http_methods(["GET", "HEAD", "POST"])
@needs("visits:write")
def plan(request: HttpRequest) -> HttpResponse:
    """Plan a visit: at a time of one's choice, or with one press for today."""
    user = cast(User, request.user)
    now = timezone.now()
    values = request.POST if request.method == "POST" else request.GET
    customer = get_object_or_404(
        Customer.objects.visible_to(user).select_related("owner"),
        pk=number_in(values.get("customer", "")),
    )
    if request.method == "POST" and "today" in request.POST:
        visit = plan_visit(
            customer=customer,
            rep=planned_rep(user, customer),
            scheduled_for=next_slot(timezone.localtime(now)),
            purpose="",
        )
        return plan_answer(request, customer, visit, now)
    initial = {"scheduled_for": next_slot(timezone.localtime(now) + timedelta(days=1))}
    form = PlanForm(request.POST or None, initial=initial, user=user, customer=customer)
    if form.is_valid():
        try:
            visit = plan_visit(
                customer=customer,
                rep=form.who_goes(),
                scheduled_for=form.cleaned_data["scheduled_for"],
                purpose=form.cleaned_data["purpose"],
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("visits:detail", pk=visit.pk)
    leaving = reason_for(customer, timezone.localdate(now))
    context = {"form": form, "customer": customer, "leaving": leaving}
    return render(request, "visits/plan.html", context)


def planned_rep(user: User, customer: Customer) -> User:
    """Who goes when nobody says: a manager plans for the owner, others for themselves."""
    if user.role == Role.MANAGER and customer.owner is not None and customer.owner.is_active:
        return customer.owner
    return user


def plan_answer(
    request: HttpRequest, customer: Customer, visit: Visit | None, now: datetime
) -> HttpResponse:
    """The button's place after planning (or calling off) for today, and what else it changes."""
    username = request.POST.get("rep", "")
    if not is_partial(request):
        suffix = f"?rep={username}" if username else ""
        if request.POST.get("from") == "overdue":
            return redirect("visits:overdue")
        return redirect_to_today(suffix)
    context: dict[str, Any] = {
        "customer": customer,
        "visit": visit,
        "from": request.POST.get("from", ""),
        "username": username,
    }
    if context["from"] == "today":
        context |= day_context(request, username, now) | {"out_of_band": True}
    return render(request, "visits/_planned.html", context)


def redirect_to_today(suffix: str) -> HttpResponse:
    response = redirect("visits:today")
    response["Location"] += suffix
    return response


def filter_fields(request: HttpRequest, *names: str) -> list[str]:
    """Those of the filters that give this reader a choice."""
    people = len(people_in_sight(request)[:2]) > 1
    teams = teams_in_sight(request).exists()
    pointless = {*(() if people else ("owner", "rep")), *(() if teams else ("team",))}
    return [name for name in names if name not in pointless]


def list_or_part(
    request: HttpRequest, name: str, context: Mapping[str, Any], parameters: Collection[str]
) -> HttpResponse:
    """The list `name` as a page, or as its part; then the address holds the filled parameters."""
    response = page_or_part(request, f"visits/{name}.html", f"visits/_{name}.html", context)
    if wants_part(request):
        push_url(response, address(request, parameters))
    return response


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page."""
    return bool(cast(Any, request).htmx)


def number_in(text: str) -> int:
    """A record's number as it came in an address; 0, which nobody has, where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
