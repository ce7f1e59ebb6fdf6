"""Keeps rejected records of syncs, and clears them out every night at 03:50 company time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_deleted_records_by_kind'),
        ('django_celery_beat', '0019_alter_periodictasks_options'),
    ]

    operations = [
        migrations.CreateModel(
            name='RejectedRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index', models.PositiveIntegerField(verbose_name='index')),
                ('resource', models.CharField(max_length=30, verbose_name='resource')),
                ('external_id', models.CharField(blank=True, max_length=100, verbose_name='number in the ERP')),
                ('errors', models.JSONField(default=dict)),
                ('body', models.TextField(blank=True, verbose_name='record')),
                ('state', models.CharField(choices=[('open', 'open'), ('created', 'created since'), ('updated', 'changed since'), ('unchanged', 'already as sent'), ('stale', 'stale: a newer one is stored'), ('repeated', 'rejected again since')], default='open', max_length=10, verbose_name='state')),
                ('settled_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'rejected record',
                'verbose_name_plural': 'rejected records',
                'ordering': ['call_id', 'index'],
            },
        ),
        migrations.AddField(
            model_name='synccall',
            name='again_of',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='again', to='accounts.synccall'),
        ),
        migrations.AlterField(
            model_name='synccall',
            name='key',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.apikey'),
        ),
        migrations.AddIndex(
            model_name='synccall',
            index=models.Index(fields=['key', 'resource', '-id'], name='sync_by_key'),
        ),
        migrations.AddIndex(
            model_name='synccall',
            index=models.Index(fields=['at'], name='sync_by_time'),
        ),
        migrations.AddIndex(
            model_name='synccall',
            index=models.Index(condition=models.Q(('rejected__gt', 0)), fields=['-id'], name='sync_with_rejected'),
        ),
        migrations.AddField(
            model_name='rejectedrecord',
            name='call',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='records', to='accounts.synccall'),
        ),
        migrations.AddField(
            model_name='rejectedrecord',
            name='key',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.apikey'),
        ),
        migrations.AddField(
            model_name='rejectedrecord',
            name='settled_by',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='rejectedrecord',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['external_id'], name='rejected_by_number'),
        ),
        migrations.AddConstraint(
            model_name='rejectedrecord',
            constraint=models.UniqueConstraint(fields=('call', 'index'), name='one_rejection_per_place'),
        ),
        nightly('accounts.tasks.clear_rejected', 'Delete rejected records of syncs', hour=3, minute=50, days=90),
    ]
