"""The bulk sync endpoints of products and orders."""

from django.urls import path

from accounts.sync_api import SyncSchema, SyncView, described
from orders.sync import OrderSync, ProductSync


@described
class ProductSyncView(SyncView):
    """Creates and changes products by SKU."""

    scope = "products"
    resource = ProductSync
    schema = SyncSchema()


@described
class OrderSyncView(SyncView):
    """Creates and changes orders with their lines by order number."""

    scope = "orders"
    resource = OrderSync
    schema = SyncSchema()


urls = [
    path("products/sync/", ProductSyncView.as_view(), name="product-sync"),
    path("orders/sync/", OrderSyncView.as_view(), name="order-sync"),
]
