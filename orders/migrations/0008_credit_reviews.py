"""Credit reviews and the rules they follow; once a month everybody is reviewed."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('customers', '0010_settle_gaps_nightly'),
        ('orders', '0007_stock_positions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CreditRules',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('valid_from', models.DateField(error_messages={'unique': 'Other rules begin on this day.'}, unique=True, verbose_name='valid from')),
                ('spread_days', models.PositiveIntegerField(default=25, help_text='A limit covers what is bought in the terms and so many days more.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='days beyond the terms')),
                ('factor_a', models.PositiveIntegerField(default=120, help_text='Key accounts count as A.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(500)], verbose_name='share of the need for A, %')),
                ('factor_b', models.PositiveIntegerField(default=100, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(500)], verbose_name='share of the need for B, %')),
                ('factor_c', models.PositiveIntegerField(default=80, help_text='Unranked customers count as C.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(500)], verbose_name='share of the need for C, %')),
                ('slow_days', models.PositiveIntegerField(default=5, help_text='Who pays more days after the due day on average is not raised.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='slow from days')),
                ('late_days', models.PositiveIntegerField(default=20, help_text='Who pays more days after the due day on average is lowered.', validators=[django.core.validators.MaxValueValidator(365)], verbose_name='late from days')),
                ('overdue_share', models.PositiveIntegerField(default=20, help_text='Who is overdue with more of what is delivered and unpaid is lowered.', validators=[django.core.validators.MaxValueValidator(100)], verbose_name='overdue share, %')),
                ('stop_days', models.PositiveIntegerField(default=90, help_text='Who is lowered and overdue for more days gets no credit any more.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='stop from days overdue')),
                ('most_releases', models.PositiveIntegerField(default=3, help_text='Whose held orders were released more often in a year is not raised.', validators=[django.core.validators.MaxValueValidator(1000)], verbose_name='released orders')),
                ('cap', models.PositiveIntegerField(default=30, help_text='Of the present limit, up or down. A stop is not capped.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='most change per review, %')),
                ('band', models.PositiveIntegerField(default=10, help_text='A limit this close to what is needed stays.', validators=[django.core.validators.MaxValueValidator(100)], verbose_name='left alone within, %')),
                ('step', models.PositiveIntegerField(default=1000, help_text='Proposed limits are multiples of it.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)], verbose_name='rounded to')),
            ],
            options={
                'verbose_name': 'credit rules',
                'verbose_name_plural': 'credit rules',
                'ordering': ['-valid_from'],
            },
        ),
        migrations.CreateModel(
            name='CreditReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('as_of', models.DateField(verbose_name='as of')),
                ('kind', models.CharField(choices=[('set', 'set a limit'), ('raise', 'raise'), ('lower', 'lower'), ('stop', 'stop')], max_length=5, verbose_name='proposal')),
                ('current', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='limit now')),
                ('proposed', models.DecimalField(decimal_places=2, max_digits=14, verbose_name='proposed limit')),
                ('credit_version', models.PositiveIntegerField(default=0)),
                ('facts', models.JSONField(default=dict, verbose_name='facts')),
                ('state', models.CharField(choices=[('open', 'open'), ('accepted', 'accepted'), ('declined', 'declined')], default='open', max_length=8, verbose_name='state')),
                ('granted', models.DecimalField(decimal_places=2, max_digits=14, null=True, verbose_name='granted')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided')),
                ('reason', models.CharField(blank=True, max_length=300, verbose_name='reason')),
                ('before', models.JSONField(default=dict)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credit_reviews', to='customers.customer', verbose_name='customer')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
            ],
            options={
                'verbose_name': 'credit review',
                'verbose_name_plural': 'credit reviews',
                'ordering': ['-as_of', '-id'],
                'indexes': [models.Index(fields=['-proposed', '-id'], name='credit_review_by_amount')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('customer',), name='one_open_credit_review'), models.CheckConstraint(condition=models.Q(('proposed__gte', 0)), name='credit_review_not_negative', violation_error_message='A limit is not negative.')],
            },
        ),
        nightly("orders.tasks.review_credit_monthly", "Credit reviews, every month", hour=3, minute=30, day_of_month=2),
    ]
