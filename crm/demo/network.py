"""The customers of the demo: who they are, what they are worth, and where they are heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import cycle
from random import Random

from django.utils import timezone

from crm.demo.naming import Names, person
from crm.demo.places import TERRITORIES, Place, address, phone, spot
from crm.demo.writing import Writer
from customers import cards
from customers.models import Customer, IndexCard, Kind, Status

#: How a customer's business moves over the two years of orders.
STEADY, GROWING, SHRINKING, SILENT, NEW, ONCE, GIVING_BACK, BULK, NONE = (
    "steady", "growing", "shrinking", "silent", "new", "once", "giving back", "bulk", "none",
)  # fmt: skip
_HEADINGS = {
    STEADY: 43, GROWING: 14, SHRINKING: 14, SILENT: 10, NEW: 11, ONCE: 3, GIVING_BACK: 1, BULK: 1,
    NONE: 3,
}  # fmt: skip


@dataclass(slots=True)
class Dealer:
    """A customer while the demo is being made. `yearly` is what it buys in a usual year, yuan;
    `turn` is the day on which it fell silent, began, or bought its one large order."""

    id: int
    number: str
    name: str
    kind: str
    rep: str
    place: Place
    town: str
    yearly: float
    heading: str
    turn: date
    buyout: bool
    latitude: str
    longitude: str
    parent: int | None = None
    last_order: date | None = None
    tags: list[str] = field(default_factory=list)


#: Customers known from the manual: name, kind, rep, division, town, yearly amount, heading.
KNOWN: list[tuple[str, str, str, str, str, float, str]] = [
    ("绍兴越州副食品有限公司", Kind.DISTRIBUTOR, "chenli", "330602", "府山街道", 1.24e6, GROWING),
    ("诸暨大唐惠民商贸有限公司", Kind.DISTRIBUTOR, "chenli", "330681", "大唐街道", 742_180, STEADY),
    ("柯桥永泰粮油商行", Kind.DEALER, "chenli", "330603", "柯岩街道", 148_920, STEADY),
    ("上虞鸿泰食品商行", Kind.DEALER, "chenli", "330604", "百官街道", 163_700, GROWING),
    ("新昌茶乡调味品经营部", Kind.DEALER, "chenli", "330624", "七星街道", 121_340, SHRINKING),
    ("道墟金穗副食批发部", Kind.DEALER, "chenli", "330604", "道墟街道", 96_480, STEADY),
    ("马山惠家超市", Kind.OUTLET, "chenli", "330602", "马山街道", 41_206, SHRINKING),
    ("枫桥老周粮油店", Kind.OUTLET, "chenli", "330681", "枫桥镇", 38_940, STEADY),
    ("齐贤好邻居超市", Kind.OUTLET, "chenli", "330603", "齐贤街道", 8_400, STEADY),
    ("斗门阿毛便利店", Kind.OUTLET, "chenli", "330602", "斗门街道", 3_900, STEADY),
    ("锦澜纺织集团有限公司", Kind.GROUP_BUYER, "linxiaowei", "330603", "华舍街道", 9.86e5, GROWING),
    ("诸暨店口五金商会福利采购", Kind.GROUP_BUYER, "linxiaowei", "330681", "店口镇", 88_200, NEW),
    ("上虞恒信粮油贸易有限公司", Kind.DISTRIBUTOR, "sunhao", "330604", "百官街道", 655_020, STEADY),
    ("嵊州剡溪食品经营部", Kind.DEALER, "sunhao", "330683", "三江街道", 318_760, SHRINKING),
    ("安昌古镇酱园直营店", Kind.OUTLET, "sunhao", "330603", "安昌街道", 74_615, GROWING),
    ("钱清益民平价超市", Kind.OUTLET, "sunhao", "330603", "钱清街道", 52_090, STEADY),
    ("甘霖兴旺副食店", Kind.OUTLET, "sunhao", "330683", "甘霖镇", 47_833, STEADY),
    ("桐乡濮院聚丰源商行", Kind.DEALER, "zhengnan", "330483", "濮院镇", 39_800, BULK),
    ("嘉兴秀洲德润粮油商行", Kind.DEALER, "zhengnan", "330411", "王店镇", 168_400, SHRINKING),
    ("海宁许村徐记粮油店", Kind.OUTLET, "zhengnan", "330481", "许村镇", 63_500, STEADY),
    ("临平乔司大发调味行", Kind.DEALER, "wudi", "330113", "乔司街道", 171_020, SHRINKING),
    ("余杭良渚好味来超市", Kind.OUTLET, "wudi", "330110", "良渚街道", 18_300, SHRINKING),
    ("长兴雉城永鑫商行", Kind.DEALER, "qianxiaodong", "330522", "雉城街道", 22_400, GIVING_BACK),
    ("德清武康惠客多超市", Kind.OUTLET, "qianxiaodong", "330521", "武康街道", 171_900, STEADY),
    ("湖州织里佳味副食商行", Kind.DEALER, "qianxiaodong", "330502", "织里镇", 158_300, STEADY),
]  # fmt: skip

#: Kind → how many of the small demo's customers, the known ones among them.
HOW_MANY = {Kind.DISTRIBUTOR: 26, Kind.DEALER: 128, Kind.OUTLET: 198, Kind.GROUP_BUYER: 48}
#: The reps of the first team look after more customers than the others.
_SHARES = {"chenli": 36, "sunhao": 34, "linxiaowei": 36, "zhengnan": 34, "wudi": 36}
_SIZE = {Kind.DISTRIBUTOR: 3.0, Kind.DEALER: 1.9, Kind.GROUP_BUYER: 1.6, Kind.OUTLET: 1.0}
_TAGS = {
    Kind.DISTRIBUTOR: ("商超配送", "餐饮渠道", "县域分销", "自有车队", "冷链"),
    Kind.DEALER: ("批发市场", "餐饮渠道", "乡镇配送", "社区团购", "夫妻店供货"),
    Kind.OUTLET: ("学校周边", "社区店", "夫妻店", "农贸市场", "景区", "重点街区"),
    Kind.GROUP_BUYER: ("福利采购", "办公采购", "礼品采购", "食堂用油"),
}
#: Shape, shift and scale of Pareto's law for 400 customers, chosen so that the first fifth brings
#: about four fifths (P14).
_LAW = (0.8, 4.0, 8_500.0)
UNOWNED = 4


def pareto(rank: int, of: int, law: tuple[float, float, float] = _LAW) -> float:
    """What the customer of `rank` (0 is the largest) among `of` buys in a year, yuan."""
    shape, shift, scale = law
    return float(scale * ((of + shift) / (rank + shift)) ** (1 / shape))


def make_dealers(rng: Random, *, first_id: int, today: date) -> list[Dealer]:
    """The small demo's customers, in the order of their numbers."""
    names = Names(rng, tuple(known[0] for known in KNOWN))
    plans: list[tuple[str, str, str, Place, str, float, str]] = []
    places = {place.code: place for places in TERRITORIES.values() for place in places}
    for name, kind, rep, code, town, yearly, heading in KNOWN:
        plans.append((name, kind, rep, places[code], town, float(yearly), heading))

    kinds = [
        kind
        for kind, count in HOW_MANY.items()
        for _ in range(count - sum(known[1] == kind for known in KNOWN))
    ]
    # Larger businesses tend to be distributors, but not always.
    kinds.sort(key=lambda kind: _SIZE[kind] + rng.gauss(0, 0.55), reverse=True)
    reps = [rep for rep in TERRITORIES for _ in range(_SHARES.get(rep, 31))]
    rng.shuffle(reps)
    headings = [heading for heading, share in _HEADINGS.items() for _ in range(share)]
    for rank, (kind, rep) in enumerate(zip(kinds, cycle(reps), strict=False)):
        place = rng.choice(TERRITORIES[rep])
        town = rng.choice(place.towns)
        heading = rng.choice(headings)
        if rank < 8 and heading in {ONCE, GIVING_BACK, NONE, SILENT}:
            heading = STEADY
        yearly = pareto(rank, len(kinds)) * rng.lognormvariate(0, 0.12)
        plans.append((names.name(kind, place, town), kind, rep, place, town, yearly, heading))

    dealers = []
    for number, (name, kind, rep, place, town, yearly, heading) in enumerate(plans):
        latitude, longitude = spot(rng, place)
        dealers.append(
            Dealer(
                id=first_id + number,
                number=f"C-{10_001 + number}",
                name=name,
                kind=kind,
                rep=rep,
                place=place,
                town=town,
                yearly=yearly,
                heading=heading,
                turn=_turn(rng, heading, today),
                buyout=kind in {Kind.DISTRIBUTOR, Kind.DEALER} and rng.random() < 0.15,
                latitude=latitude,
                longitude=longitude,
                tags=rng.sample(_TAGS[Kind(kind)], rng.choice((0, 1, 1, 2))),
            )
        )
    dealers[0].buyout = True
    _supply(rng, dealers)
    for dealer in rng.sample([d for d in dealers if d.heading == NONE], UNOWNED):
        dealer.rep = ""
    return dealers


