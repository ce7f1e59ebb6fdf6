"""The fields that a column can fill, and the heads that people write over such a column."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.lib.text import Text, field_label
from customers.hierarchy import Tie
from customers.importing.heads import HEADS
from customers.models import Contact, Customer, Profile

#: What an unknown column can become: an own field of the customer, called as its head.
OWN = "custom"
#: Heads of the columns that we put beside rejected rows; they are no data.
ROW_HEAD, REASON_HEAD = _("Row in the file"), _("Why it was rejected")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` is the customer's column, or profile.x, contact.x; `kind` how it reads.

    `heads` are other words for it; `example` stands in the template file.
    """

    name: str
    kind: str
    heads: tuple[str, ...]
    example: Text = ""
    label_of: tuple[type[models.Model], str] | None = None
    words: Text = ""

    @property
    def label(self) -> str:
        if self.words:
            return str(self.words)
        assert self.label_of is not None
        model, column = self.label_of
        return capfirst(str(field_label(model, column)))

    @property
    def column(self) -> models.Field[Any, Any]:
        assert self.label_of is not None
        model, column = self.label_of
        found = model._meta.get_field(column)
        assert isinstance(found, models.Field)
        return found


def _heads(name: str) -> tuple[str, ...]:
    return tuple(head.strip() for head in HEADS.get(name, "").split("|"))


def _customer(name: str, kind: str, example: Text = "", words: Text = "") -> Field:
    return Field(name, kind, _heads(name), example, (Customer, name), words)


def _profile(name: str, kind: str, example: Text = "") -> Field:
    full = f"profile.{name}"
    return Field(full, kind, _heads(full), example, (Profile, name))


def _beside(name: str, kind: str, words: Text, example: Text = "") -> Field:
    """What is kept beside the profile."""
    full = f"profile.{name}"
    return Field(full, kind, _heads(full), example, words=words)


def _contact(name: str, words: Text, kind: str = "text", example: Text = "") -> Field:
    source = (Contact, name) if name != "birthday" else None
    full = f"contact.{name}"
    return Field(full, kind, _heads(full), example, source, words)


_ALL = (
    _customer("external_id", "text", "C-00001"),
    _customer("name", "text", _("Yuezhou Grocery Ltd")),
    _customer("kind", "choice"),
    _customer("status", "choice"),
    _customer("owner", "owner"),
    _customer("parent", "tie"),
    _customer("group_head", "tie"),
    _customer("phone", "phone", "0575-85123456"),
    _customer("email", "email"),
    _customer("tax_id", "code", "91330602MA2XXXXX0X"),
    _customer("address", "text", _("88 Jiefang North Road, Yuecheng, Shaoxing, Zhejiang")),
    _customer("division", "division", "", _("Area")),
    _customer("latitude", "degrees"),
    _customer("longitude", "degrees"),
    _customer("founded_on", "date"),
    _customer("buyout", "flag"),
    _customer("tags", "tags"),
    _contact("name", _("Contact: name"), "text", _("Wang Jianguo")),
    _contact("title", _("Contact: title")),
    _contact("phone", _("Contact: phone"), "phone", "138 0000 0000"),
    _contact("email", _("Contact: e-mail"), "email"),
    _contact("wechat", _("Contact: WeChat")),
    _contact("birthday", _("Contact: birthday"), "birthday", "农历五月初三"),
    _profile("capital", "money"),
    _profile("staff_count", "count"),
    _profile("yearly_sales", "money"),
    _profile("credit_standing", "choice"),
    _profile("buys", "text"),
    _profile("yearly_purchase", "money"),
    _profile("purchase_rhythm", "choice"),
    _profile("purchase_months", "months", "1, 3, 9"),
    _profile("favourites", "text"),
    _profile("past_categories", "list"),
    _profile("promotion_attitude", "choice"),
    _profile("suggestions", "text"),
    _profile("product_satisfaction", "score"),
    _profile("service_satisfaction", "score"),
    _beside("suppliers", "suppliers", _("Main suppliers"), _("Hengxin Grain and Oil (8)")),
    _beside("supplier_scores", "scores", _("Satisfaction with main suppliers")),
)
FIELDS: dict[str, Field] = {field.name: field for field in _ALL}
#: Fields that a file may be found by.
KEYS = ("external_id", "tax_id", "phone", "name")
#: Fields that an empty cell never empties: a customer always has them.
NEVER_EMPTIED = frozenset({"name", "kind", "status", "owner", "buyout", "contact.name"})
#: Columns of the template file, in its order.
TEMPLATE = (
    "external_id", "name", "kind", "parent", "group_head", "phone", "address", "tax_id",
    "contact.name", "contact.title", "contact.phone", "contact.birthday",
    "profile.purchase_months", "profile.suppliers",
)  # fmt: skip
GROUPS: tuple[tuple[Text, str], ...] = (
    (_("Customer"), ""),
    (pgettext_lazy("person", "Contact"), "contact."),
    (_("Profile"), "profile."),
)

