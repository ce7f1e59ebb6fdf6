"""Lines of the history keep the words of their day; classes and scores have a history."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_settle_gaps_nightly'),
        ('tiers', '0012_cancelled_runs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='tierchange',
            name='reason_before',
            field=models.CharField(db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='said_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='said_reason',
            field=models.CharField(db_default='', default='', max_length=500),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='said_tier',
            field=models.CharField(choices=[('A', 'A'), ('B', 'B'), ('C', 'C')], max_length=1, null=True),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='said_until',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='until_before',
            field=models.DateField(null=True),
        ),
        migrations.AlterField(
            model_name='tierchange',
            name='cause',
            field=models.CharField(choices=[('run', 'Run'), ('override', 'Override'), ('override_changed', 'Override changed'), ('override_ended', 'Override ended'), ('override_expired', 'Override expired')], db_default='run', default='run', max_length=16, verbose_name='cause'),
        ),
        migrations.CreateModel(
            name='ClassChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('changed_at', models.DateTimeField(verbose_name='changed')),
                ('recorded_for', models.BigIntegerField()),
                ('from_loyalty', models.CharField(choices=[('loyal', 'Loyal'), ('switcher', 'Switcher'), ('none', 'No brand loyalty')], max_length=10, null=True, verbose_name='from')),
                ('to_loyalty', models.CharField(choices=[('loyal', 'Loyal'), ('switcher', 'Switcher'), ('none', 'No brand loyalty')], max_length=10, null=True, verbose_name='to')),
                ('months_bought', models.PositiveSmallIntegerField(verbose_name='months with a purchase')),
                ('wallet_share', models.DecimalField(decimal_places=4, max_digits=5, null=True, verbose_name='wallet share')),
                ('early_launches', models.PositiveIntegerField(verbose_name='new products bought early')),
                ('sightings', models.PositiveIntegerField(null=True, verbose_name='competitor sightings')),
                ('score_before', models.PositiveSmallIntegerField(null=True)),
                ('score', models.PositiveSmallIntegerField(null=True, verbose_name='key-account score')),
                ('line_before', models.PositiveSmallIntegerField(null=True)),
                ('line', models.PositiveSmallIntegerField()),
                ('customer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='class_changes', to='customers.customer')),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='class_changes', to='tiers.tierrun', verbose_name='run')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['customer', '-id'], name='class_change_by_customer')],
                'constraints': [models.UniqueConstraint(fields=('run', 'customer'), name='one_class_change_per_run')],
            },
        ),
    ]
