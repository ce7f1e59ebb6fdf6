"""What a unit of a product costs us: the base of margins."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='product',
            name='unit_cost',
            field=models.DecimalField(blank=True, decimal_places=2, help_text='What one unit costs us; the margin of an order follows from it.', max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='unit cost'),
        ),
    ]
