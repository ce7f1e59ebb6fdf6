"""Who may do what, in templates: {% load access %}, then {% if user|may:"tiers:write" %}."""

from __future__ import annotations

from django import template
from django.contrib.auth.models import AnonymousUser

from accounts import access
from accounts.models import User

register = template.Library()


@register.filter
def may(user: User | AnonymousUser, permission: str) -> bool:
    """Whether `user` holds `permission`."""
    return access.may(user, permission)
