"""The pages of orders."""

from django.urls import path

from orders.models import OrderStatus
from orders.views import credit, entry, margins, orders, payments, prices, products, reconciliation

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
    path("", orders.list_, name="list"),
    path("export/", orders.export, name="export"),
    path("new/", entry.new, name="new"),
    path("reconciliation/", reconciliation.page, name="reconciliation"),
    path("reconciliation/export/", reconciliation.export, name="reconciliation-export"),
    path("reconciliation/compare/", reconciliation.compare, name="reconciliation-compare"),
    path("<int:pk>/", orders.detail, name="detail"),
    path("<int:pk>/edit/", entry.edit, name="edit"),
    path("<int:pk>/take-back/", entry.take_back, name="take-back"),
    *(
        path(f"<int:pk>/{verb}/", entry.move, {"to": status}, name=verb)
        for verb, status in VERBS.items()
    ),
    path("of-customer/<int:pk>/", orders.of_customer, name="of-customer"),
    path("of-customer/<int:pk>/purchase/", orders.purchase_of_customer, name="purchase"),
    path("prices/", prices.list_, name="prices"),
    path("prices/export/", prices.export, name="prices-export"),
    path("prices/new/", prices.new, name="price-new"),
    path("prices/<int:pk>/edit/", prices.edit, name="price-edit"),
    path("prices/<int:pk>/end/", prices.end, name="price-end"),
    path("prices/<int:pk>/reopen/", prices.reopen, name="price-reopen"),
    path("of-customer/<int:pk>/margin/", margins.of_customer, name="margin"),
    path("terms/", margins.terms, name="terms"),
    path("terms/new/", margins.terms_new, name="terms-new"),
    path("terms/<int:pk>/edit/", margins.terms_edit, name="terms-edit"),
    path("products/options/", prices.product_options, name="product-options"),
    path("of-customer/<int:pk>/credit/", credit.of_customer, name="credit"),
    path("of-customer/<int:pk>/credit/edit/", credit.edit, name="credit-edit"),
    path("of-customer/<int:pk>/payments/new/", payments.new, name="payment-new"),
    path("<int:pk>/credit/", credit.of_order, name="order-credit"),
    path("<int:pk>/release/", credit.release_order, name="release"),
    path("<int:pk>/hold-again/", credit.hold_order_again, name="hold-again"),
    path("receivables/", credit.receivables, name="receivables"),
    path("receivables/export/", credit.receivables_export, name="receivables-export"),
    path("payments/", payments.list_, name="payments"),
    path("payments/export/", payments.export, name="payments-export"),
    path("payments/<int:pk>/", payments.detail, name="payment"),
    path("payments/<int:pk>/reverse/", payments.take_back, name="payment-reverse"),
    path("products/", products.products, name="products"),
    path("products/new/", products.product_new, name="product-new"),
    path("products/<int:pk>/", products.product, name="product"),
    path("products/<int:pk>/edit/", products.product_edit, name="product-edit"),
]
