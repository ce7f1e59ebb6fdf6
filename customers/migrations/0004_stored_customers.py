"""What stored customers were given later: phones as E.164, and areas read from their addresses."""

from django.db import migrations
from django.utils import timezone

from crm.lib import bulk
from customers import phones

CHUNK = 2000


def normalise(apps, schema_editor):
    """Phones that can be read become E.164, the rest stays as it is.

    Customers by id, some thousand at a time; each change counts as one of the record.
    """
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


def find_divisions(apps, schema_editor):
    """The areas of files that have none, as far as their addresses say them."""
    # The product's own code: it reads columns by name and would only be repeated here.
    from customers import areas

    for ids in areas.chunks():
        areas.read(ids, now=timezone.now())


class Migration(migrations.Migration):
    replaces = [
        ("customers", "0004_phones_as_e164"),
        ("customers", "0006_fill_cards"),  # 0008_fill_places fills them, when they have all columns
        ("customers", "0013_find_divisions"),
    ]
    dependencies = [("customers", "0003_search_indexes"), ("accounts", "0005_job_runs")]
    operations = [
        migrations.RunPython(normalise, migrations.RunPython.noop),
        migrations.RunPython(find_divisions, migrations.RunPython.noop),
    ]
