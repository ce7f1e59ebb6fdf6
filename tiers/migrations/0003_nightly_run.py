"""The nightly run as a schedule that an administrator sees and may move."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0002_default_policy"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [nightly("tiers.tasks.run_tiers_nightly", "Tiers, every night", hour=2, minute=10)]
