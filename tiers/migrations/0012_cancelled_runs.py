"""A run can be cancelled, and says by whom."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tiers", "0011_end_overrides_daily"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="tierrun",
            name="cancelled_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="tierrun",
            name="error",
            field=models.CharField(
                blank=True,
                choices=[
                    ("error", "It stopped with an error; the log of the worker says which."),
                    ("queue", "The job queue could not be reached."),
                    ("abandoned", "The worker never finished it."),
                    ("cancelled", "It was cancelled."),
                ],
                max_length=20,
            ),
        ),
    ]
