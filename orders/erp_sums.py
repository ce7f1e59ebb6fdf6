"""Reading the sums by day and status that an ERP's people paste or upload, to compare with ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.lib.text import Text
from customers.importing.fields import in_every_language, plain
from customers.importing.reading import MOST_ROWS, open_table
from customers.importing.reasons import Refused
from customers.importing.values import TOTALS, read_day, read_integer, read_money
from orders.models import OrderStatus
from orders.reconciliation import DaySum

#: The columns, and what people write over them.
HEADS: Mapping[str, str] = {
    "day": "day|date|order date|ordered|ordered on|日期|订单日期|下单日期|单据日期|天",
    "status": "status|state|order status|状态|订单状态|单据状态",
    "orders": "orders|order count|number of orders|count|订单数|订单数量|单数|笔数|数量",
    "amount": "amount|sum|total|order amount|金额|订单金额|合计金额|总金额|总额",
}
COLUMNS = tuple(HEADS)
#: What ERPs call the statuses, beside their codes and our own words.
WORDS: Mapping[str, str] = {
    OrderStatus.DRAFT: "未审核|未提交|open",
    OrderStatus.CONFIRMED: "已审核|审核|已下单|approved",
    OrderStatus.SHIPPED: "已出库|出库|delivered",
    OrderStatus.COMPLETED: "完成|完结|已完结|complete|done|closed",
    OrderStatus.CANCELLED: "canceled|取消|作废|已作废|关闭|已关闭|void",
    OrderStatus.RETURNED: "退货|退单|return|returns",
}
MOST_ORDERS = 1_000_000_000
MOST_ERRORS = 10


def read_sums(file: BinaryIO) -> list[DaySum]:
    """The rows of an Excel or CSV file, or of text with tabs, under heads or in our order.

    Rows of totals are passed over. Raises ValidationError with a message for each line that
    cannot be read, the first ten of them.
    """
    try:
        return _rows(file)
    except Refused as no:
        raise _refused([str(no)]) from no


def _rows(file: BinaryIO) -> list[DaySum]:
    places: dict[str, int] | None = None
    found: list[DaySum] = []
    errors: list[str] = []
    for number, cells in open_table(file).lines:
        if places is None:
            places = _places(cells)
            if places is not None:
                continue
            places = {name: place for place, name in enumerate(COLUMNS)}
        if _cell(cells, places["day"]).lower() in TOTALS:
            continue
        if len(found) == MOST_ROWS:
            raise Refused("file_rows", limit=f"{MOST_ROWS:,}")
        try:
            found.append(_row(cells, places))
        except Refused as no:
            errors.append(_("Line %(line)d: %(fault)s") % {"line": number, "fault": str(no)})
            if len(errors) == MOST_ERRORS:
                break
    if errors:
        raise _refused(errors)
    if not found:
        raise Refused("file_no_rows")
    return found


def _places(cells: Sequence[str]) -> dict[str, int] | None:
    """Where each column stands, if this line holds their heads; all four are needed then."""
    known = {plain(head): name for name, heads in HEADS.items() for head in heads.split("|")}
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        name = known.get(plain(cell))
        if name and name not in places:
            places[name] = place
    if len(places) < 2:
        return None
    if missing := [name for name in COLUMNS if name not in places]:
        raise _refused(
            [_("A column is missing: %(name)s.") % {"name": _label(name)} for name in missing]
        )
    return places


def _label(name: str) -> str:
    return {
        "day": _("Day"),
        "status": _("Status"),
        "orders": _("Orders"),
        "amount": _("Amount"),
    }[name]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _row(cells: Sequence[str], places: Mapping[str, int]) -> DaySum:
    day, status, orders, amount = (_cell(cells, places[name]) for name in COLUMNS)
    return DaySum(
        read_day(day), _status(status), read_integer(orders, 0, MOST_ORDERS), read_money(amount)
    )


def _status(text: str) -> str:
    found = _statuses().get(plain(text))
    if found is None:
        labels = ", ".join(str(status.label) for status in OrderStatus)
        raise Refused("choice", text=text[:60], choices=labels)
    return found


@cache
def _statuses() -> dict[str, str]:
    named: dict[str, str] = {}
    for status in OrderStatus:
        words: set[str | Text] = {status.value, *in_every_language(status.label)}
        for word in (*words, *WORDS[status].split("|")):
            named[plain(str(word))] = status.value
    return named


def _refused(messages: list[str]) -> ValidationError:
    return ValidationError([ValidationError(text, code="unreadable") for text in messages])
