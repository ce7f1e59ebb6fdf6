"""A file of counts or sell-outs as records of the sync: what its heads and cells mean (P23)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import User
from crm.lib.text import Text
from customers import divisions
from customers.addresses import find
from customers.importing.fields import in_every_language, plain
from customers.importing.reasons import Refused
from customers.importing.values import read_day, read_money
from customers.models import Alias, Customer
from orders.models import Product, StockImportKind

#: A day without a time means its noon.
NOON = time(12)
Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a file may have: its head, other heads for it, and an example."""

    name: str
    head: Text
    also: tuple[str, ...] = ()
    needed: bool = False
    example: str = ""


_CUSTOMER = Column(
    "customer", gettext_lazy("Customer"),
    ("customer number", "customer name", "dealer", "客户编号", "客户名称", "经销商"), True, "C-1",
)  # fmt: skip
_PRODUCT = Column(
    "product", gettext_lazy("Product"),
    ("sku", "product name", "产品编号", "产品名称", "品名", "商品", "物料编码"), True, "SKU-1",
)  # fmt: skip
_QUANTITY = Column(
    "quantity", gettext_lazy("Quantity"), ("qty", "stock", "数量", "库存", "库存数量"), True, "27"
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    StockImportKind.COUNTS: (
        _CUSTOMER,
        _PRODUCT,
        Column("batch", gettext_lazy("Batch"), ("batch number", "批号"), example="260402"),
        Column(
            "produced_on", gettext_lazy("Produced"), ("produced on", "生产日期"),
            example="2026-04-02",
        ),
        _QUANTITY,
        Column(
            "on", gettext_lazy("Counted"), ("counted on", "date", "盘点日期", "日期"), True,
            "2026-06-12",
        ),
    ),
    StockImportKind.SALES: (
        Column("number", gettext_lazy("Sell-out number"), ("number", "单号", "流水号")),
        _CUSTOMER,
        _PRODUCT,
        _QUANTITY,
        Column(
            "on", pgettext_lazy("day and time of a sale", "Sold"),
            ("sold on", "date", "销售日期", "日期"), True, "2026-06-12",
        ),
        Column("unit_price", gettext_lazy("Unit price"), ("price", "售价"), example="68.00"),
        Column(
            "buyer_division", gettext_lazy("Area of the buyer"),
            ("division of the buyer", "买方地区", "买方区划"),
        ),
    ),
}  # fmt: skip


@dataclass(slots=True)
class Record:
    """A record for the sync, and which rows of the file it came from, by the place of its line."""

    external_id: str
    body: dict[str, Any]
    rows: list[int]


@dataclass(slots=True)
class Reading:
    """What a file holds: records, and by row why others cannot be taken."""

    records: list[Record] = field(default_factory=list)
    wrong: dict[int, str] = field(default_factory=dict)
    customers: dict[str, int] = field(default_factory=dict)
    products: dict[str, int] = field(default_factory=dict)
    skus: dict[int, str] = field(default_factory=dict)


def places_of(kind: str, head: Sequence[str]) -> dict[str, int]:
    """Which cell of a row holds what. ValueError where a column is missing that must be there."""
    meant: dict[str, str] = {}
    for column in COLUMNS[kind]:
        for words in (*in_every_language(column.head), *column.also):
            meant.setdefault(plain(words), column.name)
    places: dict[str, int] = {}
    for place, words in enumerate(head):
        name = meant.get(plain(words))
        if name:
            places.setdefault(name, place)
    missing = [str(c.head) for c in COLUMNS[kind] if c.needed and c.name not in places]
    if missing:
        raise ValueError(
            _("The first row names no column: %(columns)s.") % {"columns": ", ".join(missing)}
        )
    return places


def read(kind: str, head: Sequence[str], rows: Sequence[Row], user: User) -> Reading:
    """The records that the rows come to, with customers and products in sight of `user`."""
    places = places_of(kind, head)
    cells = {
        number: {name: texts[place] if place < len(texts) else "" for name, place in places.items()}
        for number, texts in rows
    }
    reading = Reading()
    reading.customers, several = _customers({c["customer"] for c in cells.values()}, user)
    reading.products, reading.skus, many = _products({c["product"] for c in cells.values()}, user)
    values: dict[int, dict[str, Any]] = {}
    for number, row in cells.items():
        try:
            values[number] = _values(row)
            _known(_("customer"), row["customer"], reading.customers, several)
            _known(_("product"), row["product"], reading.products, many)
        except (Refused, ValueError) as no:
            reading.wrong[number] = str(no)
    build = _counts if kind == StockImportKind.COUNTS else _sales
    build(cells, values, reading)
    return reading


def _known(what: str, text: str, found: Mapping[str, int], several: set[str]) -> None:
    if text in found:
        return
    words = {"what": what, "text": text[:60]}
    if not text:
        raise ValueError(_("%(what)s is missing.") % words)
    if text in several:
        raise ValueError(_("Several have this name: %(what)s “%(text)s”.") % words)
    raise ValueError(_("Unknown: %(what)s “%(text)s”.") % words)


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    """The cells of a row as values; raises Refused or ValueError for the first that is none."""
    quantity = read_number(row["quantity"])
    values: dict[str, Any] = {"quantity": quantity, "on": read_moment(row["on"])}
    if row.get("produced_on"):
        values["produced_on"] = read_day(row["produced_on"])
    if row.get("unit_price"):
        values["unit_price"] = read_money(row["unit_price"])
    if area := row.get("buyer_division", ""):
        code = area if divisions.is_known(area) else find(area).code
        if not code:
            raise ValueError(_("No single area has the name “%(text)s”.") % {"text": area[:60]})
        values["buyer_division"] = code
    return values


