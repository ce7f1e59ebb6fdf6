"""What is not yet in order at the demo company: groups, addresses that say too little, a leaver."""

from __future__ import annotations

from itertools import groupby

from accounts.models import User
from crm.lib import bulk
from customers import divisions
from customers.models import Customer, DivisionFound, Kind

#: The rep who has left; her customers wait for a successor.
LEAVER = "chengxiaoyan"
#: Companies of one group at most, and groups at most.
MEMBERS, GROUPS = 4, 60
#: One customer in so many has an address that does not say where it is.
UNCLEAR_SHARE = 60
#: Addresses as the ERP sometimes has them, which fit more than one area.
AMBIGUOUS = (
    "西湖区文三路88号",
    "鼓楼区中山北路21号",
    "通州区新华大街3号",
    "普陀区武宁路120号",
)


def write_loose_ends() -> None:
    """Put group buyers of one owner into groups, blur some addresses, let one rep leave."""
    _write_groups()
    # Every address of the demo names its division: that is where the division is from.
    Customer.objects.exclude(division="").update(division_found=DivisionFound.ADDRESS)
    _blur_addresses()
    User.objects.filter(username=LEAVER).update(is_active=False)


def _write_groups() -> None:
    buyers = Customer.objects.filter(kind=Kind.GROUP_BUYER).exclude(owner=None)
    rows: list[dict[str, int]] = []
    owned = buyers.order_by("owner_id", "pk").values_list("owner_id", "pk")
    for number, (_owner, pairs) in enumerate(groupby(owned, key=lambda pair: pair[0])):
        if number == GROUPS:
            break
        head, *members = [pk for _owner_id, pk in pairs]
        rows += [{"id": pk, "group_head_id": head} for pk in members[:MEMBERS]]
    bulk.update(Customer, rows)


def _blur_addresses() -> None:
    outlets = Customer.objects.filter(kind=Kind.OUTLET).order_by("pk")
    rows: list[dict[str, str | int]] = []
    for number, (pk, address, code) in enumerate(
        outlets.values_list("pk", "address", "division")[::UNCLEAR_SHARE]
    ):
        state = DivisionFound.AMBIGUOUS if number % 2 else DivisionFound.UNKNOWN
        short = address.removeprefix("".join(divisions.path(code)))
        rows.append(
            {
                "id": pk,
                "address": AMBIGUOUS[number // 2 % len(AMBIGUOUS)] if number % 2 else short,
                "division": "",
                "division_found": state.value,
            }
        )
    bulk.update(Customer, rows)
