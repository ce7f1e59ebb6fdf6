"""What goes along when a customer's file changes hands: rows of every app that wait for its owner.

An app offers its rows from a module `handover`; promises and planned visits are such.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from django.apps import apps
from django.db.models import QuerySet
from django.utils.module_loading import autodiscover_modules, module_has_submodule

from crm.lib.text import Text
from customers.models import Customer


class Companion(Protocol):
    """What the `handover` module of an app offers: rows that pass with a customer."""

    KIND: str
    LABEL: Text

    def waiting(self, customers: QuerySet[Customer], *, giver: int) -> int: ...
    def hand_over(
        self, customer_ids: Collection[int], *, giver: int, to: int, now: datetime
    ) -> list[int]: ...
    def hand_back(self, ids: Collection[int], *, giver: int, to: int, now: datetime) -> None: ...


@cache
def companions() -> tuple[Companion, ...]:
    """The `handover` modules of all installed apps, in the order of the apps."""
    autodiscover_modules("handover")
    return tuple(
        cast(Companion, import_module(f"{app.name}.handover"))
        for app in apps.get_app_configs()
        if app.module and module_has_submodule(app.module, "handover")
    )


def follow(owners: Mapping[int, int | None], *, to: int | None, now: datetime) -> None:
    """Pass what waits for the former owners of files (id → owner) on to `to`, who has them now.

    Without a new owner, or a former one, it stays where it is.
    """
    if to is None:
        return
    given: dict[int, list[int]] = defaultdict(list)
    for pk, owner in owners.items():
        if owner is not None and owner != to:
            given[owner].append(pk)
    for giver, ids in given.items():
        for one in companions():
            one.hand_over(ids, giver=giver, to=to, now=now)
