"""Lists that people take away: small ones at once, large Excel files by a job they can watch.

A view decorated with `table_view` returns the table; the same view, asked on the owner's behalf,
makes it in the worker, so that a file holds what its owner may see and has filtered.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import ResolverMatch, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy, ngettext

from accounts import jobs
from accounts.access import may, require
from accounts.models import JobRun, User
from crm.lib.export import Table, stream_table, write_xlsx
from crm.lib.keyset import count_up_to

P = ParamSpec("P")
KIND = "export"
#: Excel files of more rows take seconds to write. CSV is sent as it is read, whatever its size.
MOST_AT_ONCE = 5_000
#: Files are deleted after this long; the list can be exported again.
KEPT = timedelta(days=7)


def table_view(
    make: Callable[Concatenate[HttpRequest, P], Table],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view that answers with the table of `make` in the `format` asked for, csv or xlsx.

    Where `make` raises ValidationError, a page says what cannot be exported (400).
    """

    @wraps(make)
    def view(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            table = make(request, *args, **kwargs)
        except ValidationError as refused:
            said = {"refusals": refused.messages}
            return render(request, "accounts/not_exported.html", said, status=400)
        format_ = request.GET.get("format", "xlsx")
        if format_ != "xlsx" or not count_up_to(table.counted, MOST_AT_ONCE).more:
            return stream_table(table.name, table.head, table.rows, format_)
        asked = {"path": request.get_full_path(), "language": translation.get_language()}
        job = jobs.request(
            KIND, owner=cast(User, request.user), parameters=asked, now=timezone.now()
        )
        return redirect("accounts:run", pk=job.pk)

    marked: Any = view
    marked.table = make
    return view


class TableView(Protocol):
    """What stands behind the address of an export: `table_view` under `needs`."""

    permission: str
    table: Callable[..., Table]


def _behind(path: str) -> tuple[TableView, ResolverMatch]:
    match = resolve(urlsplit(path).path)
    return cast(TableView, match.func), match


def write(job: JobRun, step: jobs.Step) -> dict[str, Any]:
    """Write the file of an export; raises JobFailed where its owner may not have it any more."""
    owner = job.owner
    address = urlsplit(job.parameters["path"])
    view, match = _behind(address.path)
    if not owner or not may(owner, view.permission):
        raise jobs.JobFailed("right")
    request = HttpRequest()
    request.method, request.path, request.user = "GET", address.path, owner
    request.GET = QueryDict(address.query)
    with translation.override(job.parameters["language"]):
        table = view.table(request, *match.args, **match.kwargs)
        total = table.counted.order_by().count()
        path = Path("exports") / f"{job.pk}-{secrets.token_hex(8)}.xlsx"
        folder = settings.MEDIA_ROOT / path.parent
        folder.mkdir(parents=True, exist_ok=True)
        with (settings.MEDIA_ROOT / path).open("wb") as file:
            write_xlsx(file, table.head, _counting(table.rows, total, step))
    return {"file": str(path), "name": f"{table.name}.xlsx", "rows": total}


def _counting(
    rows: Any, total: int, step: jobs.Step, every: int = 500
) -> Iterator[Sequence[object]]:
    for number, row in enumerate(rows):
        if number % every == 0:
            step(min(number, total), total)
        yield row


def file_of(job: JobRun, user: User) -> Path | None:
    """The file of a finished export; None once it is deleted.

    Raises PermissionDenied (403) where `user` may not see the list that it was made from.
    """
    if job.kind != KIND or not job.result.get("file"):
        return None
    require(user, _behind(job.parameters["path"])[0].permission)
    path = Path(settings.MEDIA_ROOT) / job.result["file"]
    return path if path.is_file() else None


def clear(*, now: datetime) -> None:
    """Delete the files of exports that ended a while ago."""
    ended = JobRun.objects.filter(kind=KIND, finished_at__lt=now - KEPT)
    for job in ended.exclude(result={}):
        (settings.MEDIA_ROOT / job.result["file"]).unlink(missing_ok=True)
        job.result = {}
        job.save(update_fields=["result"])


def _page(job: JobRun) -> str:
    return reverse("accounts:run-file", args=[job.pk]) if job.result.get("file") else ""


def _tell(job: JobRun) -> str:
    if not job.result.get("file"):
        return str(gettext_lazy("The file has been deleted; export the list again."))
    rows = job.result["rows"]
    return ngettext("%(n)s row", "%(n)s rows", rows) % {"n": f"{rows:,}"}


EXPORT = jobs.JobKind(
    name=KIND,
    label=gettext_lazy("Export to Excel"),
    task="accounts.tasks.write_export",
    page=_page,
    tell=_tell,
    failures={"right": gettext_lazy("You may not export this list any more.")},
)
