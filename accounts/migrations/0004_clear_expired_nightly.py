"""Clears out every night what has run out: 03:30 company time, as a schedule one may move."""

from django.db import migrations

from crm.lib.nightly import nightly


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_usernames_in_any_case"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        nightly("accounts.tasks.clear_expired", "Clear out what has expired", hour=3, minute=30)
    ]
