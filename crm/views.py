"""The pages above all apps: home, more, health, errors."""

from __future__ import annotations

import os
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from accounts.models import User
from crm.celery import app
from crm.navigation import HOMES


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The first page of the reader's role."""
    user = cast(User, request.user)
    return redirect(HOMES.get(user.role, "customers:list"))


@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """Everything the phone's bottom bar has no room for."""
    return render(request, "crm/more.html")


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database, the broker and the migrations are ready; 503 says which is not."""
    checks = {"database": _database(), "migrations": _migrations(), "broker": _broker()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "unready", "checks": checks}, status=200 if ready else 503
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unreachable"
    return f"{len(missing)} missing" if missing else "ok"


def _broker() -> str:
    if not settings.REDIS_URL:
        writable = os.access(settings.BROKER_DIR / "queue", os.W_OK | os.X_OK)
        return "ok" if writable else "not writable"
    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OSError, OperationalError):
        return "unreachable"
    return "ok"
