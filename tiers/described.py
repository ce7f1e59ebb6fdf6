"""What a policy says, column by column, as people read it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.lib.formats import DASH
from crm.lib.text import Text
from tiers.models import KeyCriterion, PotentialCriterion, TierPolicy
from tiers.reasons import line

#: Columns that name a version and date it; all others say how customers are judged.
BESIDE = frozenset(
    {"id", "name", "revision", "effective_from", "created_at", "updated_at", "version"}
)
#: What is said (column, or column and part), and the label and value in words.
Told: TypeAlias = dict[str, tuple[str, str]]

#: The columns in groups: heading, what the group is for, names.
GROUPS: tuple[tuple[Text, Text, tuple[str, ...]], ...] = (
    (
        _("Ranking"),
        _("Customers stand in line by what they bought; two lines cut it into A, B and C."),
        ("measure", "ranked_within", "window_months", "a_share", "b_share", "downgrade_runs"),
    ),
    (
        _("Loyalty class"),
        _("Loyal are customers that buy in many months and little elsewhere, or launches early."),
        (
            "loyal_months",
            "loyal_wallet_share",
            "most_sightings",
            "early_launches",
            "launch_days",
            "switcher_months",
        ),
    ),
    (
        _("Key-account score"),
        _("How much each criterion counts, 0–100; with 0 everywhere nothing is scored."),
        ("key_weights", "key_from"),
    ),
    (
        _("Potential score"),
        _("How much each criterion counts, 0–100; the highest are followed closely."),
        ("potential_weights",),
    ),
    (
        _("Leaving silently"),
        _("Who is taken for leaving, from when on it has gone, and how long one order is enough."),
        ("leaving_below", "gone_after_days", "silence_days"),
    ),
    (
        _("Version"),
        _("A version decides from its day on, until the next one."),
        ("name", "effective_from"),
    ),
)
#: What the fields of the form say beneath.
HELP: dict[str, Text] = {
    "measure": _(
        "A margin counts line by line; what has no line or no cost on file counts nothing."
    ),
    "ranked_within": _("Each group has its own A, B and C; without a division is one group."),
    "window_months": _("Orders count that many months back from the day of the run."),
    "a_share": _("In per cent: A as long as those before bring less than this."),
    "b_share": _("In per cent, above the A line: who comes after it is C."),
    "downgrade_runs": _("With 2, a customer falls only if two runs of different days agree."),
    "loyal_months": _("Months of the window with a purchase; empty: nobody is classed."),
    "loyal_wallet_share": _("In per cent of all it buys of our kind; unknown passes."),
    "most_sightings": _("Competitors seen there in visits, at most."),
    "early_launches": _("So many new products bought early make loyal, whatever the rest says."),
    "launch_days": _("How long after its launch buying a product is early."),
    "switcher_months": _("Fewer months than loyal; who buys still less has no brand loyalty."),
    "key_from": _("From this score on a customer is proposed; a manager confirms."),
    "leaving_below": _(
        "In per cent: a customer less likely than this to be still there is on the list of those"
        " who leave, from the estimate of the next night on."
    ),
    "gone_after_days": _(
        "After so many days without a purchase no visit brings it back: it is on the list of those"
        " who have gone."
    ),
    "silence_days": _(
        "Who ordered once ever, and not again for so many days, has bought once and stopped."
    ),
    "effective_from": _("Today or later; usually the first of a month."),
}
#: The parts of the columns that hold weights.
CRITERIA: dict[str, type[models.TextChoices]] = {
    "key_weights": KeyCriterion,
    "potential_weights": PotentialCriterion,
}


def judged() -> list[models.Field[Any, Any]]:
    """The columns that say how customers are judged."""
    return [field for field in TierPolicy._meta.concrete_fields if field.name not in BESIDE]


def is_share(name: str) -> bool:
    """Whether a column holds a share of 0–1, which people write in per cent."""
    return name.endswith("_share") or name == "leaving_below"


def told(policy: TierPolicy) -> Told:
    """Everything that decides, in the order of the columns."""
    found: Told = {}
    for field in judged():
        value = getattr(policy, field.name)
        label = capfirst(str(field.verbose_name))
        if field.name in CRITERIA:
            for part in CRITERIA[field.name]:
                weight = str(value.get(part.value, 0))
                found[f"{field.name}.{part.value}"] = (weight_of(field.name, part), weight)
        else:
            found[field.name] = (label, _text(field, value))
    return found


def weight_of(name: str, part: models.TextChoices) -> str:
    """What the weight of a criterion is called."""
    if name == "key_weights":
        return gettext("Key account: %(criterion)s") % {"criterion": part.label}
    return gettext("Potential: %(criterion)s") % {"criterion": part.label}


def _text(field: models.Field[Any, Any], value: Any) -> str:
    if value is None:
        return DASH
    if is_share(field.name):
        return line(Decimal(value))
    return str(dict(field.flatchoices).get(value, value))


def grouped(policy: TierPolicy) -> list[tuple[Text, Text, list[tuple[str, str]]]]:
    """Everything that decides, by group: heading, what for, labels with values."""
    lines = told(policy)
    found = []
    for label, why, names in GROUPS:
        inside = [
            (_short(key) or name, value)
            for column in names
            for key, (name, value) in lines.items()
            if key.split(".")[0] == column
        ]
        if inside:
            found.append((label, why, inside))
    return found


def _short(key: str) -> str:
    """What a weight is called under the heading of its group; "" for other columns."""
    name, _dot, part = key.partition(".")
    return capfirst(str(CRITERIA[name](part).label)) if part else ""
