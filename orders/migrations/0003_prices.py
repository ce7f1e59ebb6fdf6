"""Prices by day, the terms of trade, and a mark that makes an order entered twice one order."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0010_settle_gaps_nightly'),
        ('orders', '0002_unit_cost'),
    ]

    operations = [
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('external_id', models.CharField(blank=True, max_length=100, null=True, unique=True, verbose_name='number in the ERP')),
                ('dealer_price', models.DecimalField(decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='dealer price')),
                ('retail_price', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='retail price')),
                ('valid_from', models.DateField(verbose_name='valid from')),
                ('valid_to', models.DateField(blank=True, help_text='The last day; empty for a price without an end.', null=True, verbose_name='valid to')),
                ('source_updated_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='changed in the ERP')),
            ],
            options={
                'verbose_name': 'price',
                'verbose_name_plural': 'prices',
                'ordering': ['-valid_from', '-id'],
            },
        ),
        migrations.CreateModel(
            name='TradeTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('version', models.PositiveIntegerField(default=0, editable=False)),
                ('valid_from', models.DateField(error_messages={'unique': 'Other terms begin on this day.'}, unique=True, verbose_name='valid from')),
                ('minimum_order', models.DecimalField(blank=True, decimal_places=2, help_text='Orders below it are flagged; empty for none.', max_digits=14, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='minimum order amount')),
                ('least_dealer_margin', models.DecimalField(blank=True, decimal_places=2, help_text='Of the retail price. Empty: a warning only where the dealer loses money.', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='least dealer margin, %')),
                ('least_own_margin', models.DecimalField(blank=True, decimal_places=2, help_text='Of what is paid. Empty: a warning only where we lose money.', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='least own margin, %')),
            ],
            options={
                'verbose_name': 'trade terms',
                'verbose_name_plural': 'trade terms',
                'ordering': ['-valid_from'],
            },
        ),
        migrations.AddField(
            model_name='order',
            name='client_id',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('client_id__isnull', False)), fields=('client_id',), name='one_order_per_form'),
        ),
        migrations.AddField(
            model_name='price',
            name='product',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='orders.product', verbose_name='product'),
        ),
        migrations.AddIndex(
            model_name='price',
            index=models.Index(fields=['product', 'valid_from'], name='price_by_product'),
        ),
        migrations.AddIndex(
            model_name='price',
            index=models.Index(fields=['valid_from', 'id'], name='price_by_day'),
        ),
        migrations.AddIndex(
            model_name='price',
            index=models.Index(fields=['updated_at', 'id'], name='price_by_change'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='price_ends_after_it_begins', violation_error_message='A price does not end before it begins.'),
        ),
    ]
