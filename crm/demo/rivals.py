"""What the reps of the demo saw of competitors in their visits (P52); all names are made up."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from crm.demo.writing import Writer
from visits.models import Competitor, Sighting, Size, Visit, VisitStatus, key_of

#: Competitor → its products with the price on the shelf.
RIVALS: dict[str, tuple[tuple[str, str], ...]] = {
    "金穗花": (("菜籽油 5L", "58.00"), ("大豆油 5L", "52.00")),
    "海月": (("头道酱油 500ml", "9.90"), ("蚝油 700g", "12.80")),
    "老渡口": (("豆瓣酱 1kg", "15.80"), ("米醋 420ml", "6.50")),
    "江月楼": (("鸡精 454g", "16.90"), ("料酒 500ml", "7.50")),
    "溪谷": (("苏打水 24 瓶", "46.00"), ("山楂汁 1L", "11.50")),
}
#: What is good or bad about them, as reps write it.
NOTES = (
    "买二送一，到月底", "换了新包装，店主说好看", "给店主返点 3%", "断货两周了", "临期打折",
    "送货比我们慢，要等四天", "堆头摆在门口", "业务员每周来一次", "瓶盖漏油，有退货",
    "陈列费比我们高", "",  "", "", "", "",
)  # fmt: skip
SIZES = {Size.SMALL: 50, Size.MEDIUM: 36, Size.LARGE: 14}
#: How many competitors stand at a customer, and in how many visits each is noted.
_STANDING = {0: 45, 1: 30, 2: 18, 3: 7}
_NOTED = 0.16
#: What a customer says that names a competitor (crm/demo/talk.py) is noted, too.
_SAID = ("金穗花", "菜籽油 5L", "58.00", "买二送一")
COLUMNS = (
    "id", "visit_id", "competitor_id", "product", "size", "price", "note", "seen_at",
    "created_at", "updated_at",
)  # fmt: skip


def write_rivals(writer: Writer, rng: Random) -> None:
    """Write the competitors, and what was seen of them in the visits that took place."""
    first = writer.next_id(Competitor)
    names = {name: first + number for number, name in enumerate(RIVALS)}
    writer.write(Competitor, ("id", "name", "key"), ((pk, n, key_of(n)) for n, pk in names.items()))
    start = writer.next_id(Sighting)
    rows = list(_rows(rng, names))  # it reads the visits, which no COPY can wait for
    writer.write(Sighting, COLUMNS, ((start + number, *row) for number, row in enumerate(rows)))


def _rows(rng: Random, names: dict[str, int]) -> Iterator[tuple[object, ...]]:
    standing: dict[int, list[str]] = {}
    done = Visit.objects.filter(status=VisitStatus.DONE).order_by("id")
    visits = list(done.values_list("id", "customer_id", "checked_in_at", "words", "closed_at"))
    for visit, customer, at, words, closed in visits:
        if customer not in standing:
            number = rng.choices(list(_STANDING), list(_STANDING.values()))[0]
            standing[customer] = rng.sample(list(names), number)
        said = _SAID[0] in words
        if said:
            _name, product, price, note = _SAID
            yield visit, names[_SAID[0]], product, Size.LARGE, price, note, at, closed, closed
        for name in standing[customer]:
            if rng.random() >= _NOTED or (said and name == _SAID[0]):
                continue
            product, price = rng.choice(RIVALS[name])
            size = rng.choices(list(SIZES), list(SIZES.values()))[0]
            seen = price if rng.random() < 0.7 else None
            yield visit, names[name], product, size, seen, rng.choice(NOTES), at, closed, closed
