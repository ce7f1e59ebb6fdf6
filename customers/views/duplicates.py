"""The pages of duplicates: the worklist, the merge of two files, the merges that were made."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import jobs
from accounts.access import may, needs
from accounts.exports import table_view
from accounts.history import Change
from accounts.models import AuditEntry, JobRun, User
from accounts.models.audit import Action
from accounts.views.runs import shown as job_shown
from crm.lib.export import Table
from crm.lib.listing import found_by, list_answer, parameters, quick_filters, shown
from crm.lib.text import Text
from customers import merging, phones, unmerging
from customers.alikes import traits_written, warn
from customers.changes import told
from customers.filters import chips
from customers.forms.merging import MergeForm, OtherFileForm
from customers.jobs import SEARCH
from customers.likeness import Reason
from customers.models import Customer, DuplicatePair, Merge, PairState
from customers.record_filters import MergeFilter, PairFilter

PAGE_SIZE = 50
WORDS: dict[str, Text] = {
    Reason.NAME: gettext_lazy("same name"),
    Reason.SOUND: gettext_lazy("names that sound the same"),
    Reason.TYPO: gettext_lazy("one character differs in the name"),
    Reason.PLACE: gettext_lazy("same place"),
    Reason.PHONE: gettext_lazy("same phone"),
    Reason.ADDRESS: gettext_lazy("same address"),
    Reason.STREET: gettext_lazy("same house number"),
    Reason.TAX_ID: gettext_lazy("same tax number"),
}
TABS: tuple[tuple[Text, dict[str, str]], ...] = (
    (gettext_lazy("To look at"), {}),
    (gettext_lazy("Not the same"), {"state": PairState.DISMISSED.value}),
)


def reasons_in_words(codes: list[str] | tuple[str, ...]) -> list[Text]:
    return [WORDS[code] for code in codes if code in WORDS]


def _pairs(request: HttpRequest) -> PairFilter:
    pairs = DuplicatePair.objects.visible_to(cast(User, request.user))
    return PairFilter(request.GET, queryset=pairs, request=request)


@require_safe
@needs("customers:read")
def list_(request: HttpRequest) -> HttpResponse:
    """Pairs of files that look like one company, both in sight, the surest first."""
    user = cast(User, request.user)
    filters = _pairs(request)
    pairs = found_by(filters).select_related("first__owner", "second__owner", "settled_by")
    context = shown(request, filters, pairs, order=("-score", "-id"), tabs=("state",))
    job = JobRun.objects.filter(kind=SEARCH).order_by("-pk").first()
    context |= {
        "rows": [(pair, reasons_in_words(pair.reasons)) for pair in context["page"].rows],
        "state": filters.data["state"],
        "chips": chips(filters, ("owner", "team", "on_from", "on_to")),
        "tabs": quick_filters(request, parameters(filters), TABS),
        "may_write": may(user, "customers:write"),
        **(job_shown(job) if job else {"job": None}),
    }
    return list_answer(
        request, "customers/duplicates.html", "customers/_duplicates_list.html", context
    )


@require_safe
@needs("customers:read")
@table_view
def export(request: HttpRequest) -> Table:
    """The filtered pairs: both files side by side, and why they look alike."""
    found = found_by(_pairs(request)).order_by("-score", "-id")
    name = _("Possible duplicates %(day)s") % {"day": timezone.localdate().isoformat()}
    fields = (_("Name"), _("Number in the ERP"), _("Owner"), _("Phone"), _("Address"))
    head = [_("Likeness"), _("What speaks for it")]
    head += [_("First file: %(field)s") % {"field": field} for field in fields]
    head += [_("Second file: %(field)s") % {"field": field} for field in fields]
    head += [_("State"), _("Found"), _("Kept apart by"), _("Kept apart")]
    rows = found.select_related("first__owner", "second__owner", "settled_by")
    return Table(name, head, map(_pair_cells, rows.iterator(chunk_size=2000)), counted=found)


def _pair_cells(pair: DuplicatePair) -> tuple[object, ...]:
    return (
        pair.score,
        [str(reason) for reason in reasons_in_words(pair.reasons)],
        *_file_cells(pair.first),
        *_file_cells(pair.second),
        pair.get_state_display(),
        pair.found_at,
        pair.settled_by and pair.settled_by.display_name,
        pair.settled_at,
    )


def _file_cells(file: Customer) -> tuple[object, ...]:
    return (
        file.name,
        file.external_id,
        file.owner and file.owner.display_name,
        phones.display(file.phone),
        file.address,
    )


@require_POST
@needs("customers:write")
def scan(request: HttpRequest) -> HttpResponse:
    """Search the whole database now, in the background."""
    user = cast(User, request.user)
    job = jobs.request(SEARCH, owner=user, parameters={}, now=timezone.now())
    if not job.is_open:
        messages.error(request, jobs.told(job))
    return redirect("customers:duplicates")


@require_POST
@needs("customers:write")
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that two files are not the same company; searches leave them alone from now on."""
    user = cast(User, request.user)
    pair = get_object_or_404(DuplicatePair.objects.visible_to(user), pk=pk)
    pair.dismiss(by=user, now=timezone.now())
    messages.success(
        request,
        _("Kept apart: %(first)s and %(second)s.")
        % {"first": pair.first.name, "second": pair.second.name},
        extra_tags=reverse("customers:duplicate-reopen", args=[pair.pk]),
    )
    return redirect("customers:duplicates")


