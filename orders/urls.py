"""The pages of orders."""

from django.urls import path

from orders import views, views_credit, views_payments

app_name = "orders"
urlpatterns = [
    path("", views.list_, name="list"),
    path("export/", views.export, name="export"),
    path("<int:pk>/", views.detail, name="detail"),
    path("of-customer/<int:pk>/", views.of_customer, name="of-customer"),
    path("of-customer/<int:pk>/purchase/", views.purchase_of_customer, name="purchase"),
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
