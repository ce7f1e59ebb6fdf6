"""Key accounts (P10): proposed, confirmed, withdrawn; and who has most potential (P11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs, require
from accounts.exports import table_view
from accounts.models import User
from crm.lib.export import Table
from crm.lib.keyset import count_up_to, keyset_page
from crm.lib.listing import PAGE_SIZE, Tab, address, found_by, list_answer, parameters, turns
from crm.lib.text import Text
from customers.filters import chips
from customers.models import Customer
from tiers import keyaccounts
from tiers.hand_filters import AssessmentFilter, KeyAccountFilter
from tiers.hand_forms import ReasonForm
from tiers.keyaccounts import still_open
from tiers.models import (
    Assessment,
    KeyAccount,
    KeyCriterion,
    PotentialCriterion,
    TierPolicy,
    TierRun,
)
from tiers.models.assessments import AssessmentQuerySet
from tiers.scores import parts

CHIPS = ("owner", "team", "division", "kind", "abc")
TABS: tuple[tuple[str, Text], ...] = (
    ("proposed", pgettext_lazy("key account", "Proposed")),
    ("confirmed", pgettext_lazy("key account", "Confirmed")),
    ("all", gettext_lazy("All with a score")),
)


def in_sight(user: User) -> AssessmentQuerySet:
    return Assessment.objects.visible_to(user).select_related("customer__owner")


def judging() -> TierPolicy | None:
    """The policy that the scores were worked out by."""
    run = TierRun.objects.decisive().select_related("policy").first()
    return run.policy if run else None


def _filtered(request: HttpRequest, policy: TierPolicy | None) -> KeyAccountFilter:
    found = in_sight(cast(User, request.user))
    key_from = policy.key_from if policy else 101  # above every score
    return KeyAccountFilter(request.GET, queryset=found, request=request, key_from=key_from)


@require_safe
@needs("tiers:read")
def key_accounts(request: HttpRequest) -> HttpResponse:
    """Those proposed, those confirmed, or all with a score; the highest score first."""
    user, policy = cast(User, request.user), judging()
    filters = _filtered(request, policy)
    found, names = found_by(filters), parameters(filters)
    state = request.GET.get("state", "") or "proposed"
    page = keyset_page(
        found, order=("-key_score", "-id"), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    weights = policy.key_weights if policy else {}
    words = open_words([one.customer_id for one in page.rows])
    context = {
        "filters": filters,
        "page": page,
        "rows": [
            (one, parts(one.key_parts, weights, KeyCriterion), words.get(one.customer_id))
            for one in page.rows
        ],
        "count": count_up_to(found),
        "policy": policy,
        "chips": chips(filters, CHIPS),
        "state": state,
        "tabs": [*_tabs(request, names, state), _potential_tab(request, names)],
        "narrowed": any(request.GET.get(name) for name in CHIPS),
        "may_write": may(user, "tiers:write"),
        **turns(request, names, page),
    }
    return list_answer(request, "tiers/key_accounts.html", "tiers/_key_accounts.html", context)


def _tabs(request: HttpRequest, names: set[str], state: str) -> list[Tab]:
    at = reverse("tiers:key-accounts")
    return [
        Tab(label, at + _query(request, names, state=value), value == state)
        for value, label in TABS
    ]


def _potential_tab(request: HttpRequest, names: set[str], *, current: bool = False) -> Tab:
    query = _query(request, names, state="")
    return Tab(_("Potential"), reverse("tiers:potential") + query, current)


def _query(request: HttpRequest, names: set[str], **changes: str) -> str:
    """What narrows the list, kept from tab to tab."""
    _path, mark, query = address(request, names - {"cursor", "sort"}, **changes).partition("?")
    return f"{mark}{query}"


def open_words(customer_ids: list[int]) -> dict[int, KeyAccount]:
    """The managers' words for these customers that stand."""
    found = KeyAccount.objects.open().filter(customer__in=customer_ids).select_related("by")
    return {one.customer_id: one for one in found}


