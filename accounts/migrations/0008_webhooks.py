"""Webhooks with their events and deliveries; sends every minute, clears out at 04:10."""

import accounts.models.webhooks
import django.db.models.deletion
import uuid
from django.db import migrations, models

from crm.lib.nightly import every_minute, nightly


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_rejected_records'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40, verbose_name='event')),
                ('occurred_at', models.DateTimeField(verbose_name='time')),
                ('data', models.JSONField(default=dict)),
            ],
            options={
                'verbose_name': 'event',
                'verbose_name_plural': 'events',
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('url', models.CharField(max_length=500, verbose_name='address')),
                ('events', models.JSONField(default=list, verbose_name='events')),
                ('seed', models.CharField(default=accounts.models.webhooks.new_seed, editable=False, max_length=40, verbose_name='secret')),
                ('old_seed', models.CharField(blank=True, editable=False, max_length=40, verbose_name='old secret')),
                ('old_seed_until', models.DateTimeField(editable=False, null=True, verbose_name='old secret works until')),
                ('pause', models.CharField(blank=True, choices=[('by_hand', 'Paused'), ('failing', 'Paused: it failed for a week'), ('gone', 'Paused: the receiver says it is gone (410)')], editable=False, max_length=7, verbose_name='state')),
                ('paused_at', models.DateTimeField(editable=False, null=True, verbose_name='paused')),
                ('removed_at', models.DateTimeField(editable=False, null=True, verbose_name='removed')),
                ('waits_until', models.DateTimeField(editable=False, null=True)),
                ('failures', models.PositiveIntegerField(default=0, editable=False)),
                ('failing_since', models.DateTimeField(editable=False, null=True, verbose_name='failing since')),
                ('last_delivered_at', models.DateTimeField(editable=False, null=True, verbose_name='last delivery')),
                ('claim', models.CharField(blank=True, editable=False, max_length=32)),
                ('claimed_until', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'webhook',
                'verbose_name_plural': 'webhooks',
                'ordering': ['name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('delivered', 'delivered'), ('dead', 'given up')], default='waiting', max_length=9, verbose_name='state')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('next_attempt_at', models.DateTimeField(verbose_name='next attempt')),
                ('give_up_at', models.DateTimeField()),
                ('tried_at', models.DateTimeField(null=True, verbose_name='last attempt')),
                ('delivered_at', models.DateTimeField(null=True, verbose_name='delivered')),
                ('status_code', models.PositiveSmallIntegerField(null=True, verbose_name='answer')),
                ('duration_ms', models.PositiveIntegerField(null=True, verbose_name='took (ms)')),
                ('error', models.CharField(blank=True, max_length=200, verbose_name='error')),
                ('answer', models.TextField(blank=True)),
                ('signature', models.CharField(blank=True, max_length=200)),
                ('event', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='accounts.event', verbose_name='event')),
                ('webhook', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='accounts.webhook', verbose_name='webhook')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['webhook', '-id'], name='delivery_by_webhook'), models.Index(condition=models.Q(('state', 'waiting')), fields=['webhook', 'next_attempt_at', 'id'], name='delivery_waiting'), models.Index(condition=models.Q(('state', 'dead')), fields=['webhook', '-id'], name='delivery_dead')],
            },
        ),
        every_minute('accounts.tasks.deliver_webhooks', 'Send to webhooks what is due'),
        nightly('accounts.tasks.clear_webhooks', 'Delete old deliveries to webhooks', hour=4, minute=10, days=30, dead_days=90),
    ]
