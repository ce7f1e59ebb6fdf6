"""What is done with customers' files every night, in the company's time."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0009_clear_imports_nightly"),
        ("customers", "0012_duplicates_nightly"),
        ("customers", "0014_clear_reads_nightly"),
    ]
    dependencies = [
        ("customers", "0004_stored_customers"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly("customers.tasks.find_duplicates_nightly", "Search for duplicates", hour=2, minute=50),
        nightly("customers.tasks.clear_reads", "Clear out old reads of files", hour=3, minute=40, days=730),
        nightly("customers.tasks.clear_imports", "Delete old import files", hour=4, minute=10),
    ]
