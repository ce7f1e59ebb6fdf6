"""A percent sign in a message that Django formats is written twice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tiers", "0009_changes_say_when")]

    operations = [
        migrations.AlterConstraint(
            model_name="tierpolicy",
            name="policy_shares_in_order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("a_share__gt", 0), ("b_share__gt", models.F("a_share")), ("b_share__lte", 1)
                ),
                name="policy_shares_in_order",
                violation_error_message="The B line lies above the A line, both within 0–100 %%.",
            ),
        )
    ]