@require_safe
@needs("tiers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered key accounts with all parts of their scores, as an Excel or CSV file."""
    policy = judging()
    found = found_by(_filtered(request, policy))
    found = found.order_by(F("key_score").desc(nulls_last=True), "-id")
    head = [
        *(_("Number in the ERP"), _("Customer"), _("Owner"), _("Tier"), _("Net amount")),
        *(_("Score"), *(str(one.label) for one in KeyCriterion)),
        *(_("Key account"), _("Confirmed by"), _("Reason")),
    ]
    words = {}
    confirmed = KeyAccount.objects.open().filter(customer__assessment__in=found.order_by())
    for one in confirmed.select_related("by"):
        words[one.customer_id] = one

    def rows() -> Iterator[tuple[object, ...]]:
        for row in found.iterator(chunk_size=2000):
            customer, word = row.customer, words.get(row.customer_id)
            owner = customer.owner.display_name if customer.owner else ""
            yield (
                *(customer.external_id, customer.name, owner, customer.abc, customer.net_amount),
                *(row.key_score, *row.key_parts.values()),
                customer.key_account,
                *((word.by.display_name, word.reason) if word else ("", "")),
            )

    name = _("Key accounts %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, rows(), counted=found)


# --- a manager's word


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:read")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a customer as a key account, with the reason."""
    user = cast(User, request.user)
    customer = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    require(user, "tiers:write")
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            word = keyaccounts.confirm(
                customer=customer, reason=form.cleaned_data["reason"], by=user, now=timezone.now()
            )
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            said = _("%(name)s is a key account.") % {"name": customer.name}
            undo = reverse("tiers:key-account-take-back", args=[word.pk])
            messages.success(request, said, extra_tags=undo)
            return _back(request, pk)
    return _form(request, form, customer, None)


def _form(
    request: HttpRequest, form: ReasonForm, customer: Customer, word: KeyAccount | None
) -> HttpResponse:
    policy = judging()
    found = Assessment.objects.filter(customer=customer).first()
    weights = policy.key_weights if policy else {}
    context = {
        "form": form,
        "customer": customer,
        "word": word,
        "assessment": found,
        "parts": parts(found.key_parts, weights, KeyCriterion) if found else [],
        "next": request.POST.get("next", "") or request.GET.get("next", ""),
    }
    status = 422 if form.errors else 200
    return render(request, "tiers/key_account_form.html", context, status=status)


def _word(request: HttpRequest, pk: int) -> KeyAccount:
    """The word with this number in sight, for who may change it."""
    user = cast(User, request.user)
    words = KeyAccount.objects.visible_to(user).select_related("customer", "by")
    word = get_object_or_404(words, pk=pk)
    require(user, "tiers:write")
    return word


@require_http_methods(["GET", "HEAD", "POST"])
@needs("tiers:read")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraw the word for a key account, with the reason."""
    user, word = cast(User, request.user), _word(request, pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        keyaccounts.withdraw(
            word=word, reason=form.cleaned_data["reason"], by=user, now=timezone.now()
        )
        said = _("%(name)s is no key account any more.") % {"name": word.customer.name}
        undo = reverse("tiers:key-account-reinstate", args=[pk])
        messages.success(request, said, extra_tags=undo)
        return _back(request, word.customer_id)
    return _form(request, form, word.customer, word)


@require_POST
@needs("tiers:read")
def reinstate(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that a key account was withdrawn."""
    word = _word(request, pk)
    said = _("%(name)s is a key account.")
    return _undo(request, word, lambda: keyaccounts.reinstate(word=word), said)


@require_POST
@needs("tiers:read")
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back that a customer was confirmed today by the reader."""
    user, word = cast(User, request.user), _word(request, pk)
    said = _("%(name)s is no key account any more.")
    return _undo(
        request,
        word,
        lambda: keyaccounts.take_back(word=word, by=user, now=timezone.now()),
        said,
    )


def _undo(
    request: HttpRequest, word: KeyAccount, act: Callable[[], None], said: str
) -> HttpResponse:
    try:
        act()
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, said % {"name": word.customer.name})
    return _back(request, word.customer_id)


def _back(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The page where it began, else the customer's own."""
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(to if safe else reverse("tiers:of-customer", args=[customer_id]))


# --- potential


def _promising(request: HttpRequest) -> AssessmentFilter:
    found = in_sight(cast(User, request.user)).promising().select_related("customer__profile")
    return AssessmentFilter(request.GET, queryset=found, request=request)


@require_safe
@needs("tiers:read")
def potential(request: HttpRequest) -> HttpResponse:
    """The customers with most potential, and what they buy from others, in money (P11)."""
    policy, filters = judging(), _promising(request)
    found, names = found_by(filters), parameters(filters)
    page = keyset_page(
        found, order=("-potential", "-id"), cursor=request.GET.get("cursor", ""), size=PAGE_SIZE
    )
    weights = policy.potential_weights if policy else {}
    context = {
        "filters": filters,
        "page": page,
        "rows": [
            (one, parts(one.potential_parts, weights, PotentialCriterion), _open(one))
            for one in page.rows
        ],
        "count": count_up_to(found),
        "chips": chips(filters, CHIPS),
        "tabs": [*_tabs(request, names, ""), _potential_tab(request, names, current=True)],
        "narrowed": any(request.GET.get(name) for name in CHIPS),
        **turns(request, names, page),
    }
    return list_answer(request, "tiers/potential.html", "tiers/_potential.html", context)


def _open(row: Assessment) -> Any:
    profile = getattr(row.customer, "profile", None)
    return still_open(profile and profile.yearly_purchase, row.wallet_share)


@require_safe
@needs("tiers:read")
@table_view
def potential_export(request: HttpRequest) -> Table:
    """The filtered customers by potential, as an Excel or CSV file."""
    found = found_by(_promising(request)).order_by("-potential", "-id")
    head = [
        *(_("Number in the ERP"), _("Customer"), _("Owner"), _("Tier"), _("Potential")),
        *(str(one.label) for one in PotentialCriterion),
        *(_("Wallet share"), _("Buys in our category a year"), _("Still open")),
        *(_("Net amount"), _("Last order"), _("Last visit")),
    ]

    def rows() -> Iterator[tuple[object, ...]]:
        for row in found.iterator(chunk_size=2000):
            customer = row.customer
            profile = getattr(customer, "profile", None)
            owner = customer.owner.display_name if customer.owner else ""
            yield (
                *(customer.external_id, customer.name, owner, customer.abc, row.potential),
                *row.potential_parts.values(),
                *(row.wallet_share, profile and profile.yearly_purchase, _open(row)),
                *(customer.net_amount, customer.last_ordered_on, customer.last_visited_on),
            )

    name = _("Potential %(day)s") % {"day": timezone.localdate().isoformat()}
    return Table(name, head, rows(), counted=found)
