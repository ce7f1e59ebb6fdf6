"""The steps of an import: upload, check, write, take back; each long one as a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from accounts import audit, jobs
from accounts.access import may
from accounts.jobs import JobFailed, JobKind, Step
from accounts.models import JobRun, JobState, User
from crm.lib import bulk
from customers.importing import fields
from customers.importing.applying import apply_chunk, counts_of
from customers.importing.checking import check, survey
from customers.importing.reasons import Refused
from customers.importing.undoing import undo_chunk
from customers.models import (
    ColumnMapping,
    Import,
    ImportRow,
    ImportState,
    Outcome,
    RowState,
)

JOB = "import"
#: An uploaded file is deleted after this long; an import that was never written goes with it.
FILE_KEPT = timedelta(days=30)
#: After this long the rows go as well, and with them the way back.
ROWS_KEPT = timedelta(days=180)
#: What is done in the state that an import has while a worker is at it, and where it falls back
#: to when that fails.
STEPS: Mapping[str, tuple[str, str]] = {
    "check": (ImportState.CHECKING, ImportState.UPLOADED),
    "apply": (ImportState.APPLYING, ImportState.CHECKED),
    "undo": (ImportState.UNDOING, ImportState.DONE),
}
Clock = Callable[[], datetime]


# --- a person or the command asks


@transaction.atomic
def upload(
    *, file: BinaryIO, name: str, by: User, now: datetime, like: Import | None = None
) -> Import:
    """Keep an uploaded file and find its table; columns are mapped as far as their heads tell.

    `like` is an import whose rejected rows were mended: its choices count, and other heads are
    refused. Raises ValidationError for a file that cannot be read.
    """
    try:
        table, columns = survey(file)
        heads = [str(column["head"]) for column in columns]
        known = None if like is None else [str(column["head"]) for column in like.columns]
        if known is not None and fields.fingerprint(heads) != fields.fingerprint(known):
            raise Refused("file_heads")
    except Refused as no:
        raise ValidationError(str(no), code=no.code) from no
    run = Import(by=by, name=name[-200:], table=table, columns=columns, created_at=now)
    if like is not None and known is not None:
        kept = {fields.plain(known[int(at)]): field for at, field in like.mapping.items()}
        run.mapping = _kept(fields.remembered(heads, kept), heads)
        run.key, run.mode, run.clears, run.alike = like.key, like.mode, like.clears, like.alike
    else:
        propose(run)
    ending = "xlsx" if table["sheets"] else "csv"
    file.seek(0)
    run.file.save(f"{get_random_string(24)}.{ending}", File(file), save=False)
    run.save()
    return run


def propose(run: Import) -> None:
    """Map the columns as they were mapped last time, or else as their heads tell."""
    heads = [str(column["head"]) for column in run.columns]
    before = ColumnMapping.objects.filter(heads=fields.fingerprint(heads)).first()
    mapping = fields.remembered(heads, before.mapping) if before else fields.guess(heads)
    run.mapping = _kept(mapping, heads)
    run.key = before.key if before else ""
    if run.key not in run.mapping.values():
        run.key = fields.likely_key(run.mapping.values())


def _kept(mapping: Mapping[int, str], heads: list[str]) -> dict[str, str]:
    return {str(at): name for at, name in sorted(mapping.items()) if not fields.is_ours(heads[at])}


def choose_sheet(run: Import, sheet: str) -> None:
    """Look at another sheet of the uploaded workbook. Raises ValidationError."""
    try:
        with run.file.open("rb") as file:
            run.table, run.columns = survey(file.file, sheet=sheet)
    except FileNotFoundError as gone:
        raise ValidationError(str(Refused("gone")), code="gone") from gone
    except Refused as no:
        raise ValidationError(str(no), code=no.code) from no
    propose(run)
    run.save(update_fields=["table", "columns", "mapping", "key"])


@transaction.atomic
def remember(run: Import, *, now: datetime) -> None:
    """Keep the mapping for the next file of these heads."""
    heads = [str(column["head"]) for column in run.columns]
    ColumnMapping.objects.update_or_create(
        heads=fields.fingerprint(heads),
        defaults={
            "mapping": {fields.plain(heads[int(at)]): name for at, name in run.mapping.items()},
            "key": run.key,
            "used_at": now,
        },
    )


def start(run: Import, step: str, *, by: User, now: datetime) -> bool:
    """Have a worker do a step of the import; False where it is not its turn.

    Pressed twice, it is done once: whoever comes second finds the state moved on.
    """
    at_work, _back = STEPS[step]
    ready = {
        "check": (ImportState.UPLOADED, ImportState.CHECKED),
        "apply": (ImportState.CHECKED,),
        "undo": (ImportState.DONE,),
    }[step]
    with transaction.atomic():
        mine = Import.objects.filter(pk=run.pk, state__in=ready)
        if step == "check":
            mine = mine.exclude(rows__state=RowState.WRITTEN)
        moved = mine.update(
            state=at_work, done=0, total=0, error="", stepped_at=now, finished_at=None
        )
        if not moved:
            return False
    request(run, step, by=by, now=now)
    return True


def request(run: Import, step: str, *, by: User, now: datetime) -> None:
    """Put the step into the queue, or find it there; where there is no queue, say so."""
    job = jobs.request(JOB, owner=by, parameters={"import": run.pk, "step": step}, now=now)
    if job.state == JobState.FAILED:
        at_work, back = STEPS[step]
        Import.objects.filter(pk=run.pk, state=at_work).update(state=back, error=job.error)
    run.refresh_from_db()


def step_of(run: Import) -> str:
    """The step that a worker has to do now; "" for none."""
    return next((name for name, (at_work, _b) in STEPS.items() if run.state == at_work), "")


# --- a worker does it


def do(job: JobRun, step: Step, *, clock: Clock) -> dict[str, Any]:
    """Do what a job asks for; what it tells are the counts."""
    run = Import.objects.select_related("by").filter(pk=job.parameters.get("import")).first()
    if run is None:
        raise JobFailed("gone")
    by = job.owner or run.by
    with audit.acting(user=by, through=audit.Through.JOB):
        return perform(run, str(job.parameters.get("step")), by=by, progress=step, clock=clock)


def perform(
    run: Import, step: str, *, by: User, progress: Callable[[int, int], None], clock: Clock
) -> dict[str, Any]:
    """Do a step from wherever an earlier attempt left it. Raises JobFailed with the reason."""
    at_work, back = STEPS[step]
    if run.state != at_work:
        return dict(run.counts)
    try:
        if not may(by, "customers:write"):
            raise JobFailed("rights")
        if step == "check":
            _check(run, by, progress, clock)
        elif step == "apply":
            _write(run, by, progress, clock)
        else:
            _undo(run, by, progress, clock)
    except Refused as no:
        _fall_back(run, at_work, back, no.code)
        raise JobFailed(no.code) from no
    except FileNotFoundError as gone:
        _fall_back(run, at_work, back, "gone")
        raise JobFailed("gone") from gone
    except JobFailed as no:
        _fall_back(run, at_work, back, no.code)
        raise
    except Exception:  # whatever it is: the import says that it stopped, the error goes on
        _fall_back(run, at_work, back, "error")
        raise
    return dict(run.counts)


def _fall_back(run: Import, at_work: str, back: str, code: str) -> None:
    Import.objects.filter(pk=run.pk, state=at_work).update(state=back, error=code[:50])


def _check(run: Import, by: User, progress: Callable[[int, int], None], clock: Clock) -> None:
    counts = check(run, by, now=clock(), progress=progress)
    _move_on(run, ImportState.CHECKED, counts=counts)


def _write(run: Import, by: User, progress: Callable[[int, int], None], clock: Clock) -> None:
    planned = run.rows.filter(outcome__in=(Outcome.CREATE, Outcome.UPDATE))
    run.total = planned.count()
    run.done = planned.filter(state=RowState.WRITTEN).count()
    run.save(update_fields=["total", "done"])
    while apply_chunk(run, by, now=clock()):
        progress(run.done, run.total)
    _move_on(run, ImportState.DONE, counts=counts_of(run), finished_at=clock(), written_by=by)


def _undo(run: Import, by: User, progress: Callable[[int, int], None], clock: Clock) -> None:
    touched = run.rows.filter(outcome__in=(Outcome.CREATE, Outcome.UPDATE)).exclude(
        state=RowState.PLANNED
    )
    run.total = touched.count()
    run.done = touched.exclude(state=RowState.WRITTEN).count()
    run.save(update_fields=["total", "done"])
    while undo_chunk(run, by, now=clock()):
        progress(run.done, run.total)
    kept = touched.filter(state=RowState.KEPT).count()
    counts = {**counts_of(run), "undone": run.total - kept, "kept": kept}
    _move_on(run, ImportState.UNDONE, counts=counts, undone_at=clock(), undone_by=by)


def _move_on(run: Import, state: str, **values: Any) -> None:
    for name, value in {"state": state, "error": "", **values}.items():
        setattr(run, name, value)
    run.save(update_fields=["state", "error", *values])


# --- what the house offers beside


def clear(*, now: datetime) -> None:
    """Delete uploaded files that are old, imports that came to nothing, and very old rows."""
    old = Import.objects.filter(created_at__lt=now - FILE_KEPT).exclude(
        state__in=[at_work for at_work, _back in STEPS.values()]
    )
    for run in old.exclude(file="").iterator(chunk_size=100):
        run.file.delete(save=True)
    nothing = old.filter(state__in=[ImportState.UPLOADED, ImportState.CHECKED]).exclude(
        rows__state=RowState.WRITTEN
    )
    very_old = Import.objects.filter(created_at__lt=now - ROWS_KEPT)
    for runs in (nothing, very_old):
        ids = list(runs.values_list("pk", flat=True))
        for pk in ids:
            while rows := list(
                ImportRow.objects.filter(run=pk).values_list("pk", flat=True)[:10_000]
            ):
                bulk.delete(ImportRow, rows)
    nothing.delete()


def offered() -> list[JobKind]:
    """The kind of job that imports are."""
    return [
        JobKind(
            name=JOB,
            label=_("Import of customers"),
            task="customers.tasks.run_import",
            page=lambda job: reverse("customers:import", args=[job.parameters["import"]]),
            tell=tell,
        )
    ]


def tell(job: JobRun) -> str:
    return counted(job.result)


def counted(counts: Mapping[str, Any]) -> str:
    """Rows by outcome in a sentence."""
    words = _("%(create)s new, %(update)s changed, %(unchanged)s unchanged, %(rejected)s rejected.")
    return str(words) % {name: f"{counts.get(name, 0):,}" for name in Outcome.values}
