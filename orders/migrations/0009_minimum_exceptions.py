"""Exceptions to the minimum order, asked for and approved."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_settle_gaps_nightly'),
        ('orders', '0008_credit_reviews'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='MinimumException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('minimum', models.DecimalField(decimal_places=2, max_digits=14, validators=[django.core.validators.MinValueValidator(0)], verbose_name='minimum for this customer')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_to', models.DateField(help_text='The last day.', verbose_name='valid to')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('asked_at', models.DateTimeField(verbose_name='asked for')),
                ('answer', models.CharField(choices=[('asked', 'asked for'), ('approved', 'approved'), ('refused', 'refused')], default='asked', max_length=8, verbose_name='answer')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='answered')),
                ('answer_reason', models.CharField(blank=True, max_length=300, verbose_name='reason of the answer')),
                ('withdrawn_on', models.DateField(null=True, verbose_name='withdrawn')),
                ('client_id', models.UUIDField(editable=False, null=True, unique=True)),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='answered by')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('customer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='minimum_exceptions', to='customers.customer', verbose_name='customer')),
            ],
            options={
                'verbose_name': 'exception to the minimum order',
                'verbose_name_plural': 'exceptions to the minimum order',
                'ordering': ['-valid_to', '-id'],
                'indexes': [models.Index(fields=['customer', 'valid_to'], name='exception_by_customer'), models.Index(fields=['-valid_to', '-id'], name='exception_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_to__gte', models.F('valid_from'))), name='exception_ends_after_it_begins', violation_error_message='An exception does not end before it begins.'), models.CheckConstraint(condition=models.Q(('answered_by', None), models.Q(('answered_by', models.F('asked_by')), _negated=True), _connector='OR'), name='exception_answered_by_another', violation_error_message='Nobody approves what they asked for themselves.')],
            },
        ),
    ]
