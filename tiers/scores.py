"""Scores in their parts: what each criterion gives, how much it counts, and its bar (P10, P11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models

from crm.lib.text import Text


@dataclass(frozen=True, slots=True)
class Part:
    """One criterion: `value` is 0–100, None where it is not known; `weight` how much it counts.

    `share` is its part of the weights of what is known, 0–100, None where it does not count.
    """

    label: Text
    value: int | None
    weight: int
    share: int | None

    @property
    def top(self) -> str:
        """Where the bar begins, from above."""
        return f"{100 - (self.value or 0)}%"

    @property
    def height(self) -> str:
        return f"{self.value or 0}%"


def parts(
    values: Mapping[Any, int | None],
    weights: Mapping[str, int],
    criteria: type[models.TextChoices],
) -> list[Part]:
    """The criteria that have a weight, in their order."""
    known = sum(weights.get(one.value, 0) for one in criteria if values[one] is not None)
    found = []
    for one in criteria:
        weight, value = weights.get(one.value, 0), values[one]
        if weight:
            share = round(100 * weight / known) if value is not None and known else None
            found.append(Part(one.label, value, weight, share))
    return found
