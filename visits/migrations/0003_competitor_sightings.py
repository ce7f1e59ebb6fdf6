"""Competitors, and what of theirs was seen in visits."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("visits", "0002_rules_and_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Competitor",
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
                ("name", models.CharField(max_length=60, verbose_name="competitor")),
                ("key", models.CharField(editable=False, max_length=240, unique=True)),
            ],
            options={
                "verbose_name": "competitor",
                "verbose_name_plural": "competitors",
                "ordering": ["name", "id"],
            },
        ),
        migrations.CreateModel(
            name="Sighting",
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
                ("product", models.CharField(blank=True, max_length=100, verbose_name="product")),
                (
                    "size",
                    models.CharField(
                        choices=[("small", "Little"), ("medium", "Some"), ("large", "A lot")],
                        max_length=6,
                        verbose_name="how much",
                    ),
                ),
                (
                    "price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        max_digits=10,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(9999999),
                        ],
                        verbose_name="price on the shelf",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("seen_at", models.DateTimeField(editable=False, verbose_name="seen")),
                (
                    "competitor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sightings",
                        to="visits.competitor",
                        verbose_name="competitor",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sightings",
                        to="visits.visit",
                        verbose_name="visit",
                    ),
                ),
            ],
            options={
                "verbose_name": "competitor sighting",
                "verbose_name_plural": "competitor sightings",
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["-seen_at", "-id"], name="sighting_by_day"),
                    models.Index(
                        fields=["competitor", "-seen_at", "-id"], name="sighting_by_competitor"
                    ),
                ],
            },
        ),
    ]
