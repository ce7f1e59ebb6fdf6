"""Tags on many files at once: set-based, logged, and taken back exactly where they were put."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import AuditEntry, User
from accounts.models.audit import Action
from crm.lib import bulk
from customers import events
from customers.models import Customer, CustomerQuerySet

MOST_TAGS = 20
LONGEST_TAG = 30
#: Files that the tags in use are read from: those changed last.
LOOKED_AT = 3_000


def check_tag(text: str) -> str:
    """`text` as a tag; raises ValidationError where it cannot be one."""
    tag = " ".join(text.replace("\x00", "").split())
    if not tag:
        raise ValidationError(_("Write or choose a tag."), code="tag")
    if len(tag) > LONGEST_TAG:
        raise ValidationError(
            _("A tag has at most %(limit)d characters; “%(tag)s” has %(length)d."),
            code="tag",
            params={"limit": LONGEST_TAG, "tag": tag, "length": len(tag)},
        )
    if any(sign in tag for sign in ",，、;；"):
        raise ValidationError(_("One tag at a time, without commas."), code="tag")
    return tag


def add_tag(customers: CustomerQuerySet, tag: str, *, by: User, now: datetime) -> list[int]:
    """Put `tag` on those `customers` that `by` sees; the ids of the files that changed.

    Files that carry it, or MOST_TAGS others, stay as they are.
    """

    def with_it(tags: list[str]) -> list[str]:
        return tags if tag in tags or len(tags) >= MOST_TAGS else [*tags, tag]

    return _retag(customers, with_it, by=by, now=now)


def remove_tag(customers: CustomerQuerySet, tag: str, *, by: User, now: datetime) -> list[int]:
    """Take `tag` off those `customers` that `by` sees; the ids of the files that changed."""
    return _retag(customers, lambda tags: [one for one in tags if one != tag], by=by, now=now)


def in_use(customers: CustomerQuerySet) -> list[str]:
    """The tags of the files changed last among `customers`, the most frequent first."""
    newest = customers.exclude(tags=[]).order_by("-updated_at", "-id")
    counts = Counter(
        tag for tags in newest.values_list("tags", flat=True)[:LOOKED_AT] for tag in tags
    )
    return [tag for tag, _times in counts.most_common()]


@transaction.atomic
def _retag(
    customers: CustomerQuerySet,
    change: Callable[[list[str]], list[str]],
    *,
    by: User,
    now: datetime,
) -> list[int]:
    if not by.may("customers:write"):
        raise PermissionDenied
    chosen = Customer.objects.visible_to(by).filter(pk__in=customers.values("pk"))
    # In the order of their ids, as everybody locks them, so that nobody waits crosswise.
    rows = chosen.select_for_update(of=("self",)).order_by("pk").values_list("pk", "name", "tags")
    changed = [
        (pk, name, tags, after) for pk, name, tags in rows if (after := change(list(tags))) != tags
    ]
    bulk.update(Customer, ({"id": pk, "tags": after} for pk, _name, _tags, after in changed))
    ids = [pk for pk, *_rest in changed]
    for start in range(0, len(ids), 10_000):
        Customer.objects.filter(pk__in=ids[start : start + 10_000]).update(
            version=F("version") + 1, updated_at=now
        )
    blank = AuditEntry.build(
        model=Customer, object_id=0, object_name="", action=Action.UPDATE, before={}, after={}
    )
    bulk.append(
        AuditEntry,
        (
            {
                "object_id": pk,
                "object_name": name[:200],
                "before": {"tags": tags},
                "after": {"tags": after},
            }
            for pk, name, tags, after in changed
        ),
        same={
            "at": now,
            "actor_id": blank.actor_id,
            "actor_name": blank.actor_name,
            "key_id": blank.key_id,
            "through": blank.through,
            "action": blank.action,
            "model": blank.model,
        },
    )
    events.tell(changed=dict.fromkeys(ids, ("tags",)), at=now)
    return ids
