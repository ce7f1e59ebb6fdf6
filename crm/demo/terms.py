"""What the demo company asks of its orders: dated prices, trade terms, and exceptions to them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from accounts.models import User
from crm.demo.catalogue import Item
from crm.demo.writing import Writer
from customers.models import Customer, Kind
from orders.exceptions import ask_exception, change_exception
from orders.models import Answer, Price, TradeTerms

MINIMUM = Decimal(1000)
LOWERED = Decimal(500)
#: The category whose prices went up lately, and the one whose prices are about to.
RAISED, TO_COME = "酱油", "食用油"
YUAN = Decimal("0.10")


def write_prices(writer: Writer, items: list[Item], *, today: date) -> int:
    """Prices of two categories by day: one raised half a year ago, one that will be next month.

    Before them the products' own prices hold, which the orders were written at.
    """
    rows: list[tuple[object, ...]] = []
    first = writer.next_id(Price)
    begins = {
        RAISED: (today - timedelta(days=180), Decimal(1)),
        TO_COME: (today.replace(day=1) + timedelta(days=45), Decimal("1.04")),
    }
    for item in items:
        if item.category not in begins or item.sold_to != date.max:
            continue
        day, factor = begins[item.category]
        dealer = _rounded(item.price * factor)
        retail = _rounded(dealer * Decimal("1.36"))
        if item.category == RAISED:
            before = (day - timedelta(days=365), day - timedelta(days=1))
            rows.append((item.id, _rounded(dealer * Decimal("0.97")), retail, *before))
        rows.append((item.id, dealer, retail, day, None))
    writer.write(
        Price,
        (
            "id", "external_id", "product_id", "dealer_price", "retail_price", "valid_from",
            "valid_to",
        ),
        ((first + n, f"JG-{n + 1:04}", *row) for n, row in enumerate(rows)),
    )  # fmt: skip
    return len(rows)


def write_terms(*, today: date, now: datetime) -> str:
    """Terms since last year with a minimum order; one exception approved, one asked for."""
    TradeTerms.objects.create(
        valid_from=date(today.year - 1, 1, 1),
        minimum_order=MINIMUM,
        least_dealer_margin=Decimal(15),
        least_own_margin=Decimal(10),
    )
    outlets = Customer.objects.filter(kind=Kind.OUTLET, owner__username="chenli").order_by("pk")
    manager = User.objects.get(username="zhoumin")
    reasons = ("县城小店，一次进货不足一车", "新开门店，先小批量试销")
    for customer, reason in zip(outlets, reasons, strict=False):
        assert customer.owner is not None  # chosen by it
        one = ask_exception(
            customer=customer,
            minimum=LOWERED,
            valid_from=today - timedelta(days=30),
            valid_to=today + timedelta(days=150),
            reason=reason,
            by=customer.owner,
            now=now - timedelta(days=31),
        )
        if reason == reasons[0]:
            change_exception(
                one,
                lambda it: it.reply(
                    Answer.APPROVED, by=manager, reason="试行半年", now=now - timedelta(days=30)
                ),
            )
    return f"{len(reasons)} exceptions to the minimum order"


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(YUAN, ROUND_HALF_UP)
