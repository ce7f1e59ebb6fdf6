"""What dealers have in stock, worked out after every change and every night."""

import django.db.models.deletion
from django.db import migrations, models

from crm.lib.nightly import nightly


class Migration(migrations.Migration):

    dependencies = [
        ('django_celery_beat', '0019_alter_periodictasks_options'),
        ('customers', '0010_settle_gaps_nightly'),
        ('orders', '0006_stock_imports'),
    ]

    operations = [
        migrations.CreateModel(
            name='StockPosition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('counted_at', models.DateTimeField(verbose_name='last counted')),
                ('quantity', models.DecimalField(decimal_places=3, max_digits=16, verbose_name='last count')),
                ('as_of', models.DateField(verbose_name='as of')),
                ('expected', models.DecimalField(decimal_places=3, max_digits=16, verbose_name='expected now')),
                ('is_estimated', models.BooleanField(default=False, verbose_name='estimated')),
                ('on_the_way', models.DecimalField(decimal_places=3, max_digits=16, verbose_name='on the way')),
                ('per_day', models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, verbose_name='demand per day')),
                ('cover_days', models.DecimalField(blank=True, decimal_places=1, max_digits=12, null=True, verbose_name='days of cover')),
                ('safety_stock', models.DecimalField(blank=True, decimal_places=3, max_digits=16, null=True, verbose_name='safety stock')),
                ('reorder_point', models.DecimalField(blank=True, decimal_places=3, max_digits=16, null=True, verbose_name='reorder point')),
                ('suggestion', models.DecimalField(blank=True, decimal_places=0, max_digits=16, null=True, verbose_name='suggested order')),
                ('is_slow', models.BooleanField(default=False, verbose_name='slow-moving')),
                ('exchange_by', models.DateField(blank=True, null=True, verbose_name='exchange by')),
                ('oldest_on', models.DateField(blank=True, null=True, verbose_name='oldest batch produced')),
                ('is_impossible', models.BooleanField(default=False, verbose_name='impossible')),
                ('customer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='stock_positions', to='customers.customer')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.product')),
            ],
            options={
                'verbose_name': 'dealer stock',
                'verbose_name_plural': 'dealer stocks',
                'ordering': ['customer_id', 'product_id'],
                'indexes': [models.Index(fields=['cover_days', 'id'], name='stock_by_cover'), models.Index(fields=['counted_at', 'id'], name='stock_by_count'), models.Index(fields=['exchange_by', 'id'], name='stock_by_deadline'), models.Index(fields=['oldest_on', 'id'], name='stock_by_age'), models.Index(condition=models.Q(('suggestion__gt', 0)), fields=['-suggestion', '-id'], name='stock_to_order'), models.Index(condition=models.Q(('is_slow', True)), fields=['exchange_by', 'id'], name='stock_slow'), models.Index(condition=models.Q(('is_impossible', True)), fields=['id'], name='stock_impossible')],
                'constraints': [models.UniqueConstraint(fields=('customer', 'product'), name='one_position_per_product')],
            },
        ),
        nightly("orders.tasks.restock_nightly", "What dealers have in stock, every night", hour=0, minute=40),
    ]