def _turn(rng: Random, heading: str, today: date) -> date:
    ago = {
        SILENT: (100, 430),
        NEW: (25, 330),
        ONCE: (60, 500),
        BULK: (12, 28),
        GIVING_BACK: (380, 410),
    }.get(heading, (1000, 3000))
    return today - timedelta(days=rng.randint(*ago))


def _supply(rng: Random, dealers: list[Dealer]) -> None:
    """Put dealers under a distributor of their rep, and outlets under a dealer."""
    for below, above, chance in (
        (Kind.DEALER, Kind.DISTRIBUTOR, 0.75),
        (Kind.OUTLET, Kind.DEALER, 0.7),
    ):
        for dealer in dealers:
            if dealer.kind == below and rng.random() < chance:
                near = [d for d in dealers if d.kind == above and d.rep == dealer.rep]
                dealer.parent = rng.choice(near).id if near else None


def write_dealers(
    writer: Writer, rng: Random, dealers: list[Dealer], *, reps: Mapping[str, int], today: date
) -> None:
    """Write the customer files; the orders must be made before, since they decide the status."""
    writer.write(
        Customer,
        (
            "id", "external_id", "name", "kind", "status", "parent_id", "owner_id", "division",
            "address", "latitude", "longitude", "phone", "email", "tax_id", "founded_on", "buyout",
            "tags", "custom", "source_updated_at", "created_at", "updated_at",
        ),
        (_row(rng, dealer, reps=reps, today=today) for dealer in dealers),
    )  # fmt: skip


