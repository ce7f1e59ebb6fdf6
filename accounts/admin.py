"""People, teams, keys and the log in the plain admin: for superusers, when nothing else helps."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import ApiKey, AuditEntry, Team, User

# Addresses live on the user; allauth's own table of them stays empty.
if admin.site.is_registered(EmailAddress):
    admin.site.unregister(EmailAddress)


class Kept:
    """Rows of this kind are never deleted here."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(Kept):
    """Rows of this kind are looked at, not written."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(User)
class PersonAdmin(Kept, UserAdmin):  # type: ignore[type-arg]  # not generic at run time
    list_display = ("username", "name", "role", "team", "is_active", "is_superuser")
    list_filter = ("role", "is_active", "is_superuser")
    list_select_related = ("team",)
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (None, {"fields": ("name", "email", "phone", "language", "role", "team")}),
        (None, {"fields": ("is_active", "is_superuser", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "name", "role", "usable_password", "password1", "password2")},
        ),
    )


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("name", "parent", "manager")
    list_select_related = ("parent", "manager")
    search_fields = ("name",)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        for team in queryset:  # one by one, so that the log has each of them
            team.delete()


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("name", "hint", "user", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    exclude = ("digest",)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    list_display = ("at", "actor_name", "through", "action", "model", "object_name")
    list_filter = ("through", "action")
    show_full_result_count = False
    ordering: ClassVar[Any] = ("-id",)
