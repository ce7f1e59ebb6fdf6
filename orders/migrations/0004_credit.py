"""Payments, credit, what customers owe, and the orders that wait for it."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('customers', '0010_settle_gaps_nightly'),
        ('orders', '0003_prices'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Balance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='balance', to='customers.customer')),
                ('as_of', models.DateField(verbose_name='as of')),
                ('ordered', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='ordered')),
                ('delivered', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='delivered, unpaid')),
                ('not_due', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='not yet due')),
                ('overdue_30', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='overdue to 30 days')),
                ('overdue_60', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='overdue 31–60 days')),
                ('overdue_90', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='overdue 61–90 days')),
                ('overdue_over_90', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='overdue over 90 days')),
                ('overdue', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='overdue')),
                ('on_account', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='on account')),
                ('exposure', models.DecimalField(decimal_places=2, max_digits=16, verbose_name='exposure')),
            ],
            options={
                'verbose_name': 'balance',
                'verbose_name_plural': 'balances',
                'indexes': [models.Index(fields=['-exposure', '-customer'], name='balance_by_exposure'), models.Index(fields=['-overdue', '-customer'], name='balance_by_overdue')],
            },
        ),
        migrations.CreateModel(
            name='Credit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('limit', models.DecimalField(blank=True, decimal_places=2, help_text='Empty: no limit.', max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='credit limit')),
                ('terms_days', models.PositiveIntegerField(default=30, help_text='An order is due so many days after its day.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='terms in days')),
                ('hold_at', models.CharField(choices=[('never', 'never'), ('order', 'when ordered'), ('delivery', 'before delivery')], default='never', max_length=10, verbose_name='orders wait')),
                ('hold_overdue_days', models.PositiveIntegerField(blank=True, help_text='Orders also wait while something is overdue for more days. Empty: never.', null=True, validators=[django.core.validators.MaxValueValidator(365)], verbose_name='also when overdue for days')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('customer', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='credit', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'credit',
                'verbose_name_plural': 'credits',
                'constraints': [models.CheckConstraint(condition=models.Q(('limit__gte', 0), ('limit', None), _connector='OR'), name='credit_limit_not_negative', violation_error_message='A limit is not negative.')],
            },
        ),
        migrations.CreateModel(
            name='Hold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('cause', models.CharField(choices=[('limit', 'over the limit'), ('overdue', 'overdue')], max_length=10, verbose_name='cause')),
                ('facts', models.JSONField(default=dict, verbose_name='facts')),
                ('held_at', models.DateTimeField(verbose_name='held')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='orders.order', verbose_name='order')),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='released by')),
            ],
            options={
                'verbose_name': 'hold',
                'verbose_name_plural': 'holds',
                'ordering': ['-held_at', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('order', 'cause'), name='one_open_hold')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('external_id', models.CharField(blank=True, max_length=100, null=True, unique=True, verbose_name='payment number')),
                ('paid_at', models.DateTimeField(verbose_name='paid')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='amount')),
                ('method', models.CharField(blank=True, max_length=50, verbose_name='payment method')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='note')),
                ('client_id', models.UUIDField(editable=False, null=True, unique=True)),
                ('source_updated_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='changed in the ERP')),
                ('customer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='customers.customer', verbose_name='customer')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='orders.order', verbose_name='order')),
                ('reverses', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversal', to='orders.payment', verbose_name='takes back')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'ordering': ['-paid_at', '-id'],
                'indexes': [models.Index(fields=['paid_at', 'id'], name='payment_by_day'), models.Index(fields=['customer', '-paid_at', '-id'], name='payment_by_customer'), models.Index(fields=['updated_at', 'id'], name='payment_by_change')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount', 0), _negated=True), name='payment_moves_money', violation_error_message='A payment is not zero.')],
            },
        ),
        nightly("orders.tasks.settle_credit_nightly", "What customers owe, every night", hour=0, minute=20),
    ]
