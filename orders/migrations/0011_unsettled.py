"""Customers that wait to be worked out, and the task of every hour that looks for them."""

from django.db import migrations, models

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('orders', '0010_keeps_payments'),
    ]

    operations = [
        migrations.CreateModel(
            name='Unsettled',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_ids', models.JSONField()),
                ('money', models.BooleanField(default=True)),
                ('stock', models.BooleanField(default=False)),
            ],
            options={
                'verbose_name': 'unsettled',
            },
        ),
        nightly("orders.tasks.settle", "What customers owe and have, where something was left", hour=None, minute=7),
    ]
