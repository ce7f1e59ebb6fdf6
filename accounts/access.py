"""Who sees what. Nothing else in the product decides it.

Every page, endpoint, form choice, export and task starts from `Model.objects.visible_to(user)`.
A model that belongs to a customer declares `OWNER_PATH`, the lookup path to the user who owns
that customer. What is out of sight answers 404; what is in sight but not allowed answers 403.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Concatenate,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    cast,
)

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from accounts.roles import SEES_ALL, Role

if TYPE_CHECKING:
    from accounts.models import User

P = ParamSpec("P")
M_co = TypeVar("M_co", bound=models.Model, covariant=True)

#: `OWNER_PATH` of a model that everybody may see who may read the resource at all (products).
SHARED = ""


class Owned(Protocol):
    OWNER_PATH: ClassVar[str]


class Guarded(Protocol):
    permission: str


def owned_by_sight_of(user: User | AnonymousUser, path: str) -> Q:
    """The rows whose owner, found along `path`, `user` may look over the shoulder of."""
    if not user.is_authenticated or not user.is_active:
        return Q(pk__in=[])
    if path == SHARED or user.is_superuser or user.role in SEES_ALL:
        return Q()
    if user.role == Role.MANAGER:
        # People first: asked along the path instead, PostgreSQL would join every row to its owner.
        people = get_user_model()._default_manager.filter(
            Q(pk=user.pk) | Q(team__in=user.led_team_ids())
        )
        return Q(**{f"{path}__in": people.values("pk")})
    return Q(**{path: user.pk})


class ScopedQuerySet(models.QuerySet[M_co]):
    """A QuerySet that can be narrowed to what one user may see."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows that `user` may see; none for anonymous and inactive users."""
        return self.filter(owned_by_sight_of(user, cast(type[Owned], self.model).OWNER_PATH))


def may(user: User | AnonymousUser, permission: str) -> bool:
    """Whether `user` holds `permission`; anonymous and inactive users hold none."""
    return bool(user.is_authenticated and user.is_active and user.may(permission))


def needs(
    permission: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Refuse a view with 403 to signed-in users who lack `permission`."""

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        cast(Guarded, guarded).permission = permission
        return guarded

    return decorate


def require(user: Any, permission: str) -> None:
    """Raise PermissionDenied (403) unless `user` holds `permission`."""
    if not may(user, permission):
        raise PermissionDenied