@require_POST
@needs("customers:write")
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Take “not the same” back."""
    user = cast(User, request.user)
    pair = get_object_or_404(DuplicatePair.objects.visible_to(user), pk=pk)
    pair.reopen()
    messages.success(request, _("The pair is on the list again."))
    return redirect("customers:duplicates")


@require_safe
@needs("customers:write")
def alike(request: HttpRequest) -> HttpResponse:
    """What stands on file already of the customer whose name is being typed."""
    user = cast(User, request.user)
    return render(request, "customers/_alike.html", {"warning": warning_for(request.GET, user)})


def warning_for(data: Any, user: User) -> Any:
    """The warning for the file that `data` (of the form) describes."""
    written = {
        name: str(data.get(name, "")).replace("\x00", "")[:300]
        for name in ("name", "phone", "address", "tax_id")
    }
    division = str(data.get("division", "")).split(" ", 1)[0]
    traits = traits_written(**written, division=division if division.isdecimal() else "")
    found = warn(traits, user)
    rows = [(one.customer, reasons_in_words(one.reasons)) for one in found.alike]
    return {"rows": rows, "hidden": found.hidden} if found else None


# --- merging


@require_http_methods(["GET", "HEAD", "POST"])
@needs("customers:write")
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Let another file go into this one: choose the file, choose the values, confirm, done."""
    user = cast(User, request.user)
    into = get_object_or_404(Customer.objects.visible_to(user), pk=pk)
    other = request.POST.get("with") or request.GET.get("with", "")
    if not other.isdecimal():
        return _choose_other(request, into, user)
    gone_id = int(other[:18])
    try:
        gone, into = merging.pair_in_sight(gone_id, into.pk, user)
    except ValidationError as no:
        messages.error(request, no.messages[0])
        return redirect("customers:merge", pk=into.pk)
    except Http404:
        if merging.merged_into(gone_id, user):
            messages.info(request, _("These files are one already."))
            return redirect("customers:detail", pk=into.pk)
        raise
    form = MergeForm(request.POST or None, into=into, gone=gone, reader=user)
    valid = request.method == "POST" and form.is_valid()
    if valid and "confirmed" in request.POST:
        try:
            done = merging.merge(
                gone_id=gone.pk, into_id=into.pk, by=user, now=timezone.now(), takes=form.takes
            )
        except ValidationError as no:
            form.add_error(None, no.messages)
        else:
            text = _("%(gone)s went into %(name)s. The next tier run counts both as one.")
            messages.success(
                request,
                text % {"gone": done.gone_name, "name": into.name},
                extra_tags=reverse("customers:merge-undo", args=[done.pk]),
            )
            return redirect("customers:detail", pk=into.pk)
    context = {
        "form": form,
        "into": into,
        "gone": gone,
        "choices": form.choices,
        "asked": valid and "confirmed" not in request.POST,
        "pair": DuplicatePair.objects.filter(
            first=min(into.pk, gone.pk), second=max(into.pk, gone.pk), state=PairState.OPEN
        ).first(),
    }
    return render(request, "customers/merge.html", context)


