"""The task that deletes old files of counts and sell-outs."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('orders', '0011_unsettled'),
    ]

    operations = [
        nightly("orders.tasks.clear_stock_imports", "Delete old files of stock", hour=4, minute=15),
    ]
