"""No change of a tier without its time and its customer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tiers", "0008_when_tiers_changed")]
    operations = [
        migrations.AlterField(
            model_name="tierchange",
            name="changed_at",
            field=models.DateTimeField(verbose_name="changed"),
        ),
        migrations.AlterField(
            model_name="tierchange",
            name="recorded_for",
            field=models.BigIntegerField(),
        ),
    ]
