"""What a person chooses for one row that looks like a customer on file."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from customers.hierarchy import Tie
from customers.importing.applying import counts_of
from customers.importing.checking import read_cells
from customers.importing.filed import ROW_NUMBERS, TIE_COLUMNS, TIES, same
from customers.importing.matching import Files, Verdict, alike_faults
from customers.importing.reasons import Reasons
from customers.importing.tying import ids_in_sight
from customers.models import Alike, Import, ImportRow, ImportState, Outcome


@transaction.atomic
def choose(
    run: Import, number: int, choice: str, *, customer_id: int | None, by: User, now: datetime
) -> None:
    """Put one new row on file after all, leave it out, or take it as `customer_id`.

    Raises ValidationError where the import has moved on, the row looks like nobody, or not like
    that customer.
    """
    held = Import.objects.select_for_update(of=("self",)).filter(
        pk=run.pk, state=ImportState.CHECKED
    )
    row = run.rows.filter(number=number).exclude(choice="").first() if held.exists() else None
    if row is None:
        raise ValidationError(_("The import has gone on meanwhile."), code="moved")
    told = alike_faults(row.errors)
    if choice == Alike.SAME and customer_id not in {one[1].get("customer") for one in told}:
        raise ValidationError(_("The row does not look like this customer."), code="unlike")
    same_as = customer_id if choice == Alike.SAME else None
    verdict = _judged(run, row, same_as, by)
    if choice == Alike.LEAVE and verdict.outcome != Outcome.REJECTED:
        verdict.outcome = Outcome.LEFT
    verdict.errors[""] = [*verdict.errors.get("", ()), *told]
    for name in ("values", "errors", "before", "customer_id", "version", "contact_id"):
        setattr(row, name, getattr(verdict, name))
    row.outcome, row.choice = str(verdict.outcome), choice
    row.save()
    Import.objects.filter(pk=run.pk).update(counts=counts_of(run), stepped_at=now)


def _judged(run: Import, row: ImportRow, same_as: int | None, by: User) -> Verdict:
    """The verdict on the row alone; whom it names as the customers above stays as it was found."""
    files = Files(by, run.by, key=run.key, mode=run.mode)
    values, errors = read_cells(run, row.cells)
    files.look_up([values], ids=[same_as] if same_as else [])
    verdict = files.judge(values, errors, same_as=same_as)
    kept = {n: v for n, v in row.values.items() if n in TIE_COLUMNS | ROW_NUMBERS}
    verdict.values = {n: v for n, v in verdict.values.items() if n not in TIES} | kept
    if verdict.customer_id and verdict.outcome != Outcome.REJECTED:
        taken = (Outcome.UPDATE, Outcome.UNCHANGED)
        twin = run.rows.filter(customer_id=verdict.customer_id, outcome__in=taken)
        other = twin.exclude(pk=row.pk).values_list("number", flat=True).first()
        fault: Reasons = {files.key: [["same_key", {"row": other}]]} if other else {}
        fault = fault or _compare_ties(verdict, files)
        if fault:
            return Verdict(Outcome.REJECTED, verdict.values, fault, customer_id=same_as)
    return verdict


def _compare_ties(verdict: Verdict, files: Files) -> Reasons:
    """Note in `verdict` which ties the row would change; why one cannot be changed."""
    filed = files.filed[verdict.customer_id or 0]
    above = {filed.values[column] for column in TIE_COLUMNS} - {None}
    hidden = above - ids_in_sight(files.in_sight, above)
    for tie in Tie.values:
        column, number = f"{tie}_id", verdict.values.get(f"{tie}_row")
        now, wanted = filed.values[column], verdict.values.get(column)
        if column not in verdict.values or (same(now, wanted) and not number):
            continue
        if now not in hidden:
            verdict.before[column] = now
            verdict.outcome = Outcome.UPDATE
        elif wanted or number:
            return {tie: [["tie_hidden", {}]]}
    return {}
