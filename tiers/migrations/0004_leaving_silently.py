"""The chance that a customer is alive, its runs, and who was said to stay (P48)."""

import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0006_import_choices"),
        ("tiers", "0003_nightly_run"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChurnRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateField(verbose_name="as of")),
                ("finished_at", models.DateTimeField(verbose_name="finished")),
                ("period_days", models.PositiveSmallIntegerField()),
                ("outcome", models.CharField(max_length=20)),
                (
                    "method",
                    models.CharField(
                        choices=[("model", "Purchase model (BG/NBD)"), ("rhythm", "Own rhythm")],
                        max_length=6,
                    ),
                ),
                ("parameters", models.JSONField(default=dict)),
                ("customers", models.PositiveIntegerField(verbose_name="customers")),
                ("repeat_customers", models.PositiveIntegerField()),
                ("leaving", models.PositiveIntegerField()),
                ("written", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Outlook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("as_of", models.DateField(verbose_name="as of")),
                (
                    "method",
                    models.CharField(
                        choices=[("model", "Purchase model (BG/NBD)"), ("rhythm", "Own rhythm")],
                        max_length=6,
                        verbose_name="method",
                    ),
                ),
                (
                    "alive",
                    models.DecimalField(
                        decimal_places=3, max_digits=4, verbose_name="chance of being alive"
                    ),
                ),
                ("pace", models.DecimalField(decimal_places=3, max_digits=8)),
                (
                    "expected",
                    models.DecimalField(
                        decimal_places=3, max_digits=8, verbose_name="expected purchases"
                    ),
                ),
                (
                    "per_purchase",
                    models.DecimalField(
                        decimal_places=2, max_digits=16, verbose_name="per purchase"
                    ),
                ),
                (
                    "value_at_risk",
                    models.DecimalField(
                        decimal_places=2, max_digits=16, verbose_name="value at risk"
                    ),
                ),
                ("last_on", models.DateField(verbose_name="last purchase")),
                ("usual_days", models.PositiveIntegerField()),
                ("intervals", models.PositiveIntegerField()),
                ("shorter", models.PositiveIntegerField()),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outlook",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "ordering": ["-value_at_risk", "-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("alive__lt", Decimal("0.5"))),
                        fields=["-value_at_risk", "-id"],
                        name="outlook_leaving",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("alive__gte", 0), ("alive__lte", 1)),
                        name="alive_is_a_chance",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Staying",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=0, editable=False)),
                ("reason", models.CharField(max_length=300, verbose_name="why it is not leaving")),
                ("until", models.DateField(verbose_name="until")),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staying",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "word that a customer stays",
                "verbose_name_plural": "words that customers stay",
                "indexes": [models.Index(fields=["until"], name="staying_by_day")],
            },
        ),
    ]