def _row(
    rng: Random, dealer: Dealer, *, reps: Mapping[str, int], today: date
) -> tuple[object, ...]:
    if dealer.heading in {NEW, ONCE}:
        since = dealer.turn - timedelta(days=rng.randint(1, 20))
    elif dealer.heading == NONE:
        since = today - timedelta(days=rng.randint(3, 70))
    else:
        since = today - timedelta(days=rng.randint(900, 2600))
    known_at = timezone.make_aware(datetime.combine(since, time(9, rng.randrange(60))))
    founded = since - timedelta(days=rng.randint(60, 7000))
    return (
        dealer.id,
        dealer.number,
        dealer.name,
        dealer.kind,
        status_of(dealer.last_order, today),
        dealer.parent,
        reps.get(dealer.rep),
        dealer.place.code,
        address(rng, dealer.place, dealer.town),
        dealer.latitude,
        dealer.longitude,
        phone(rng, dealer.place),
        f"{dealer.number.lower()}@dealers.example" if rng.random() < 0.35 else "",
        # Letters that real numbers never hold (Z) keep these from being anybody's.
        f"91{dealer.place.code}Z{rng.randrange(10**8):08d}Z" if rng.random() < 0.8 else "",
        founded if rng.random() < 0.7 else None,
        dealer.buyout,
        dealer.tags,
        {"负责人": person(rng)} if rng.random() < 0.6 else {},
        known_at,
        known_at,
        known_at,
    )


def write_cards(writer: Writer) -> None:
    """What the customers are found by, once everything that goes into it is written."""
    columns = ("customer_id", *cards.CONTENT)
    for some in cards.chunks_of_all():
        found = cards.differing(some)
        writer.write(IndexCard, columns, ((pk, *astuple(card)) for pk, card in found.items()))


def status_of(last_order: date | None, today: date) -> str:
    """Active within half a year of an order, dormant within a year, then lost."""
    if last_order is None:
        return Status.PROSPECT
    silent = (today - last_order).days
    return Status.ACTIVE if silent <= 180 else Status.DORMANT if silent <= 365 else Status.LOST
