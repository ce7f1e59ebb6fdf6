"""The one router of the REST API: the resources of every app, their schema and their docs."""

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from crm.lib.api import UnknownAddress

ROUTES: list[tuple[str, Any, str]] = []

router = SimpleRouter()
for prefix, viewset, basename in ROUTES:
    router.register(prefix, viewset, basename)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    re_path("", UnknownAddress.as_view(), name="api-unknown"),
]
