"""Tiers set by hand end after their last day."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0010_line_message"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [nightly("tiers.tasks.end_overrides", "End tiers set by hand", hour=0, minute=5)]
