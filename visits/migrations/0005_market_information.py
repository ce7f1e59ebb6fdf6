"""Market information, to whom it was sent, and suggestions to customers."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0010_settle_gaps_nightly"),
        ("orders", "0005_stock"),
        ("visits", "0004_stock_counted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MarketInformation",
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
                ("client_id", models.UUIDField(blank=True, editable=False, null=True, unique=True)),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("text", models.TextField(max_length=4000, verbose_name="text")),
                (
                    "source",
                    models.CharField(
                        choices=[("read", "Read"), ("heard", "Heard"), ("seen", "Seen")],
                        max_length=5,
                        verbose_name="source",
                    ),
                ),
                (
                    "where",
                    models.CharField(
                        blank=True,
                        help_text="The newspaper, the person, the place.",
                        max_length=200,
                        verbose_name="where from",
                    ),
                ),
                ("learned_on", models.DateField(verbose_name="learned")),
                (
                    "valid_until",
                    models.DateField(
                        blank=True,
                        help_text="Sent later, it helps nobody. Empty: it does not age.",
                        null=True,
                        verbose_name="in time until",
                    ),
                ),
                ("kinds", models.JSONField(blank=True, default=list, verbose_name="kinds")),
                ("tiers", models.JSONField(blank=True, default=list, verbose_name="tiers")),
                ("categories", models.JSONField(blank=True, default=list, verbose_name="buys")),
                ("areas", models.JSONField(blank=True, default=list, verbose_name="areas")),
                ("tags", models.JSONField(blank=True, default=list, verbose_name="tags")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="market_information",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="written by",
                    ),
                ),
            ],
            options={
                "verbose_name": "market information",
                "verbose_name_plural": "market information",
                "ordering": ["-learned_on", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Sending",
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
                ("sent_at", models.DateTimeField(verbose_name="sent")),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("visit", "Visit"),
                            ("call", "Call"),
                            ("message", "Message"),
                            ("letter", "Letter"),
                            ("email", "E-mail"),
                            ("meeting", "Customer meeting"),
                        ],
                        max_length=8,
                        verbose_name="way of contact",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("taken_up", "Taken up"),
                            ("not_taken_up", "Not taken up"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "outcome_words",
                    models.CharField(blank=True, max_length=500, verbose_name="in words"),
                ),
                (
                    "outcome_on",
                    models.DateField(
                        blank=True, editable=False, null=True, verbose_name="outcome on"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="information_sent",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="information_received",
                        to="customers.contact",
                        verbose_name="to whom",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="information_received",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "information",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="visits.marketinformation",
                        verbose_name="market information",
                    ),
                ),
            ],
            options={
                "verbose_name": "sent information",
                "verbose_name_plural": "sent information",
                "ordering": ["-sent_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="Suggestion",
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
                ("client_id", models.UUIDField(blank=True, editable=False, null=True, unique=True)),
                ("text", models.CharField(max_length=500, verbose_name="suggestion")),
                (
                    "expected",
                    models.CharField(blank=True, max_length=300, verbose_name="expected benefit"),
                ),
                ("made_on", models.DateField(verbose_name="made")),
                ("follow_up_on", models.DateField(verbose_name="follow up")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("taken_up", "Taken up"),
                            ("declined", "Declined"),
                        ],
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "outcome_words",
                    models.CharField(blank=True, max_length=500, verbose_name="in words"),
                ),
                (
                    "outcome_on",
                    models.DateField(
                        blank=True, editable=False, null=True, verbose_name="outcome on"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suggestions_made",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suggestions",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="orders.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "visit",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="suggestions",
                        to="visits.visit",
                        verbose_name="visit",
                    ),
                ),
            ],
            options={
                "verbose_name": "suggestion",
                "verbose_name_plural": "suggestions",
                "ordering": ["follow_up_on", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="marketinformation",
            index=models.Index(fields=["-learned_on", "-id"], name="information_by_day"),
        ),
        migrations.AddIndex(
            model_name="marketinformation",
            index=models.Index(fields=["updated_at", "id"], name="information_by_change"),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(fields=["customer", "-sent_at", "-id"], name="sending_by_customer"),
        ),
        migrations.AddIndex(
            model_name="sending",
            index=models.Index(fields=["-sent_at", "-id"], name="sending_by_day"),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.UniqueConstraint(
                fields=("information", "customer"),
                name="information_sent_once",
                violation_error_message="This customer has received it already.",
            ),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=models.Index(
                fields=["customer", "-made_on", "-id"], name="suggestion_by_customer"
            ),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=models.Index(
                condition=models.Q(("state", "open")),
                fields=["follow_up_on", "id"],
                name="suggestion_open_by_day",
            ),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=models.Index(fields=["-made_on", "-id"], name="suggestion_by_day"),
        ),
        migrations.AddIndex(
            model_name="suggestion",
            index=models.Index(fields=["updated_at", "id"], name="suggestion_by_change"),
        ),
    ]
