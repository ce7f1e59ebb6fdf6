"""Who is acting, and how: the context that every audit entry is written under."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import ApiKey, User


class Through(models.TextChoices):
    """The way a change came in."""

    PAGE = "page", _("Page")
    API = "api", _("API")
    SYNC = "sync", _("Sync")
    JOB = "job", _("Job")
    COMMAND = "command", _("Command")


@dataclass(frozen=True, slots=True)
class Acting:
    """The person or key behind the changes of one request, job or command."""

    user: User | None = None
    key: ApiKey | None = None
    through: str = Through.COMMAND


_NOBODY = Acting()
_acting: ContextVar[Acting] = ContextVar("acting", default=_NOBODY)


def current() -> Acting:
    """Who is acting now; a bare command where nobody said."""
    return _acting.get()


@contextmanager
def acting(
    *, user: User | None = None, key: ApiKey | None = None, through: str
) -> Iterator[Acting]:
    """Write the audit entries of this block under `user` or `key`."""
    who = Acting(user=user, key=key, through=through)
    token = _acting.set(who)
    try:
        yield who
    finally:
        _acting.reset(token)


def name_key(*, user: User, key: ApiKey) -> None:
    """Write the rest of the present block under `key`, which has just signed in.

    Outside of a block nothing is named: nobody would take the name back.
    """
    who = current()
    if who is not _NOBODY:
        _acting.set(Acting(user=user, key=key, through=who.through))
