"""Drafts, margins, groups, hysteresis, overrides, and what runs find beside the tier (P8–P12)."""

import django.core.validators
import django.db.models.deletion
import tiers.models.policies
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
        ('tiers', '0006_churn_nightly'),
        ('orders', '0002_unit_cost'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Assessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of', models.DateField(verbose_name='as of')),
                ('computed_tier', models.CharField(choices=[('A', 'A'), ('B', 'B'), ('C', 'C')], max_length=1, null=True, verbose_name='computed tier')),
                ('held_tier', models.CharField(choices=[('A', 'A'), ('B', 'B'), ('C', 'C')], max_length=1, null=True)),
                ('held_runs', models.PositiveSmallIntegerField(default=0)),
                ('held_since', models.DateField(null=True)),
                ('held_on', models.DateField(null=True)),
                ('months_bought', models.PositiveSmallIntegerField(default=0, verbose_name='months with a purchase')),
                ('early_launches', models.PositiveIntegerField(default=0, verbose_name='new products bought early')),
                ('wallet_share', models.DecimalField(decimal_places=4, max_digits=5, null=True, verbose_name='wallet share')),
                ('sightings', models.PositiveIntegerField(null=True, verbose_name='competitor sightings')),
                ('margin', models.DecimalField(decimal_places=2, max_digits=16, null=True, verbose_name='margin')),
                ('ranked_in', models.CharField(default='', max_length=20)),
                ('key_score', models.PositiveSmallIntegerField(null=True, verbose_name='key-account score')),
                ('key_volume', models.PositiveSmallIntegerField(null=True)),
                ('key_frequency', models.PositiveSmallIntegerField(null=True)),
                ('key_margin', models.PositiveSmallIntegerField(null=True)),
                ('key_concentration', models.PositiveSmallIntegerField(null=True)),
                ('key_loyalty', models.PositiveSmallIntegerField(null=True)),
                ('key_service_level', models.PositiveSmallIntegerField(null=True)),
                ('key_price_sensitivity', models.PositiveSmallIntegerField(null=True)),
                ('key_partnership', models.PositiveSmallIntegerField(null=True)),
                ('potential', models.PositiveSmallIntegerField(null=True, verbose_name='potential')),
                ('potential_urgency', models.PositiveSmallIntegerField(null=True)),
                ('potential_quality', models.PositiveSmallIntegerField(null=True)),
                ('potential_wallet_open', models.PositiveSmallIntegerField(null=True)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='KeyAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('score', models.PositiveSmallIntegerField(editable=False, null=True, verbose_name='score')),
                ('confirmed_at', models.DateTimeField(editable=False, verbose_name='confirmed')),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='withdrawn')),
                ('end_reason', models.CharField(blank=True, editable=False, max_length=500, verbose_name='why withdrawn')),
            ],
            options={
                'verbose_name': 'key account',
                'verbose_name_plural': 'key accounts',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('service_level', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='service level required')),
                ('price_sensitivity', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='price sensitivity')),
                ('partnership', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='wish for long-term partnership')),
                ('urgency', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='urgency of need')),
                ('quality', models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='quality before price')),
                ('rated_at', models.DateTimeField(editable=False, verbose_name='rated')),
            ],
            options={
                'verbose_name': 'rating',
                'verbose_name_plural': 'ratings',
            },
        ),
        migrations.CreateModel(
            name='TierOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('tier', models.CharField(choices=[('A', 'A'), ('B', 'B'), ('C', 'C')], max_length=1, verbose_name='tier')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('first_on', models.DateField(verbose_name='from')),
                ('until', models.DateField(verbose_name='until')),
                ('ended_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='ended')),
            ],
            options={
                'verbose_name': 'tier override',
                'verbose_name_plural': 'tier overrides',
                'ordering': ['-id'],
            },
        ),
        migrations.AlterModelOptions(
            name='tierpolicy',
            options={'ordering': [models.OrderBy(models.F('effective_from'), descending=True, nulls_first=True), '-revision'], 'verbose_name': 'tier policy', 'verbose_name_plural': 'tier policies'},
        ),
        migrations.AddField(
            model_name='tierchange',
            name='after_runs',
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='cause',
            field=models.CharField(choices=[('run', 'Run'), ('override', 'Override'), ('override_ended', 'Override ended'), ('override_expired', 'Override expired')], db_default='run', default='run', max_length=16, verbose_name='cause'),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='changed_at',
            field=models.DateTimeField(null=True, verbose_name='changed'),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='measured',
            field=models.DecimalField(decimal_places=2, max_digits=16, null=True),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='ranked_in',
            field=models.CharField(db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='recorded_for',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='share',
            field=models.DecimalField(decimal_places=6, max_digits=7, null=True),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='downgrade_runs',
            field=models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)], verbose_name='runs in a row before a downgrade'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='early_launches',
            field=models.PositiveSmallIntegerField(default=2, validators=[django.core.validators.MinValueValidator(1)], verbose_name='new products bought early, loyal'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='key_from',
            field=models.PositiveSmallIntegerField(default=70, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='proposed as key account from the score'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='key_weights',
            field=models.JSONField(default=tiers.models.policies.key_weights, verbose_name='weights of a key account'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='launch_days',
            field=models.PositiveSmallIntegerField(default=30, validators=[django.core.validators.MaxValueValidator(366)], verbose_name='days after a launch that are early'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='loyal_months',
            field=models.PositiveSmallIntegerField(blank=True, default=8, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='months with a purchase, loyal'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='loyal_wallet_share',
            field=models.DecimalField(decimal_places=4, default='0.3000', max_digits=5, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='wallet share, loyal'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='measure',
            field=models.CharField(choices=[('amount', 'Net amount'), ('margin', 'Margin')], default='amount', max_length=10, verbose_name='ranked by'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='most_sightings',
            field=models.PositiveSmallIntegerField(default=3, verbose_name='most competitor sightings, loyal'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='potential_weights',
            field=models.JSONField(default=tiers.models.policies.potential_weights, verbose_name='weights of the potential'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='ranked_within',
            field=models.CharField(choices=[('company', 'the whole company'), ('kind', 'each kind of customer'), ('province', 'each province'), ('prefecture', 'each prefecture')], default='company', max_length=12, verbose_name='ranked within'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='switcher_months',
            field=models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1)], verbose_name='months with a purchase, switcher'),
        ),
        migrations.AddField(
            model_name='tierrun',
            name='held',
            field=models.PositiveIntegerField(default=0, verbose_name='downgrades held'),
        ),
        migrations.AddField(
            model_name='tierrun',
            name='loyalty_counts',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='tierrun',
            name='overridden',
            field=models.PositiveIntegerField(default=0, verbose_name='overridden'),
        ),
        migrations.AddField(
            model_name='tierrun',
            name='proposed',
            field=models.PositiveIntegerField(default=0, verbose_name='proposed as key accounts'),
        ),
        migrations.AddField(
            model_name='tierrun',
            name='without_margin',
            field=models.PositiveIntegerField(null=True, verbose_name='orders without margin'),
        ),
        migrations.AlterField(
            model_name='tierchange',
            name='run',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='tiers.tierrun'),
        ),
        migrations.AlterField(
            model_name='tierpolicy',
            name='effective_from',
            field=models.DateField(blank=True, null=True, verbose_name='in force from'),
        ),
        migrations.AddConstraint(
            model_name='tierpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('downgrade_runs__gte', 1), ('downgrade_runs__lte', 12)), name='policy_downgrade_runs', violation_error_message='A downgrade waits for 1 to 12 runs.'),
        ),
        migrations.AddField(
            model_name='assessment',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='assessment', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='keyaccount',
            name='by',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by'),
        ),
        migrations.AddField(
            model_name='keyaccount',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='key_accounts', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='keyaccount',
            name='ended_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by'),
        ),
        migrations.AddField(
            model_name='rating',
            name='by',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='rating',
            name='customer',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='rating', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='tieroverride',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='tieroverride',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tier_overrides', to='customers.customer', verbose_name='customer'),
        ),
        migrations.AddField(
            model_name='tieroverride',
            name='ended_by',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by'),
        ),
        migrations.AddField(
            model_name='assessment',
            name='override',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tiers.tieroverride', verbose_name='override'),
        ),
        migrations.AddField(
            model_name='tierchange',
            name='override',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='changes', to='tiers.tieroverride', verbose_name='override'),
        ),
        migrations.AddConstraint(
            model_name='keyaccount',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('customer',), name='one_open_key_account', violation_error_message='This customer is a key account already.'),
        ),
        migrations.AddConstraint(
            model_name='keyaccount',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='key_account_has_a_reason', violation_error_message='Say why.'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('service_level__isnull', True), ('service_level__lte', 10), _connector='OR'), name='rating_service_level', violation_error_message='A rating goes from 0 to 10.'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('price_sensitivity__isnull', True), ('price_sensitivity__lte', 10), _connector='OR'), name='rating_price_sensitivity', violation_error_message='A rating goes from 0 to 10.'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('partnership__isnull', True), ('partnership__lte', 10), _connector='OR'), name='rating_partnership', violation_error_message='A rating goes from 0 to 10.'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('urgency__isnull', True), ('urgency__lte', 10), _connector='OR'), name='rating_urgency', violation_error_message='A rating goes from 0 to 10.'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('quality__isnull', True), ('quality__lte', 10), _connector='OR'), name='rating_quality', violation_error_message='A rating goes from 0 to 10.'),
        ),
        migrations.AddIndex(
            model_name='tieroverride',
            index=models.Index(condition=models.Q(('ended_at', None)), fields=['until'], name='override_open'),
        ),
        migrations.AddConstraint(
            model_name='tieroverride',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('customer',), name='one_open_override', violation_error_message='This customer has an override already.'),
        ),
        migrations.AddConstraint(
            model_name='tieroverride',
            constraint=models.CheckConstraint(condition=models.Q(('until__gte', models.F('first_on'))), name='override_ends_after_it_begins', violation_error_message='The last day is not before the first.'),
        ),
        migrations.AddConstraint(
            model_name='tieroverride',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='override_has_a_reason', violation_error_message='Say why.'),
        ),
        migrations.AddIndex(
            model_name='assessment',
            index=models.Index(fields=['-key_score', '-id'], name='assessment_by_key_score'),
        ),
        migrations.AddIndex(
            model_name='assessment',
            index=models.Index(fields=['-potential', '-id'], name='assessment_by_potential'),
        ),
    ]
