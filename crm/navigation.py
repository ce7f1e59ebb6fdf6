"""The frame of every page: the rail, the phone's bottom bar, company, theme and time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.roles import Role
from crm.lib.text import Text
from customers.models import Promise
from visits.models import Reminder


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the navigation can lead to; shown to who holds `permission`."""

    url_name: str
    label: Text
    icon: str
    permission: str = ""
    prominent: bool = False


@dataclass(slots=True)
class Item:
    url: str
    label: Text
    icon: str
    current: bool = False
    count: int = 0
    prominent: bool = False


@dataclass(slots=True)
class Group:
    head: Text | None = None
    items: list[Item] = field(default_factory=list)


TODAY = Page("visits:today", _("Today"), "sun", "visits:write")
CUSTOMERS = Page("customers:list", _("Customers"), "building-storefront", "customers:read")
DUPLICATES = Page(
    "customers:duplicates", _("Possible duplicates"), "document-duplicate", "customers:write"
)
NETWORKS = Page("customers:networks", _("Network"), "share", "customers:read")
HAND_OVER = Page("customers:hand-over", _("Hand-over"), "arrows-right-left", "customers:assign")
GAPS = Page("customers:completeness", _("Completeness"), "chart-pie", "reports:read")
VISITS = Page("visits:list", _("Visits"), "map", "visits:read")
OVERDUE = Page("visits:overdue", _("Overdue visits"), "clock", "visits:read")
SIGHTINGS = Page("visits:sightings", _("Competitors seen"), "eye", "visits:read")
INFORMATION = Page(
    "visits:information-list", _("Market information"), "newspaper", "customers:read"
)
STOCK = Page("orders:stock", _("Dealer stock"), "inbox-stack", "stock:read")
STOCK_RULES = Page(
    "orders:stock-rules", _("Stock rules"), "clipboard-document-list", "stock-rules:write"
)
LEAVING = Page(
    "tiers:leaving", _("Leaving silently"), "arrow-right-start-on-rectangle", "tiers:read"
)
PROMISES = Page("customers:promises", _("Promises"), "flag", "customers:read")
REMINDERS = Page("visits:reminders", _("Reminders"), "bell", "reminders:read")
LOG = Page(
    "customers:log-interaction",
    pgettext_lazy("button", "Log"),
    "plus",
    "customers:write",
    prominent=True,
)
ORDERS = Page("orders:list", _("Orders"), "cube", "orders:read")
PAYMENTS = Page("orders:payments", _("Payments"), "banknotes", "payments:read")
RECEIVABLES = Page("orders:receivables", _("Receivables"), "wallet", "reports:read")
REVIEWS = Page("orders:reviews", _("Credit reviews"), "clipboard-document-check", "reports:read")
PRODUCTS = Page("orders:products", _("Products"), "archive-box", "products:read")
PRICES = Page("orders:prices", _("Prices"), "tag", "prices:read")
TERMS = Page("orders:terms", _("Trade terms"), "scale", "prices:read")
EXCEPTIONS = Page(
    "orders:exceptions", _("Exceptions to the minimum"), "arrow-down-on-square", "orders:read"
)
CREDIT_RULES = Page("orders:credit-rules", _("Credit rules"), "calculator", "reports:read")
RECONCILIATION = Page(
    "orders:reconciliation", _("Reconciliation"), "document-check", "reports:read"
)
STOCK_REPORTS = Page(
    "orders:stock-reports", _("Stock reports"), "clipboard-document-list", "stock:read"
)
SELL_OUTS = Page("orders:sell-outs", _("Sell-outs"), "shopping-bag", "stock:read")
TIERS = Page("tiers:report", _("Tier report"), "chart-bar", "tiers:read")
KEY_ACCOUNTS = Page("tiers:key-accounts", _("Key accounts"), "star", "tiers:write")
OVERRIDES = Page("tiers:overrides", _("Tiers set by hand"), "hand-raised", "tiers:write")
SHARE = Page("tiers:share", _("Customer share"), "calculator", "reports:read")
QUESTIONS = Page("tiers:questions", _("Eight questions"), "question-mark-circle", "reports:read")
RUNS = Page("tiers:runs", _("Tier runs"), "arrow-path", "tiers:read")
POLICIES = Page("tiers:policies", _("Tier policy"), "adjustments-horizontal", "tiers:read")
CADENCES = Page("visits:cadences", _("Cadences and occasions"), "calendar", "cadences:write")
USERS = Page("accounts:users", _("Users"), "user", "users:write")
TEAMS = Page("accounts:teams", _("Teams"), "user-group", "users:write")
KEYS = Page("accounts:keys", _("API keys"), "key", "keys:write")
SYNCS = Page("accounts:syncs", _("Sync log"), "arrows-up-down", "keys:write")
WEBHOOKS = Page("accounts:webhooks", _("Webhooks"), "bolt", "webhooks:write")
AUDIT = Page("accounts:audit", _("Audit log"), "shield-check", "audit:read")
JOBS = Page("accounts:jobs", _("Jobs"), "clock", "jobs:read")
MORE = Page("more", _("More"), "bars-3")

