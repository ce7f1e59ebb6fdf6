"""Whether the company keeps its payments here."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0009_minimum_exceptions'),
    ]

    operations = [
        migrations.AddField(
            model_name='tradeterms',
            name='keeps_payments',
            field=models.BooleanField(default=True, help_text='Without them nobody is overdue: what is delivered counts as paid when it is due.', verbose_name='payments are kept here'),
        ),
    ]
