"""The policy of a new house: the figures of P8, in force for any day that has orders."""

from datetime import date

from django.db import migrations


def create(apps, schema_editor):
    policies = apps.get_model("tiers", "TierPolicy").objects.using(schema_editor.connection.alias)
    if not policies.exists():
        policies.create(
            name="标准",
            effective_from=date(1970, 1, 1),
            window_months=12,
            a_share="0.8000",
            b_share="0.9500",
        )


class Migration(migrations.Migration):
    dependencies = [("tiers", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
