"""The index cards: what customers are found by, kept in step with their files and contacts.

Whoever writes a customer's name, number, phone, address, area or tax number, or a contact, calls
`refresh` in the same transaction.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

from django.db import transaction

from crm.lib import bulk
from customers import divisions
from customers.keys import address_key, name_key, phone_key
from customers.models import Alias, Contact, Customer, IndexCard
from customers.names import fold, readings
from customers.searching import paired

#: Customers to a statement.
CHUNK = 1000
#: Columns of a customer that its card is made from.
SOURCE = ("name", "external_id", "tax_id", "phone", "address", "division")
#: People of one customer whom one can search by; nobody has as many on file.
MOST_CONTACTS = 200
_BETWEEN_NUMBERS = re.compile(r"[/、,;，；|\n]")


@dataclass(frozen=True, slots=True)
class Content:
    """What stands on a card, in the order of CONTENT."""

    short: str
    text: str
    place: str
    name_key: str
    phone_key: str
    address_key: str


CONTENT = ("short", "text", "place", "name_key", "phone_key", "address_key")


@dataclass(frozen=True, slots=True)
class Source:
    """What a card is made from."""

    name: str
    external_id: str | None
    tax_id: str
    phone: str
    address: str
    division: str
    #: Name and phone of each contact.
    contacts: list[tuple[str, str]]
    #: Numbers that merged files had in the ERP.
    aliases: list[str]


def content(source: Source) -> Content:
    """The card of one customer, from what is on file.

    `short` holds what words of one and two characters are looked for in, a line for each name;
    `text` everything else too, but for the place.
    """
    name = fold(source.name)
    spelled = readings(source.name)
    contacts = source.contacts[:MOST_CONTACTS]
    people = [fold(person) for person, _phone in contacts]
    phones = [source.phone, *(phone for _person, phone in contacts)]
    lines = [name, *(initials for _full, initials in spelled), *people]
    short = _lines([paired(line) for line in lines if line])
    text = _lines(
        [
            name,
            *(word for reading in spelled for word in reading),
            *(fold(number) for number in (source.external_id or "", *source.aliases)),
            fold(source.tax_id),
            *people,
            *(number for phone in phones for number in dialled(phone)),
        ]
    )
    return Content(
        short,
        text,
        paired(whereabouts(source.address, source.division)),
        name_key(source.name),
        phone_key(source.phone),
        address_key(source.address),
    )


def whereabouts(address: str, division: str) -> str:
    """The address, folded, after those of its areas that it does not name; without spaces, so
    that 人民路 12 号 is found by 人民路12号."""
    written = fold(address).replace(" ", "")
    areas = (fold(name) for name in divisions.path(division))
    return "".join([*(area for area in areas if area not in written), written])


def _lines(parts: list[str]) -> str:
    return "\n".join(part for part in dict.fromkeys(parts) if part)


def dialled(phone: str) -> list[str]:
    """The numbers in a stored phone as digits that people type: 13800138000, 057585123456."""
    numbers = []
    for part in _BETWEEN_NUMBERS.split(phone.partition(";ext=")[0]):
        digits = "".join(one for one in fold(part) if one.isdigit())
        if part.strip().startswith("+86"):
            digits = digits[2:]
            digits = digits if digits.startswith(("1", "400", "800")) else f"0{digits}"
        if digits:
            numbers.append(digits)
    return numbers


@transaction.atomic(savepoint=False)
def refresh(customer_ids: Collection[int]) -> int:
    """Bring the cards of these customers up to date; how many differed and were written.

    Holds the customers' rows until the transaction ends, so that of two people who change one
    file and its contacts at the same moment, the later sees what the earlier wrote.
    """
    written = 0
    ids = iter(sorted(set(customer_ids)))
    while some := list(islice(ids, CHUNK)):
        missing, outdated = _compared(some, lock=True)
        bulk.insert(IndexCard, _rows(missing))
        bulk.update(IndexCard, _rows(outdated))
        written += len(missing) + len(outdated)
    return written


def differing(customer_ids: Collection[int]) -> dict[int, Content]:
    """The cards of these customers as they should be, where they are not."""
    missing, outdated = _compared(customer_ids)
    return missing | outdated


def _rows(cards: dict[int, Content]) -> list[dict[str, Any]]:
    return [
        {"customer_id": pk, **dict(zip(CONTENT, astuple(card), strict=True))}
        for pk, card in cards.items()
    ]


def _compared(
    customer_ids: Collection[int], *, lock: bool = False
) -> tuple[dict[int, Content], dict[int, Content]]:
    """The cards that these customers lack, and those that are out of date."""
    # The order in which the bulk sync writes customers: two writers never wait crosswise.
    files = Customer.objects.filter(pk__in=customer_ids).order_by("external_id", "pk")
    if lock:
        files = files.select_for_update(no_key=True)
    sources = {
        pk: Source(name, number, tax_id, phone, address, division, [], [])
        for pk, name, number, tax_id, phone, address, division in files.values_list("pk", *SOURCE)
    }
    people = Contact.objects.filter(customer__in=customer_ids).order_by("customer_id", "pk")
    for customer_id, name, phone in people.values_list("customer_id", "name", "phone"):
        sources[customer_id].contacts.append((name, phone))
    numbers = Alias.objects.filter(customer__in=customer_ids).order_by("pk")
    for customer_id, number in numbers.values_list("customer_id", "external_id"):
        sources[customer_id].aliases.append(number)
    stored = {
        pk: Content(*values)
        for pk, *values in IndexCard.objects.filter(pk__in=customer_ids).values_list("pk", *CONTENT)
    }
    missing, outdated = {}, {}
    for pk, source in sources.items():
        wanted = content(source)
        if pk not in stored:
            missing[pk] = wanted
        elif stored[pk] != wanted:
            outdated[pk] = wanted
    return missing, outdated


def chunks_of_all() -> Iterator[list[int]]:
    """The ids of all customers, some at a time."""
    last = 0
    while True:
        ids = Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        some = list(ids[:CHUNK])
        if not some:
            return
        yield some
        last = some[-1]