def _choose_other(request: HttpRequest, into: Customer, user: User) -> HttpResponse:
    data = request.GET if "parent" in request.GET else None
    form = OtherFileForm(data, customer=into, reader=user)
    if data is not None and form.is_valid():
        url = reverse("customers:merge", args=[into.pk])
        return redirect(f"{url}?with={form.cleaned_data['parent'].pk}")
    pairs = DuplicatePair.objects.visible_to(user).of(into).filter(state=PairState.OPEN)
    found = [
        (pair.second if pair.first_id == into.pk else pair.first, reasons_in_words(pair.reasons))
        for pair in pairs.select_related("first__owner", "second__owner")[:PAGE_SIZE]
    ]
    return render(
        request, "customers/merge_choose.html", {"form": form, "customer": into, "found": found}
    )


def _merges(request: HttpRequest) -> MergeFilter:
    seen = merging.merges_in_sight(cast(User, request.user))
    return MergeFilter(request.GET, queryset=seen, request=request)


@require_safe
@needs("customers:read")
def merges(request: HttpRequest) -> HttpResponse:
    """The merges whose survivors are in sight, newest first."""
    filters = _merges(request)
    rows = found_by(filters).select_related("survivor", "by", "undone_by")
    context = shown(request, filters, rows, order=("-id",))
    context |= {
        "rows": context["page"].rows,
        "chips": chips(filters, ("state", "owner", "team", "on_from", "on_to")),
    }
    return list_answer(request, "customers/merges.html", "customers/_merges.html", context)


@require_safe
@needs("customers:read")
@table_view
def merges_export(request: HttpRequest) -> Table:
    """The filtered merges; of the files that went only what the list says of them."""
    found = found_by(_merges(request)).order_by("-id")
    name = _("Merges %(day)s") % {"day": timezone.localdate().isoformat()}
    head = [_("Went"), _("into"), _("Number in the ERP"), _("Owner"), pgettext("person", "By")]
    head += [_("When"), _("State"), _("Taken back by"), _("Taken back")]
    rows = found.select_related("survivor__owner", "by", "undone_by").defer(
        "gone", "before", "after", "moved"
    )
    return Table(name, head, map(_merge_cells, rows.iterator(chunk_size=2000)), counted=found)


def _merge_cells(merge: Merge) -> tuple[object, ...]:
    return (
        merge.gone_name,
        merge.survivor.name,
        merge.survivor.external_id,
        merge.survivor.owner and merge.survivor.owner.display_name,
        merge.by and merge.by.display_name,
        merge.at,
        _("taken back") if merge.undone_at else _("merged"),
        merge.undone_by and merge.undone_by.display_name,
        merge.undone_at,
    )


@require_safe
@needs("customers:read")
def merged(request: HttpRequest, pk: int) -> HttpResponse:
    """One merge: what went over, which values changed, and the way back."""
    user = cast(User, request.user)
    found = merging.merges_in_sight(user).select_related("survivor", "by", "undone_by")
    record = get_object_or_404(found, pk=pk)
    context = {
        "merge": record,
        "went_over": merging.went_over(record),
        "changes": _changes(record, user),
        "why_not": unmerging.why_not(record),
        "may_write": may(user, "customers:write"),
    }
    return render(request, "customers/merged.html", context)


def _changes(record: Merge, user: User) -> list[Change]:
    """The survivor's values before and after, in words for `user`."""
    entry = AuditEntry.build(
        model=Customer,
        object_id=record.survivor_id,
        object_name="",
        action=Action.UPDATE,
        before=record.before,
        after=record.after,
    )
    return told([entry], user)[0].changes


@require_POST
@needs("customers:write")
def merge_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a merge back; says what stays because it was changed since."""
    user = cast(User, request.user)
    get_object_or_404(merging.merges_in_sight(user), pk=pk)
    try:
        undone = unmerging.undo(merge_id=pk, by=user, now=timezone.now())
    except ValidationError as no:
        messages.error(request, no.messages[0])
        return redirect("customers:merged", pk=pk)
    messages.success(
        request, _("%(name)s is a file of its own again.") % {"name": undone.customer.name}
    )
    if undone.kept:
        labels = ", ".join(str(label) for label in undone.kept)
        messages.warning(
            request, _("Changed since the merge, and left so: %(fields)s.") % {"fields": labels}
        )
    if not Customer.objects.visible_to(user).filter(pk=undone.customer.pk).exists():
        return redirect("customers:merges")
    return redirect("customers:detail", pk=undone.customer.pk)
