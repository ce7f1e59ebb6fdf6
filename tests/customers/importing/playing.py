"""Playing an import: a file is uploaded, its columns confirmed, its rows looked at and written."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import Workbook

from accounts.models import JobRun, JobState
from customers import cards
from customers.models import Customer, Import
from customers.tasks import run_import
from tests.factories import make_customer

LIST = "/customers/imports/"


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def xlsx(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def filed(**values: Any) -> Customer:
    customer = make_customer(**values)
    cards.refresh([customer.pk])
    return customer


def work() -> None:
    """What a worker does with the jobs that wait."""
    for job in JobRun.objects.filter(state=JobState.QUEUED).order_by("pk"):
        run_import(job_id=job.pk)


def upload(browser: Client, name: str, data: bytes, to: str = LIST) -> Import:
    answer = browser.post(to, {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return Import.objects.latest("pk")


def choose(browser: Client, run: Import, **changes: Any) -> Import:
    """Confirm the columns as they were guessed, but for `changes`."""
    columns = {f"column_{at}": name for at, name in run.mapping.items()}
    wanted = {**columns, "key": run.key, "mode": run.mode, **changes}
    answer = browser.post(f"/customers/imports/{run.pk}/columns/", wanted)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    work()
    run.refresh_from_db()
    return run


def press(browser: Client, run: Import, button: str) -> Import:
    assert browser.post(f"/customers/imports/{run.pk}/{button}/").status_code == 302
    work()
    run.refresh_from_db()
    return run


def checked(browser: Client, data: bytes, **changes: Any) -> Import:
    return choose(browser, upload(browser, "list.csv", data), **changes)


def row_of(run: Import, number: int) -> Any:
    return run.rows.get(number=number)


def codes(run: Import, number: int) -> dict[str, list[str]]:
    return {name: [fault[0] for fault in some] for name, some in row_of(run, number).errors.items()}
