"""Products and orders in the plain admin, for a look behind the pages."""

from django.contrib import admin

from orders.models import Order, OrderLine, Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not at run time
    list_display = ("external_id", "name", "category", "dealer_price", "retail_price", "active")
    list_filter = ("active",)
    search_fields = ("external_id", "name")
    show_full_result_count = False


class LineInline(admin.TabularInline):  # type: ignore[type-arg]  # not at run time
    model = OrderLine
    raw_id_fields = ("product",)
    extra = 0


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not at run time
    list_display = ("__str__", "customer", "ordered_at", "status", "amount")
    list_filter = ("status",)
    list_select_related = ("customer",)
    search_fields = ("external_id",)
    raw_id_fields = ("customer",)
    inlines = (LineInline,)
    show_full_result_count = False
