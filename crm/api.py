"""The one router of the REST API: the resources of every app, their schema and their docs."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

from accounts import webhook_api as webhooks
from crm.lib.api import UnknownAddress
from crm.lib.docs import DocsView, SchemaView
from customers import api as customers
from customers import contact_api as contacts
from customers import profile_api, report_api
from customers import sync_api as customer_sync
from orders import api as orders
from orders import payment_api as payments
from orders import position_api
from orders import report_api as order_reports
from orders import stock_api as stock
from orders import sync_api as order_sync
from orders import terms_api as terms
from tiers import api as tiers
from tiers import question_api, share_api
from visits import api as visits
from visits import information_api as information

MODULES = (
    customers,
    contacts,
    orders,
    terms,
    payments,
    stock,
    tiers,
    visits,
    information,
    webhooks,
)

router = SimpleRouter()
extra: list[URLPattern | URLResolver] = []
for module in MODULES:
    for prefix, viewset, basename in module.routes:
        router.register(prefix, viewset, basename)
    extra += getattr(module, "urls", [])
extra += [*profile_api.urls, *report_api.urls, *customer_sync.urls, *order_sync.urls]
extra += [*order_reports.urls, *position_api.urls, *share_api.urls, *question_api.urls]

urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocsView.as_view(), name="api-docs"),
    *extra,
    path("", include(router.urls)),
    re_path("", UnknownAddress.as_view(), name="api-unknown"),
]
