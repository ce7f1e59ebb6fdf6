"""Stored phone numbers become E.164 where they can be read; the rest stays as it is."""

from django.db import migrations
from django.utils import timezone

from crm.lib import bulk
from customers import phones

CHUNK = 2000


def normalise(apps, schema_editor):
    """Customers by id, some thousand at a time; each change counts as one of the record."""
    customers = apps.get_model("customers", "Customer")
    now, last = timezone.now(), 0
    while True:
        rows = list(
            customers.objects.filter(pk__gt=last)
            .exclude(phone="")
            .order_by("pk")
            .values_list("pk", "phone", "version")[:CHUNK]
        )
        if not rows:
            return
        last = rows[-1][0]
        bulk.update(
            customers,
            [
                {"id": pk, "phone": phone, "version": version + 1, "updated_at": now}
                for pk, written, version in rows
                if (phone := phones.stored(written)) != written
            ],
        )


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_import_steps")]
    operations = [migrations.RunPython(normalise, migrations.RunPython.noop)]
