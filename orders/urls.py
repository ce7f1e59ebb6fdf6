"""The pages of orders."""

from django.urls import path

from orders import entry_views, margin_views, price_views, views, views_credit, views_payments
from orders import reconciliation_views as reconciliation
from orders.models import OrderStatus

#: What a person does with an order, and what it is then.
VERBS = {
    "confirm": OrderStatus.CONFIRMED,
    "ship": OrderStatus.SHIPPED,
    "complete": OrderStatus.COMPLETED,
    "return": OrderStatus.RETURNED,
    "cancel": OrderStatus.CANCELLED,
}

app_name = "orders"
urlpatterns = [
    path("", views.list_, name="list"),
    path("export/", views.export, name="export"),
    path("new/", entry_views.new, name="new"),
    path("reconciliation/", reconciliation.page, name="reconciliation"),
    path("reconciliation/export/", reconciliation.export, name="reconciliation-export"),
    path("reconciliation/compare/", reconciliation.compare, name="reconciliation-compare"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", entry_views.edit, name="edit"),
    path("<int:pk>/take-back/", entry_views.take_back, name="take-back"),
    *(
        path(f"<int:pk>/{verb}/", entry_views.move, {"to": status}, name=verb)
        for verb, status in VERBS.items()
    ),
    path("of-customer/<int:pk>/", views.of_customer, name="of-customer"),
    path("of-customer/<int:pk>/purchase/", views.purchase_of_customer, name="purchase"),
    path("prices/", price_views.list_, name="prices"),
    path("prices/export/", price_views.export, name="prices-export"),
    path("prices/new/", price_views.new, name="price-new"),
    path("prices/<int:pk>/edit/", price_views.edit, name="price-edit"),
    path("prices/<int:pk>/end/", price_views.end, name="price-end"),
    path("prices/<int:pk>/reopen/", price_views.reopen, name="price-reopen"),
    path("of-customer/<int:pk>/margin/", margin_views.of_customer, name="margin"),
    path("terms/", margin_views.terms, name="terms"),
    path("terms/new/", margin_views.terms_new, name="terms-new"),
    path("terms/<int:pk>/edit/", margin_views.terms_edit, name="terms-edit"),
    path("products/options/", price_views.product_options, name="product-options"),
    path("of-customer/<int:pk>/credit/", views_credit.of_customer, name="credit"),
    path("of-customer/<int:pk>/credit/edit/", views_credit.edit, name="credit-edit"),
    path("of-customer/<int:pk>/payments/new/", views_payments.new, name="payment-new"),
    path("<int:pk>/credit/", views_credit.of_order, name="order-credit"),
    path("<int:pk>/release/", views_credit.release_order, name="release"),
    path("<int:pk>/hold-again/", views_credit.hold_order_again, name="hold-again"),
    path("receivables/", views_credit.receivables, name="receivables"),
    path("receivables/export/", views_credit.receivables_export, name="receivables-export"),
    path("payments/", views_payments.list_, name="payments"),
    path("payments/export/", views_payments.export, name="payments-export"),
    path("payments/<int:pk>/", views_payments.detail, name="payment"),
    path("payments/<int:pk>/reverse/", views_payments.take_back, name="payment-reverse"),
    path("products/", views.products, name="products"),
    path("products/new/", views.product_new, name="product-new"),
    path("products/<int:pk>/", views.product, name="product"),
    path("products/<int:pk>/edit/", views.product_edit, name="product-edit"),
]
