"""Why a file or a row is refused, as codes with parameters, and in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from accounts.history import kind_name
from crm.lib.text import Text
from customers import phones
from customers.importing import birthday_words
from customers.importing.fields import FIELDS

#: field → list of [code, parameters], as a row keeps them; "" is the row as a whole.
Reasons = dict[str, list[list[Any]]]

WORDS: dict[str, Text] = {
    # the file
    "file_empty": _("The file is empty."),
    "file_no_rows": _("Below the heads of the table there is no row."),
    "file_size": _("The file has more than %(limit)d MB."),
    "file_unpacked": _("Unpacked, the file has more than %(limit)d MB."),
    "file_rows": _("The table has more than %(limit)s rows: split it."),
    "file_columns": _("The table has %(number)s columns, at most %(limit)d can be read."),
    "file_span": _(
        "The sheet reaches to row %(rows)s and column %(columns)s: delete what stands outside "
        "of the table, also cells that look empty."
    ),
    "file_kind": _("This is no Excel file (.xlsx) and no CSV file."),
    "file_old": _(
        "This is an Excel file of another kind (.xls, .xlsb): open it in Excel or WPS, choose "
        "“Save as”, and take “Excel workbook (.xlsx)”."
    ),
    "file_ods": _(
        "This is an OpenDocument sheet (.ods): open it, choose “Save as”, and take “Excel 2007–365 "
        "(.xlsx)” or CSV."
    ),
    "file_locked": _("The file has a password: save it without one."),
    "file_damaged": _("The file is damaged: open it in Excel and save it once more."),
    "file_encoding": _("The letters of the file cannot be read: save it as UTF-8 or as .xlsx."),
    "file_heads": _("The mended file has other heads than this import: upload it as a new one."),
    "gone": _("The uploaded file was deleted: upload it once more."),
    "rights": _("Whoever uploaded the file may not change customers any more."),
    "error": _("It stopped. What was written before stays; go on from there."),
    # the row
    "required": _("It is empty, and a new customer needs it."),
    "no_key": _("It is empty, and files are found by it."),
    "long": _("At most %(limit)d characters, now %(number)d."),
    "choice": _("“%(text)s” is none of: %(choices)s."),
    "number": _("“%(text)s” is no number."),
    "range": _("A number from %(least)s to %(most)s, not %(text)s."),
    "digits": _("“%(text)s” has too many digits."),
    "date": _("“%(text)s” is no day; write it as 2026-06-16."),
    "flag": _("“%(text)s” is neither yes nor no."),
    "email": _("“%(text)s” is no e-mail address."),
    "division": _("No area, or more than one, is called “%(text)s”."),
    "shortened": _(
        "The spreadsheet cut the number to %(text)s: format the column as text and enter it again."
    ),
    "owner_unknown": _("None of the people you see who may own customers is called “%(text)s”."),
    "owner_twice": _("More than one person is called “%(text)s”: write the username."),
    "owner_rights": _("Only a manager may hand over a customer."),
    "own_fields": _("Own fields hold at most 20,000 characters."),
    "tags": _("At most %(limit)d tags, each with at most %(longest)d characters."),
    "list": _("At most %(limit)d, each with at most %(longest)d characters."),
    "months": _("“%(text)s” names no months; write 1, 3, 9 or 3-5, as text."),
    "suppliers": _("At most %(limit)d suppliers."),
    "supplier_name": _("“%(text)s” names no supplier."),
    "supplier_scores": _("%(marks)d marks for %(suppliers)d suppliers: write one for each."),
    # the customers above
    "tie_unknown": _(
        "No customer that you see and no row of the file has the number or the exact name "
        "“%(text)s”."
    ),
    "tie_several": _("%(number)d customers are called “%(text)s”: write the number."),
    "tie_hidden": _("It has another one, which you may not see: only who sees both may change it."),
    "tie_rejected": _("Row %(row)d, which it names, is not taken."),
    "tie_gone": _("The customer it names is not there any more, or out of your sight."),
    "tie_deep": _(
        "More than %(limit)d rows of the file stand one above the other, or they name each other "
        "by turns."
    ),
    "ring": _("It would come to stand below itself."),
    "total": _("This is a row of totals."),
    "cell_error": _("The cell holds an error of the spreadsheet: %(text)s."),
    "same_key": _("Row %(row)d of the file has the same."),
    "several": _("%(number)d customers have it: pick another field to find files by."),
    "hidden": _("A customer that you do not see has it: ask your manager."),
    "number_taken": _("Another customer has this number already."),
    "on_file": _("It is on file already, and this import takes new customers only."),
    "not_on_file": _("It is not on file, and this import changes customers on file only."),
    # a row that was looked at once more
    "now_on_file": _("It was put on file after the preview."),
    "not_there": _("The customer is not there any more, or out of your sight."),
    "moved": _("Somebody changed it after the preview, from %(before)s to %(now)s."),
    # warnings
    "alike": _("Looks like a customer on file."),
    "alike_hidden": _("Looks like a customer that you do not see."),
    "nameless": _("A contact needs a name; the rest of the contact was left out."),
    "area_unknown": _("No area fits the address."),
    "area_ambiguous": _("The address fits more than one area."),
    # kept when an import is taken back
    "changed_since": _("It was changed after the import: kept."),
    "hangs": _("Kept, since there is more on it now: %(what)s."),
    "gone_since": _("The customer is not there any more."),
    "not_yours": _("You do not see this customer any more: kept."),
}

#: Warnings: a row that has only these is taken.
WARNINGS = frozenset({"alike", "alike_hidden", "nameless", "area_unknown", "area_ambiguous"})


class Refused(Exception):
    """A file, or a cell, that cannot be taken: a code of WORDS and its parameters."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code, parameters)
        self.code, self.parameters = code, parameters

    def __str__(self) -> str:
        return in_words(self.code, self.parameters)


def in_words(code: str, parameters: Mapping[str, Any]) -> str:
    """One reason in the reader's language."""
    if code in ("phone", "birthday"):
        # The parser says what is wrong, in whatever language is asked for now.
        try:
            (phones if code == "phone" else birthday_words).parse(str(parameters.get("text", "")))
        except ValidationError as fault:
            return " ".join(fault.messages)
        return gettext("“%(text)s” could not be read.") % {"text": parameters.get("text", "")}
    if code == "choice" and parameters.get("choices") in FIELDS:
        labels = [str(label) for _code, label in FIELDS[parameters["choices"]].column.flatchoices]
        between = pgettext("between the items of a list", ", ")
        parameters = {**parameters, "choices": between.join(labels)}
    if code == "hangs":
        parameters = {"what": kind_name(str(parameters.get("what", "")))}
    words = WORDS.get(code)
    return str(words) % parameters if words else code


def explained(
    reasons: Mapping[str, Sequence[Sequence[Any]]], labels: Mapping[str, Any]
) -> list[str]:
    """Every reason as a sentence with its field before it."""
    said = []
    for name, faults in reasons.items():
        for code, parameters in faults:
            words = in_words(code, parameters)
            label = labels.get(name, "")
            said.append(
                gettext("%(field)s: %(fault)s") % {"field": label, "fault": words}
                if label
                else words
            )
    return said


def is_warning(code: str) -> bool:
    return code in WARNINGS
