"""A new user's messy list of dealers, from the upload to the way back (P7)."""

from __future__ import annotations

import io
from collections import Counter
from decimal import Decimal

import pytest
from openpyxl import Workbook, load_workbook

from accounts.models import AuditEntry, User
from customers.models import (
    Contact,
    Customer,
    Import,
    ImportState,
    IndexCard,
    Outcome,
    Profile,
)
from tests.customers.importing.dealers import Dealer, dealers, text, workbook
from tests.customers.importing.playing import choose, press, upload, work

pytestmark = pytest.mark.django_db
REJECTED = {"phone", "name", "key", "twin", "money"}


def mend(sheet: bytes, by_row: dict[int, Dealer]) -> bytes:
    """The file of rejected rows, put right by hand."""
    table = load_workbook(io.BytesIO(sheet)).active
    assert table is not None
    heads, *rows = [list(row) for row in table.iter_rows(values_only=True)]
    book = Workbook(write_only=True)
    mended = book.create_sheet()
    mended.append(heads)
    at_row = heads.index("Row in the file")
    for row in rows:
        right = by_row[int(str(row[at_row]))]
        row[0], row[1], row[2], row[9] = right.number, right.name, right.phone, right.capital
        mended.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize("many", [400, 5000])
def test_a_messy_list_ends_up_right_on_file_and_can_be_taken_back(
    many: int, as_, rep: User
) -> None:
    browser = as_(rep)
    rows = dealers(many)
    first, rest = rows[: many * 3 // 5], rows[many * 3 // 5 :]
    for name, data, part in (
        ("经销商.xlsx", workbook(first), first),
        ("其余.csv", text(rest), rest),
    ):
        run = upload(browser, name, data)
        assert run.table["head_row"] == (3 if name.endswith("xlsx") else 1)
        assert set(run.mapping.values()) - {"custom"} == {
            "external_id", "name", "phone", "address", "tax_id", "contact.name", "contact.title",
            "contact.phone", "contact.birthday", "profile.capital",
        }  # fmt: skip
        assert run.key == "external_id"
        choose(browser, run, column_10="custom")
        assert run.state == ImportState.CHECKED, run.error
        wrong = Counter(row.fault for row in part if row.fault)
        assert run.counts == {
            Outcome.CREATE: len(part) - wrong.total(),
            Outcome.UPDATE: 0,
            Outcome.UNCHANGED: 0,
            Outcome.REJECTED: wrong.total(),
        }
        page = browser.get(f"/customers/imports/{run.pk}/").content.decode()
        assert "A mobile number has 11 digits, now 10." in page
        before = Customer.objects.count()
        press(browser, run, "apply")
        assert run.state == ImportState.DONE
        assert Customer.objects.count() - before == run.counts[Outcome.CREATE]

        sheet = browser.get(f"/customers/imports/{run.pk}/rejected/").getvalue()
        numbers = dict(run.rows.values_list("number", "cells"))
        by_cells = {tuple(map(str, row.cells)): row for row in part}
        by_row = {
            number: by_cells[tuple(cells)]
            for number, cells in numbers.items()
            if tuple(cells) in by_cells
        }
        mended = upload(
            browser, "mended.xlsx", mend(sheet, by_row), f"/customers/imports/{run.pk}/mended/"
        )
        work()
        mended.refresh_from_db()
        assert mended.state == ImportState.CHECKED
        assert mended.counts[Outcome.REJECTED] == 0, list(
            mended.rows.filter(outcome=Outcome.REJECTED).values_list("cells", "errors")
        )
        press(browser, mended, "apply")

    stored = {customer.external_id: customer for customer in Customer.objects.all()}
    assert len(stored) == many
    for row in rows:
        customer = stored[row.number]
        assert (customer.name, customer.phone) == (row.name, row.stored_phone)
        assert (customer.tax_id, customer.address) == (row.tax_id, row.address)
        assert (customer.division, customer.owner_id) == (row.division, rep.pk)
        assert customer.custom["仓库面积"].endswith("㎡")
        assert customer.version == 1
    assert set(Profile.objects.values_list("customer__external_id", "capital")) == {
        (row.number, Decimal(row.capital)) for row in rows
    }
    people = Contact.objects.values_list("customer__external_id", "name", "phone", "birth_month")
    assert set(people) == {
        (row.number, row.contact, f"+86{row.mobile}", 5 if row.birthday else None) for row in rows
    }
    assert Contact.objects.filter(birthday_calendar="lunar").count() == many // 4
    assert IndexCard.objects.count() == many
    created = AuditEntry.objects.filter(model="customers.customer", action="create", actor=rep)
    assert created.count() == many

    for run in Import.objects.all():
        press(browser, run, "undo")
        assert run.state == ImportState.UNDONE
        assert run.counts["kept"] == 0
    assert not Customer.objects.exists()
    assert not Contact.objects.exists()
    assert AuditEntry.objects.filter(model="customers.customer", action="delete").count() == many
