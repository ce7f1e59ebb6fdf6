"""The command that imports a file goes the same way as the pages (P7)."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from accounts.models import AuditEntry
from customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def run(path: Path, *options: str) -> str:
    out = StringIO()
    call_command("import_customers", str(path), *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(
        "编码X,名称,电话,仓库\nK1,甲商行,13800138000,800\nK2,乙商行,138,\n".encode("gb18030")
    )
    return path


def test_it_writes_what_fits_and_names_what_does_not(file, rep) -> None:
    said = run(
        file,
        "--as",
        "rep",
        "--map",
        "编码X=external_id",
        "--map",
        "仓库=custom",
        "--key",
        "external_id",
    )
    assert "1 new, 0 changed, 0 unchanged, 1 rejected." in said
    assert "3: Phone: A mobile number has 11 digits, now 3." in said
    customer = Customer.objects.get()
    assert (customer.external_id, customer.owner, customer.custom) == ("K1", rep, {"仓库": "800"})
    assert AuditEntry.objects.of(customer).get().through == "command"


def test_a_dry_run_writes_nothing(file, rep) -> None:
    assert "1 new" in run(file, "--as", "rep", "--dry-run")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--as", "nobody"), "No user who may change customers"),
        (("--as", "rep", "--map", "无此列=name"), "is no column and field"),
        (("--as", "rep", "--key", "tax_id"), "Say with --map"),
    ],
)
def test_what_makes_no_sense_is_said(options, said, file, rep) -> None:
    with pytest.raises(CommandError, match=said):
        run(file, *options)


def test_a_file_that_cannot_be_read_is_said(tmp_path, rep) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.xlsx", "--as", "rep")
    (tmp_path / "bad.xlsx").write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match="no Excel file"):
        run(tmp_path / "bad.xlsx", "--as", "rep")