RAIL: tuple[tuple[Text | None, tuple[Page, ...]], ...] = (
    (None, (TODAY, CUSTOMERS, REMINDERS, PROMISES)),
    (_("Field"), (VISITS, OVERDUE, LEAVING, SIGHTINGS, INFORMATION)),
    (_("Sales"), (ORDERS, EXCEPTIONS, PRODUCTS, PRICES, KEY_ACCOUNTS, NETWORKS, DUPLICATES)),
    (_("Dealer stock"), (STOCK, STOCK_REPORTS, SELL_OUTS)),
    (_("Money"), (PAYMENTS, RECEIVABLES, REVIEWS, RECONCILIATION)),
    (_("Analysis"), (TIERS, QUESTIONS, SHARE, GAPS, OVERRIDES, RUNS)),
    (_("Rules"), (TERMS, CREDIT_RULES, STOCK_RULES, POLICIES, CADENCES)),
    (_("Administration"), (USERS, TEAMS, HAND_OVER, KEYS, SYNCS, WEBHOOKS, JOBS, AUDIT)),
)

TABS: dict[str, tuple[Page, ...]] = {
    Role.REP: (TODAY, CUSTOMERS, LOG, REMINDERS, MORE),
    Role.MANAGER: (TIERS, CUSTOMERS, OVERDUE, VISITS, MORE),
    Role.DIRECTOR: (TIERS, QUESTIONS, CUSTOMERS, OVERDUE, MORE),
    Role.SERVICE: (CUSTOMERS, ORDERS, LOG, REMINDERS, MORE),
    Role.FINANCE: (ORDERS, RECEIVABLES, PAYMENTS, CUSTOMERS, MORE),
    Role.COMPLIANCE: (CUSTOMERS, ORDERS, VISITS, AUDIT, MORE),
    Role.ADMINISTRATOR: (USERS, TEAMS, KEYS, AUDIT, MORE),
    Role.INTEGRATION: (CUSTOMERS, ORDERS, PRODUCTS, TIERS, MORE),
}

#: The first page after signing in.
HOMES: dict[str, str] = {
    Role.REP: "visits:today",
    Role.MANAGER: "tiers:report",
    Role.DIRECTOR: "tiers:report",
    Role.SERVICE: "customers:list",
    Role.FINANCE: "orders:list",
    Role.COMPLIANCE: "orders:list",
    Role.ADMINISTRATOR: "accounts:users",
    Role.INTEGRATION: "customers:list",
}


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame`, worked out only where a template asks for it."""
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _standing_on(request: HttpRequest) -> Page | None:
    """The page of the navigation that the reader is on, or on a page below it."""
    match = request.resolver_match
    if match is None:
        return None
    if match.url_name in {
        "of-customer",
        "credit",
        "credit-edit",
        "payment-new",
        "exception-new",
        "stock-of-customer",
    }:
        return CUSTOMERS  # a tab of the customer's file, whichever app it comes from
    known = {page for _head, pages in RAIL for page in pages} | {LOG, MORE}
    exact = next((page for page in known if page.url_name == match.view_name), None)
    above = [page for page in known if request.path.startswith(reverse(page.url_name))]
    return exact or max(above, key=lambda page: len(reverse(page.url_name)), default=None)


def _waiting(user: User, today: date) -> dict[str, int]:
    """How much waits for the reader on a page, by the page's name: one statement, on every page."""
    waiting: list[QuerySet[Any, Any]] = []
    if user.may("reminders:write"):
        waiting.append(_counted("visits:reminders", Reminder.objects.of(user).current(today)))
    if user.may("customers:write"):
        waiting.append(
            _counted("customers:promises", Promise.objects.visible_to(user).of(user).waiting(today))
        )
    return dict(waiting[0].union(*waiting[1:], all=True)) if waiting else {}


def _counted(page: str, rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    name = Value(page, output_field=CharField())
    counted: QuerySet[Any, Any]
    counted = rows.order_by().values(page=name).annotate(n=Count("pk")).values_list("page", "n")
    return counted


def _frame(request: HttpRequest) -> dict[str, Any]:
    theme = request.COOKIES.get("theme", "")
    frame: dict[str, Any] = {
        "company": settings.COMPANY_NAME,
        "theme": theme if theme in {"dark", "light"} else "",
        "now": timezone.localtime().isoformat(timespec="seconds"),
        "rail": [],
        "tabs": [],
        "more": [],
    }
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return frame
    counts = _waiting(user, timezone.localdate())
    here = _standing_on(request)

    def item(page: Page) -> Item:
        return Item(
            url=reverse(page.url_name),
            label=page.label,
            icon=page.icon,
            current=page is here,
            count=counts.get(page.url_name, 0),
            prominent=page.prominent,
        )

    def open_to_user(page: Page) -> bool:
        return not page.permission or user.may(page.permission)

    for head, pages in RAIL:
        items = [item(page) for page in pages if open_to_user(page)]
        if items:
            frame["rail"].append(Group(head=head, items=items))
    frame["tabs"] = [item(page) for page in TABS.get(user.role, ()) if open_to_user(page)]
    tabs = {tab.url for tab in frame["tabs"]}
    frame["more"] = [
        entry for group in frame["rail"] for entry in group.items if entry.url not in tabs
    ]
    return frame
