"""Reminders, and the rules behind them: cadences and occasions."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.models import User
from accounts.roles import Role
from crm.lib.calendar import occasions_of
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import quick_filters
from crm.lib.text import Text
from visits.filters import ReminderFilter
from visits.forms import CadenceFormSet, OccasionRuleFormSet
from visits.models import (
    Cadence,
    OccasionCode,
    OccasionRule,
    Reminder,
    ReminderQuerySet,
)
from visits.views.day import (
    day_context,
    filter_fields,
    is_partial,
    list_or_part,
    next_occasion,
)

PAGE_SIZE = 50
#: The lists of reminders: what is to come, whatever nobody has done, and the past greetings.
TABS: list[tuple[Text, dict[str, str]]] = [
    (pgettext_lazy("reminders", "To do"), {}),
    (pgettext_lazy("reminders", "Not greeted"), {"state": "open"}),
    (pgettext_lazy("reminders", "Greeted"), {"state": "done"}),
]


def with_last_greeting(reminders: ReminderQuerySet) -> ReminderQuerySet:
    """Adds `greeted_at` and `greeted_on_occasion`: the last greeting before this reminder."""
    past = (
        Reminder.objects.filter(customer=OuterRef("customer"), on__lt=OuterRef("on"))
        .exclude(done_at=None)
        .order_by("-on", "-pk")
    )
    return reminders.annotate(
        greeted_at=Subquery(past.values("done_at")[:1]),
        greeted_for=Subquery(past.values("occasion")[:1]),
    )


@require_safe
@needs("reminders:read")
def reminders(request: HttpRequest) -> HttpResponse:
    """Whom to greet on which day; one's own, and for a manager those of the teams."""
    user = cast(User, request.user)
    today = timezone.localdate()
    mine = Reminder.objects.visible_to(user).select_related("customer__owner")
    found = ReminderFilter(request.GET, queryset=mine, request=request)
    rows = found.qs if found.is_valid() else Reminder.objects.none()
    state = request.GET.get("state", "")
    if not state and not request.GET.get("on_from"):
        rows = rows.current(today)
    parameters = {*found.filters, "cursor"}
    page = keyset_page(
        with_last_greeting(rows),
        order=("-on", "-id") if state == "done" else ("on", "id"),
        cursor=request.GET.get("cursor", ""),
        size=PAGE_SIZE,
    )
    context = {
        "filter": found,
        "filter_fields": filter_fields(request, "occasion", "on_from", "on_to", "owner"),
        "state": state,
        "narrowed": any(request.GET.get(name) for name in found.filters if name != "state"),
        "tabs": quick_filters(request, parameters, TABS),
        "page": page,
        "count": count_up_to(rows),
        "today": today,
        "occasion": next_occasion(today),
        "occasion_names": dict(OccasionCode.choices),
        "may_write": user.may("reminders:write"),
        "shows_owner": user.role == Role.MANAGER or user.sees_all,
    }
    return list_or_part(request, "reminders", context, parameters)


@require_POST
@needs("reminders:write")
def reminder_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Greeted; with `undo`, not greeted after all."""
    user = cast(User, request.user)
    now = timezone.now()
    reminder = get_object_or_404(
        with_last_greeting(Reminder.objects.visible_to(user)).select_related("customer__owner"),
        pk=pk,
    )
    if "undo" in request.POST:
        reminder.reopen()
    else:
        reminder.done(now)
    origin = request.POST.get("from", "")
    username = request.POST.get("rep", "")
    if not is_partial(request):
        return redirect("visits:today" if origin == "today" else "visits:reminders")
    context: dict[str, Any] = {
        "reminder": reminder,
        "from": origin,
        "username": username,
        "today": timezone.localdate(now),
        "may_write": True,
    }
    if origin == "today":
        context |= day_context(request, username, now) | {"out_of_band": True}
    return render(request, "visits/_reminder_done.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("cadences:write")
def cadences(request: HttpRequest) -> HttpResponse:
    """How often each tier is visited, and how long before an occasion people are reminded."""
    user = cast(User, request.user)
    today = timezone.localdate()
    data = request.POST or None
    cadence_forms = CadenceFormSet(
        data, queryset=Cadence.objects.visible_to(user), prefix="cadence"
    )
    rule_forms = OccasionRuleFormSet(
        data, queryset=OccasionRule.objects.visible_to(user), prefix="rule"
    )
    if data is not None and cadence_forms.is_valid() and rule_forms.is_valid():
        cadence_forms.save()
        rule_forms.save()
        messages.success(request, _("Saved."))
        return redirect("visits:cadences")
    days = {
        year: {occasion.code: occasion.on for occasion in occasions_of(year)}
        for year in (today.year, today.year + 1)
    }
    context = {
        "cadences": cadence_forms,
        "rules": [(form, [days[year][form.instance.code] for year in days]) for form in rule_forms],
        "rule_management": rule_forms.management_form,
        "years": list(days),
        "invalid": data is not None,
        "today": today,
    }
    return render(request, "visits/cadences.html", context)
