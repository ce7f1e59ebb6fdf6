"""Each change of a tier says itself when it was, whose it was, and its cumulative share."""

from decimal import ROUND_DOWN, Decimal

from django.db import migrations
from django.db.models import F, OuterRef, Subquery

CHUNK = 2000


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    changes = apps.get_model("tiers", "TierChange").objects.using(alias)
    runs = apps.get_model("tiers", "TierRun").objects.using(alias)
    when = runs.filter(pk=OuterRef("run")).values("finished_at")[:1]
    asked = runs.filter(pk=OuterRef("run")).values("created_at")[:1]
    changes.update(changed_at=Subquery(when), recorded_for=F("customer_id"))
    changes.filter(changed_at=None).update(changed_at=Subquery(asked))
    totals = dict(runs.values_list("pk", "ranked_amount"))
    some = []
    for change in changes.filter(share_before__isnull=False).order_by("pk").iterator(CHUNK):
        if not totals[change.run_id]:
            continue
        share = change.share_before + change.net_amount / totals[change.run_id]
        change.share = min(share, Decimal(1)).quantize(Decimal("0.000001"), ROUND_DOWN)
        some.append(change)
        if len(some) == CHUNK:
            changes.bulk_update(some, ["share"])
            some.clear()
    changes.bulk_update(some, ["share"])


class Migration(migrations.Migration):
    dependencies = [("tiers", "0007_findings")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
