"""People and the teams they work in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, cast

from django.conf import settings
from django.contrib.auth.models import (
    AbstractBaseUser,
    AnonymousUser,
    PermissionsMixin,
    UserManager,
)
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models.audit import Tracked
from accounts.roles import PERMISSIONS, SEES_ALL, Role
from crm.lib.models import Record


class TeamQuerySet(models.QuerySet["Team"]):
    def with_sizes(self) -> Self:
        """Adds `size`: how many people of the team may sign in."""
        return self.annotate(size=models.Count("members", filter=models.Q(members__is_active=True)))


class Team(Tracked, Record):
    """A team of sales people; teams form a tree, each led by one manager."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("part of"),
    )
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads",
        verbose_name=_("manager"),
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a team that would stand below itself."""
        parents = dict(Team.objects.values_list("pk", "parent_id"))
        if self.pk and self.parent_id in team_ids_below({self.pk}, parents):
            raise ValidationError(
                {"parent": _("A team cannot be part of itself or of a team below it.")},
                code="team_cycle",
            )


def team_ids_below(roots: set[int], parents: Mapping[int, int | None]) -> set[int]:
    """The ids of `roots` and of every team under them; `parents` maps a team to the one above."""
    below = set(roots)
    grew = True
    while grew:
        more = {team for team, parent in parents.items() if parent in below} - below
        below |= more
        grew = bool(more)
    return below


def tree(teams: Iterable[Team]) -> list[tuple[int, Team]]:
    """The teams as a tree from top to bottom, each with its depth (0 at the top).

    A team whose parent is not among `teams`, or that stands in a ring, counts as a top.
    """
    every = list(teams)
    below: dict[int | None, list[Team]] = defaultdict(list)
    for team in every:
        below[team.parent_id].append(team)
    placed: dict[int, tuple[int, Team]] = {}

    def place(team: Team, depth: int) -> None:
        if team.pk not in placed:
            placed[team.pk] = (depth, team)
            for child in below[team.pk]:
                place(child, depth + 1)

    known = {team.pk for team in every}
    for team in [team for team in every if team.parent_id not in known] + every:
        place(team, 0)
    return list(placed.values())


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def owners(self) -> Self:
        """People who may own a customer file."""
        return self.active().filter(role__in=[Role.REP, Role.MANAGER])

    def administrators(self) -> Self:
        """People who can let others in: the last of them must stay."""
        return self.active().filter(models.Q(role=Role.ADMINISTRATOR) | models.Q(is_superuser=True))

    def integrations(self) -> Self:
        """Accounts that API keys act for."""
        return self.active().filter(role=Role.INTEGRATION)

    def reachable_at(self, email: str) -> Self:
        """The people who may set a new password through a link mailed to `email`."""
        if not email:
            return self.none()
        return self.active().filter(email__iexact=email).exclude(role=Role.INTEGRATION)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The colleagues whose customers `user` sees, and the user's own row."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser or user.role in SEES_ALL:
            return self
        if user.role == Role.MANAGER:
            return self.filter(models.Q(pk=user.pk) | models.Q(team__in=user.led_team_ids()))
        return self.filter(pk=user.pk)


class KehuUserManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # made at run time
    def get_by_natural_key(self, username: str | None) -> User:
        return cast("User", self.get(username__iexact=username or ""))


class User(Tracked, Record, AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in, or the account API keys act for. The role says what it may do."""

    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("There is a user with this username already.")},
    )
    name = models.CharField(_("full name"), max_length=100)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=32, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.REP)
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("team"),
    )
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may open the admin site"), default=False)
    date_joined = models.DateTimeField(_("joined"), auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = KehuUserManager()

    class Meta:
        ordering = ["name", "username"]
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            # Signing in ignores case, so two names that differ in case only would lock both out.
            models.UniqueConstraint(
                Lower("username"),
                name="username_in_any_case",
                violation_error_message=_("There is a user with this username already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def display_name(self) -> str:
        return self.name or self.username

    @property
    def only_through_keys(self) -> bool:
        """Whether API keys act for this account and nobody signs in with it."""
        return self.role == Role.INTEGRATION and not self.has_usable_password()

    def get_full_name(self) -> str:
        return self.display_name

    def get_short_name(self) -> str:
        return self.display_name

    def may(self, permission: str) -> bool:
        """Whether the role of this user holds `permission` (`resource:verb`)."""
        return self.is_superuser or permission in PERMISSIONS.get(self.role, frozenset())

    @cached_property
    def sees_all(self) -> bool:
        return self.is_superuser or self.role in SEES_ALL

    @cached_property
    def _led_team_ids(self) -> frozenset[int]:
        rows = list(Team.objects.values_list("pk", "parent_id", "manager_id"))
        roots = {pk for pk, _parent, manager in rows if manager == self.pk}
        return frozenset(team_ids_below(roots, {pk: parent for pk, parent, _manager in rows}))

    def led_team_ids(self) -> frozenset[int]:
        """Ids of the teams this user leads, and of all teams below; read once per request."""
        return self._led_team_ids

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.pop("_led_team_ids", None)
        if kwargs.get("update_fields") == ["last_login"]:
            # Signing in is no change of the record: no audit entry, no new version.
            super(Record, self).save(*args, **kwargs)
        else:
            super().save(*args, **kwargs)
