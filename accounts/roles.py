"""What each role may do: the one place that says so.

A permission is written `resource:verb`, and the scopes of API keys use the same words.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    REP = "rep", _("Sales rep")
    MANAGER = "manager", _("Sales manager")
    DIRECTOR = "director", _("Director")
    SERVICE = "service", _("Customer service")
    FINANCE = "finance", _("Finance")
    COMPLIANCE = "compliance", _("Compliance officer")
    ADMINISTRATOR = "administrator", _("Administrator")
    INTEGRATION = "integration", _("Integration")


#: Roles that see every customer; a manager sees the teams below, everybody else their own.
SEES_ALL = frozenset(
    {
        Role.DIRECTOR,
        Role.SERVICE,
        Role.FINANCE,
        Role.COMPLIANCE,
        Role.ADMINISTRATOR,
        Role.INTEGRATION,
    }
)

#: Scopes an API key can be given.
SCOPES = (
    "customers:read",
    "customers:write",
    "contacts:read",
    "contacts:write",
    "products:read",
    "products:write",
    "prices:read",
    "prices:write",
    "orders:read",
    "orders:write",
    "payments:read",
    "payments:write",
    "stock:read",
    "stock:write",
    "visits:read",
    "visits:write",
    "reminders:read",
    "reminders:write",
    "tiers:read",
    "tiers:write",
    "reports:read",
    "webhooks:read",
    "webhooks:write",
)

_READ = frozenset(
    {
        "customers:read",
        "contacts:read",
        "products:read",
        "prices:read",
        "orders:read",
        "payments:read",
        "stock:read",
        "visits:read",
        "reminders:read",
        "tiers:read",
    }
)

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.REP: _READ
    | {
        "customers:write",
        "contacts:write",
        "orders:draft",
        "stock:write",
        "visits:write",
        "reminders:write",
    },
    Role.MANAGER: _READ
    | {
        "customers:write",
        "contacts:write",
        "customers:assign",
        "orders:draft",
        "orders:write",
        "stock:write",
        "visits:write",
        "reminders:write",
        "tiers:write",
        "reports:read",
        "costs:read",
        "reads:read",
        "exceptions:approve",
    },
    Role.DIRECTOR: _READ
    | {
        "customers:assign",
        "tiers:write",
        "reports:read",
        "costs:read",
        "reads:read",
        "cadences:write",
        "stock-rules:write",
        "exceptions:approve",
    },
    Role.SERVICE: _READ
    | {"customers:write", "contacts:write", "stock:write", "visits:write", "reminders:write"},
    Role.FINANCE: _READ
    | {
        "reports:read",
        "costs:read",
        "products:write",
        "prices:write",
        "orders:draft",
        "orders:write",
        "payments:write",
        "credit:write",
        "exceptions:approve",
    },
    Role.COMPLIANCE: _READ | {"reports:read", "costs:read", "audit:read", "reads:read"},
    Role.ADMINISTRATOR: _READ
    | {
        "customers:write",
        "contacts:write",
        "customers:assign",
        "products:write",
        "prices:write",
        "orders:draft",
        "orders:write",
        "payments:write",
        "credit:write",
        "stock:write",
        "stock-rules:write",
        "reports:read",
        "costs:read",
        "tiers:write",
        "cadences:write",
        "users:write",
        "keys:write",
        "audit:read",
        "reads:read",
        "jobs:read",
        "jobs:write",
        "webhooks:read",
        "webhooks:write",
    },
    Role.INTEGRATION: frozenset({*SCOPES, "costs:read"}),
}
