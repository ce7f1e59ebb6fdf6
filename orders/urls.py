"""The pages of orders."""

from django.urls import path

from orders.models import OrderStatus, StockImportKind
from orders.views import (
    adjustments,
    credit,
    entry,
    margins,
    orders,
    payments,
    positions,
    prices,
    products,
    reconciliation,
    sell_outs,
    stock_imports,
    stock_reports,
    stock_rules,
)

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
    path("stock-reports/", stock_reports.list_, name="stock-reports"),
    path("stock-reports/export/", stock_reports.export, name="stock-reports-export"),
    path("of-customer/<int:pk>/stock/report/", stock_reports.new, name="stock-report-new"),
    path("stock-reports/<int:pk>/", stock_reports.detail, name="stock-report"),
    path("stock-reports/<int:pk>/edit/", stock_reports.edit, name="stock-report-edit"),
    path("stock-reports/<int:pk>/take-back/", stock_reports.take_back, name="stock-report-back"),
    path("stock-reports/<int:pk>/restore/", stock_reports.restore, name="stock-report-restore"),
    path("sell-outs/", sell_outs.list_, name="sell-outs"),
    path("sell-outs/export/", sell_outs.export, name="sell-outs-export"),
    path("of-customer/<int:pk>/stock/sell-out/", sell_outs.new, name="sell-out-new"),
    path("sell-outs/<int:pk>/", sell_outs.detail, name="sell-out"),
    path("sell-outs/<int:pk>/take-back/", sell_outs.take_back, name="sell-out-back"),
    path("sell-outs/<int:pk>/restore/", sell_outs.restore, name="sell-out-restore"),
    path("of-customer/<int:pk>/stock/adjustment/", adjustments.new, name="adjustment-new"),
    path("adjustments/<int:pk>/", adjustments.detail, name="adjustment"),
    path("adjustments/<int:pk>/take-back/", adjustments.take_back, name="adjustment-back"),
    path("adjustments/<int:pk>/restore/", adjustments.restore, name="adjustment-restore"),
    path("stock-imports/", stock_imports.list_, name="stock-imports"),
    *(
        path(
            f"stock-imports/template-{kind}/",
            stock_imports.template,
            {"kind": kind},
            name=f"stock-import-template-{kind}",
        )
        for kind in StockImportKind.values
    ),
    path("stock-imports/<int:pk>/", stock_imports.detail, name="stock-import"),
    path("stock-imports/<int:pk>/write/", stock_imports.write, name="stock-import-write"),
    path("stock-imports/<int:pk>/rejected/", stock_imports.rejected, name="stock-import-rejected"),
    path("stock/", positions.list_, name="stock"),
    path("stock/export/", positions.export, name="stock-export"),
    path("stock/<int:pk>/", positions.position, name="stock-position"),
    path("stock/rules/", stock_rules.rules, name="stock-rules"),
    path("stock/rules/new/", stock_rules.new, name="stock-rules-new"),
    path("stock/rules/<int:pk>/edit/", stock_rules.edit, name="stock-rules-edit"),
    path("of-customer/<int:pk>/stock/", positions.of_customer, name="stock-of-customer"),
    path("products/", products.products, name="products"),
    path("products/new/", products.product_new, name="product-new"),
    path("products/<int:pk>/", products.product, name="product"),
    path("products/<int:pk>/edit/", products.product_edit, name="product-edit"),
]
