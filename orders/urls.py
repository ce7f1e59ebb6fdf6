"""The pages of orders."""

from django.urls import path

from orders import reconciliation_views as reconciliation
from orders import views

app_name = "orders"
urlpatterns = [
    path("", views.list_, name="list"),
    path("export/", views.export, name="export"),
    path("reconciliation/", reconciliation.page, name="reconciliation"),
    path("reconciliation/export/", reconciliation.export, name="reconciliation-export"),
    path("reconciliation/compare/", reconciliation.compare, name="reconciliation-compare"),
    path("<int:pk>/", views.detail, name="detail"),
    path("of-customer/<int:pk>/", views.of_customer, name="of-customer"),
    path("of-customer/<int:pk>/purchase/", views.purchase_of_customer, name="purchase"),
    path("products/", views.products, name="products"),
    path("products/new/", views.product_new, name="product-new"),
    path("products/<int:pk>/", views.product, name="product"),
    path("products/<int:pk>/edit/", views.product_edit, name="product-edit"),
]
