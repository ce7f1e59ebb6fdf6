"""Once gave every stored customer its index card; 0017 does, when the cards have all columns."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_search_cards"), ("accounts", "0005_job_runs")]

    operations = [migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)]
