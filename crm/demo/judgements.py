"""What managers and reps of the demo decide by hand: tiers, key accounts, ratings (P10–P12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from accounts.models import User
from customers.models import Customer, CustomerQuerySet, Tier
from tiers import keyaccounts, overrides
from tiers.keyaccounts import RATED
from tiers.models import Assessment, Rating, TierOverride

#: How many customers are rated.
RATINGS = 40
#: Tiers set by hand that are in force: from, to, days that it lasts, why.
IN_FORCE = (
    (Tier.B, Tier.A, 160, "县域总代，下半年新增三个乡镇网点，按 A 级配送和拜访"),
    (Tier.B, Tier.A, 75, "旗舰终端，新品首发必须进店，保 A 级服务到首发结束"),
    (Tier.C, Tier.B, 120, "新开两家分店，半年内先按 B 级支持"),
    (Tier.A, Tier.B, 45, "货款拖了两个月，回款前按 B 级服务"),
)
#: One that was ended before its day, and one whose day has come.
ENDED = (Tier.B, Tier.C, 90, "店面装修停业，暂按 C 级拜访")
EXPIRED = (Tier.B, Tier.A, 14, "春季促销重点支持，活动期间按 A 级拜访")
CONFIRMATIONS = (
    "全年稳定增长，愿意签三年框架协议",
    "区域里唯一覆盖商超和餐饮的客户，配合新品首发",
    "毛利高，付款准时，老板愿意共享库存数据",
    "集团客户，总部点名要长期合作",
    "县里排名第一，带动周边二十多家网点",
    "做我们独家，货架占比超过六成",
)
MOST = len(CONFIRMATIONS)
WITHDRAWN = "换了老板，主推竞品，不再按大客户对待"


def set_tiers(as_of: date, *, last: bool) -> None:
    """Set tiers by hand two days after the run of `as_of`; `last` are those that still count."""
    day = as_of + timedelta(days=2)
    if not last:
        for customer, by in _chosen(EXPIRED[0]):
            _set(customer, by, EXPIRED, day)
        return
    for told in (*IN_FORCE, ENDED):
        for customer, by in _chosen(told[0]):
            override = _set(customer, by, told, day)
            if told is ENDED:
                overrides.end(override=override, by=by, now=_at(day + timedelta(days=3)))


def _set(
    customer: Customer, by: User, told: tuple[Tier, Tier, int, str], day: date
) -> TierOverride:
    _was, tier, days, reason = told
    return overrides.set_tier(
        customer=customer, tier=tier, reason=reason, until=day + timedelta(days=days), by=by,
        now=_at(day), today=day,
    )  # fmt: skip


def write_ratings(chance: Random, *, day: date) -> None:
    """The best customers as their reps know them; some questions stay open."""
    largest = _owned().order_by("-net_amount", "pk").exclude(net_amount=None)[:RATINGS]
    for customer in largest:
        assert customer.owner is not None
        marks = {name: chance.randint(2, 10) for name in RATED if chance.random() < 0.85}
        if marks:
            rating = Rating(customer=customer, **marks)
            keyaccounts.rate(rating=rating, by=customer.owner, now=_at(day))


def confirm_key_accounts(*, now: datetime) -> int:
    """Confirm customers that scored best, take one back, and say how many stay."""
    scored = Assessment.objects.scored().filter(customer__in=_owned())
    best = [one.customer for one in scored.select_related("customer__owner__team__manager")[:MOST]]
    words = [
        (keyaccounts.confirm(customer=customer, reason=reason, by=by, now=now), by)
        for (customer, by), reason in zip(_with_managers(best), CONFIRMATIONS, strict=False)
    ]
    if len(words) > 1:
        word, by = words.pop()
        keyaccounts.withdraw(word=word, reason=WITHDRAWN, by=by, now=now)
    return len(words)


def _owned() -> CustomerQuerySet:
    """Customers of people who are there, with the team that they belong to."""
    owned = Customer.objects.filter(owner__is_active=True, owner__team__manager__isnull=False)
    return owned.select_related("owner__team__manager")


def _chosen(tier: Tier) -> Iterator[tuple[Customer, User]]:
    """The largest customer of a tier for which nobody has set one, with who decides."""
    taken = TierOverride.objects.values("customer")
    free = _owned().filter(abc=tier).exclude(pk__in=taken)
    return _with_managers(free.order_by("-net_amount", "pk")[:1])


def _with_managers(customers: Iterable[Customer]) -> Iterator[tuple[Customer, User]]:
    for customer in customers:
        assert customer.owner is not None
        assert customer.owner.team is not None
        assert customer.owner.team.manager is not None
        yield customer, customer.owner.team.manager


def _at(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(10, 30)), timezone.get_default_timezone())
