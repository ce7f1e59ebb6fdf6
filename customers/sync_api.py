"""The bulk sync endpoint of customers."""

from django.urls import path

from accounts.sync_api import SyncSchema, SyncView, described
from customers.sync import CustomerSync


@described
class CustomerSyncView(SyncView):
    """Creates and changes customers by their number in the ERP."""

    scope = "customers"
    resource = CustomerSync
    schema = SyncSchema()


urls = [path("customers/sync/", CustomerSyncView.as_view(), name="customer-sync")]
