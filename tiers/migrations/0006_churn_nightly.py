"""The estimate of who leaves, every night after the tiers."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0005_share_scenarios"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly(
            "tiers.tasks.forecast_churn_nightly", "Estimate who leaves silently", hour=2, minute=30
        )
    ]
