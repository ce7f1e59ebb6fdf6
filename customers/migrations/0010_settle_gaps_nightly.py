"""Looks every night which gaps are filled: 03:50 company time, as a schedule one may move."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0009_gaps_to_fill"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly("customers.tasks.settle_assignments", "Settle gaps that are filled", hour=3, minute=50)
    ]