def read_number(text: str) -> str:
    """The quantity that a cell holds, as the sync takes it: 1,250 is 1250."""
    bare = text.replace(",", "").replace("，", "").replace("−", "-").strip()
    try:
        number = Decimal(bare)
    except ArithmeticError as bad:
        raise Refused("number", text=text[:60]) from bad
    if not number.is_finite():
        raise Refused("number", text=text[:60])
    return bare


def read_moment(text: str) -> datetime:
    """The moment that a cell holds, in the company's time zone; of a day its noon."""
    try:
        moment = datetime.fromisoformat(text) if len(text) > 10 else None
    except ValueError:
        moment = None
    if moment is None:
        moment = datetime.combine(read_day(text), NOON)
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _customers(texts: Iterable[str], user: User) -> tuple[dict[str, int], set[str]]:
    """Customers in sight by number, also of merged files, or by name; names that several have."""
    wanted = {text for text in texts if text}
    in_sight = Customer.objects.visible_to(user)
    numbers = dict(in_sight.filter(external_id__in=wanted).values_list("external_id", "pk"))
    found = {str(number): pk for number, pk in numbers.items()}
    merged = Alias.objects.filter(external_id__in=wanted - found.keys(), customer__in=in_sight)
    found |= dict(merged.values_list("external_id", "customer_id"))
    named = in_sight.filter(name__in=wanted - found.keys()).values_list("name", "pk")
    return _single(found, named)


def _products(texts: Iterable[str], user: User) -> tuple[dict[str, int], dict[int, str], set[str]]:
    """Products by SKU or by name, their SKUs by id, and names that several have."""
    wanted = {text for text in texts if text}
    in_sight = Product.objects.visible_to(user)
    found = dict(in_sight.filter(external_id__in=wanted).values_list("external_id", "pk"))
    named = list(
        in_sight.filter(name__in=wanted - found.keys()).values_list("name", "pk", "external_id")
    )
    skus = {pk: sku for sku, pk in found.items()} | {pk: sku for _name, pk, sku in named}
    found, several = _single(found, ((name, pk) for name, pk, _sku in named))
    return found, skus, several


def _single(
    found: dict[str, int], named: Iterable[tuple[str, int]]
) -> tuple[dict[str, int], set[str]]:
    several: set[str] = set()
    by_name: dict[str, int] = {}
    for name, pk in named:
        if by_name.setdefault(name, pk) != pk:
            several.add(name)
    return {**found, **{n: pk for n, pk in by_name.items() if n not in several}}, several


def _counts(
    cells: Mapping[int, Mapping[str, str]],
    values: Mapping[int, Mapping[str, Any]],
    reading: Reading,
) -> None:
    """One count for each customer and moment. With one bad row the whole count is not taken: what
    is left of it would say that the rest is gone."""
    groups: dict[tuple[Any, Any], list[int]] = {}
    for number, row in cells.items():
        customer = reading.customers.get(row["customer"], row["customer"])
        moment = values[number]["on"] if number in values else row["on"]
        groups.setdefault((customer, moment), []).append(number)
    broken = {
        (reading.customers.get(cells[n]["customer"], cells[n]["customer"]), _day(cells[n]["on"]))
        for n in reading.wrong
    }
    for (customer, moment), numbers in groups.items():
        good = [n for n in numbers if n not in reading.wrong]
        if not good:
            continue
        first = cells[good[0]]
        if (customer, _day(first["on"])) in broken:
            for n in good:
                reading.wrong[n] = _("Another row of this count cannot be taken.")
            continue
        lines = [
            {
                "product": cells[n]["product"],
                "batch": cells[n].get("batch", ""),
                "produced_on": _iso(values[n].get("produced_on")),
                "quantity": values[n]["quantity"],
            }
            for n in good
        ]
        name = f"FILE-{customer}-{moment:%Y%m%d%H%M}"
        body = {"customer": first["customer"], "reported_at": moment.isoformat(), "lines": lines}
        reading.records.append(Record(name, body, good))


def _day(text: str) -> str:
    """The day that a cell holds, for telling which rows belong together; else its text."""
    try:
        return read_moment(text).date().isoformat()
    except Refused:
        return text


def _sales(
    cells: Mapping[int, Mapping[str, str]],
    values: Mapping[int, Mapping[str, Any]],
    reading: Reading,
) -> None:
    """One sell-out for each row. Without a number of its own, the same row is the same sell-out in
    every file, and the same row twice in one file is two."""
    times: dict[str, int] = {}
    for number, row in cells.items():
        if number in reading.wrong:
            continue
        value = values[number]
        body = {
            "customer": row["customer"],
            "product": row["product"],
            "sold_at": value["on"].isoformat(),
            "quantity": value["quantity"],
            "unit_price": str(value["unit_price"]) if "unit_price" in value else None,
            "buyer_division": value.get("buyer_division", ""),
        }
        name = row.get("number", "")
        if not name:
            facts = [
                reading.customers[row["customer"]], reading.products[row["product"]],
                value["on"].timestamp(), Decimal(value["quantity"]).normalize(),
                body["unit_price"], body["buyer_division"],
            ]  # fmt: skip
            digest = hashlib.sha256(repr(facts).encode()).hexdigest()[:24]
            times[digest] = times.get(digest, 0) + 1
            name = f"FILE-{digest}-{times[digest]}"
        reading.records.append(Record(name[:100], body, [number]))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
