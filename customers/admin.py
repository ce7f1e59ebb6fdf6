"""Customers in the plain admin, for a look behind the pages."""

from django.contrib import admin

from customers.models import Customer


@admin.register(Customer)
class CustomerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not at run time
    list_display = ("external_id", "name", "kind", "status", "abc", "owner")
    list_filter = ("kind", "status", "abc")
    list_select_related = ("owner",)
    search_fields = ("external_id", "name")
    raw_id_fields = ("parent", "owner")
    show_full_result_count = False
