"""When a customer leaves silently is said by the policy, and each estimate keeps what it went by."""

import django.core.validators
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tiers', "0014_fill_words_and_classes"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='outlook',
            name='outlook_leaving',
        ),
        migrations.AddField(
            model_name='churnrun',
            name='gone_after_days',
            field=models.PositiveSmallIntegerField(default=365),
        ),
        migrations.AddField(
            model_name='churnrun',
            name='leaving_below',
            field=models.DecimalField(decimal_places=4, default=Decimal('0.5000'), max_digits=5),
        ),
        migrations.AddField(
            model_name='churnrun',
            name='measure',
            field=models.CharField(choices=[('amount', 'Net amount'), ('margin', 'Margin')], default='amount', max_length=10),
        ),
        migrations.AddField(
            model_name='churnrun',
            name='value_at_risk',
            field=models.DecimalField(decimal_places=2, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='gone_after_days',
            field=models.PositiveSmallIntegerField(default=365, validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(3650)], verbose_name='gone after days without a purchase'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='leaving_below',
            field=models.DecimalField(decimal_places=4, default=Decimal('0.5000'), max_digits=5, validators=[django.core.validators.MinValueValidator(Decimal('0.01')), django.core.validators.MaxValueValidator(Decimal('0.99'))], verbose_name='leaving below this chance of being alive'),
        ),
        migrations.AddField(
            model_name='tierpolicy',
            name='silence_days',
            field=models.PositiveSmallIntegerField(default=90, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(3650)], verbose_name='silent after days, having ordered once'),
        ),
        migrations.AlterField(
            model_name='tierrun',
            name='without_margin',
            field=models.PositiveIntegerField(null=True, verbose_name='orders whose margin is not wholly known'),
        ),
        migrations.AddIndex(
            model_name='outlook',
            index=models.Index(fields=['-value_at_risk', '-id'], name='outlook_by_risk'),
        ),
        migrations.AddConstraint(
            model_name='tierpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('leaving_below__gt', 0), ('leaving_below__lt', 1)), name='policy_leaving_is_a_chance', violation_error_message='The line below which a customer leaves is a chance.'),
        ),
        migrations.AddConstraint(
            model_name='tierpolicy',
            constraint=models.CheckConstraint(condition=models.Q(('gone_after_days__gt', models.F('silence_days'))), name='policy_gone_after_silent', violation_error_message='A customer is silent before it has gone.'),
        ),
    ]
