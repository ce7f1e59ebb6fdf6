"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path

from crm import search, views

urlpatterns = [
    path("", views.home, name="home"),
    path("more/", views.more, name="more"),
    path("search/", search.search, name="search"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", include("crm.api")),
    path("customers/", include("customers.urls")),
    path("orders/", include("orders.urls")),
    path("tiers/", include("tiers.urls")),
    path("visits/", include("visits.urls")),
    path("", include("accounts.signin")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]
