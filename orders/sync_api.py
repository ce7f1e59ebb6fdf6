"""The bulk sync endpoints of products, prices and orders."""

from django.urls import path

from accounts.sync_api import SyncSchema, SyncView, described
from orders.price_sync import PriceSync
from orders.sync import OrderSync, ProductSync


@described
class ProductSyncView(SyncView):
    """Creates and changes products by SKU."""

    scope = "products"
    resource = ProductSync
    schema = SyncSchema()


@described
class PriceSyncView(SyncView):
    """Creates and changes prices by their number in the ERP."""

    scope = "prices"
    resource = PriceSync
    schema = SyncSchema()


@described
class OrderSyncView(SyncView):
    """Creates and changes orders with their lines by order number."""

    scope = "orders"
    resource = OrderSync
    schema = SyncSchema()


urls = [
    path("products/sync/", ProductSyncView.as_view(), name="product-sync"),
    path("prices/sync/", PriceSyncView.as_view(), name="price-sync"),
    path("orders/sync/", OrderSyncView.as_view(), name="order-sync"),
]