_BRACKETS = re.compile(r"[(\[{【〔][^)\]}】〕]*[)\]}】〕]")
_JUNK = re.compile(r"[\W_]+")


def plain(head: str) -> str:
    """A head for comparison: width, case, punctuation and what stands in brackets do not count."""
    text = unicodedata.normalize("NFKC", head).lower()
    bare = _JUNK.sub("", _BRACKETS.sub("", text))
    return bare or _JUNK.sub("", text)


def in_every_language(text: Text) -> set[str]:
    """`text` in each language of the product."""
    said = set()
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.add(str(text))
    return said


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Plain head → the fields that it may mean, the likeliest first."""
    found: dict[str, list[str]] = {}
    for field in FIELDS.values():
        labels = set()
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                labels.add(field.label)
        for head in (*labels, *field.heads, field.name):
            names = found.setdefault(plain(head), [])
            if field.name not in names:
                names.append(field.name)
    return {head: tuple(names) for head, names in found.items()}


@cache
def _ours() -> frozenset[str]:
    return frozenset(
        plain(words) for head in (ROW_HEAD, REASON_HEAD) for words in in_every_language(head)
    )


def is_ours(head: str) -> bool:
    """Whether a column is one that we put beside rejected rows."""
    return plain(head) in _ours()


def is_head(text: str) -> bool:
    """Whether `text` is a usual head of a column."""
    return plain(text) in _names()


def guess(heads: Sequence[str]) -> dict[int, str]:
    """Column → field, where the head tells; no field twice. Heads of one meaning go first."""
    chosen: dict[int, str] = {}
    taken: set[str] = set()
    meanings = [(number, _names().get(plain(head), ())) for number, head in enumerate(heads)]
    for number, names in sorted(meanings, key=lambda one: len(one[1])):
        free = [name for name in names if name not in taken]
        if free:
            chosen[number] = free[0]
            taken.add(free[0])
    return chosen


def fingerprint(heads: Iterable[str]) -> str:
    """What two files of the same columns share, whatever their order, without ours."""
    names = sorted(plain(head) for head in heads if not is_ours(head))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def remembered(heads: Sequence[str], mapping: Mapping[str, str]) -> dict[int, str]:
    """Column → field, for a mapping kept as plain head → field."""
    return {
        number: mapping[plain(head)]
        for number, head in enumerate(heads)
        if mapping.get(plain(head)) in (OWN, *FIELDS)
    }


def likely_key(mapping: Iterable[str]) -> str:
    """The field to find files by: the surest one that a column fills."""
    filled = set(mapping)
    return next((name for name in ("external_id", "tax_id", "name", "phone") if name in filled), "")


def labels(own: Iterable[str] = ()) -> dict[str, str]:
    """Field → what it is called, in the reader's language; own fields are called as they are."""
    named = {name: field.label for name, field in FIELDS.items()}
    named["owner_id"] = named["owner"]
    for tie in Tie.values:
        named[f"{tie}_id"] = named[f"{tie}_row"] = named[tie]
    return named | {f"{OWN}.{name}": name for name in own}
