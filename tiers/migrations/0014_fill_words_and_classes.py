"""Old lines of the history say what was said on their day; the classes that stand get their line.

What people said before they changed an override is taken from the audit log. The classes that
customers have now are told with the last run that decided: since when exactly nobody has kept.
"""

from datetime import date, timedelta

from django.db import migrations

#: A line and its audit entry are written by the same call, one after the other.
SAME_CALL = timedelta(minutes=10)
WORDS = ("tier", "reason", "until")


def fill_words(apps, schema_editor):
    alias = schema_editor.connection.alias
    changes = apps.get_model("tiers", "TierChange").objects.using(alias)
    overrides = apps.get_model("tiers", "TierOverride").objects.using(alias)
    entries = apps.get_model("accounts", "AuditEntry").objects.using(alias)
    people = set(apps.get_model("accounts", "User").objects.using(alias).values_list("pk", flat=True))
    filled = []
    for override in overrides.filter(pk__in=changes.exclude(override=None).values("override")):
        logged = entries.filter(
            model="tiers.tieroverride", object_id=override.pk, action="update"
        ).order_by("pk")
        edits = [entry for entry in logged if set(WORDS) & set(entry.before)]
        said = _versions(override, edits, people)
        place = 0
        for line in changes.filter(override=override).order_by("pk"):
            while place < len(edits) and _follows(line, edits[place]):
                place += 1
            words, by = said[place]
            line.said_tier, line.said_reason = words["tier"], words["reason"]
            line.said_until, line.said_by_id = words["until"], by
            filled.append(line)
    fields = ["said_tier", "said_reason", "said_until", "said_by"]
    changes.bulk_update(filled, fields, batch_size=500)


def _versions(override, edits, people):
    """What was said, and by whom, before each of the edits and after the last."""
    words = {name: getattr(override, name) for name in WORDS}
    found = [words]
    for entry in reversed(edits):
        words = {**words, **{name: entry.before[name] for name in WORDS if name in entry.before}}
        if isinstance(words["until"], str):
            words["until"] = date.fromisoformat(words["until"])
        found.insert(0, words)
    actors = [entry.actor_id if entry.actor_id in people else override.by_id for entry in edits]
    return list(zip(found, [override.by_id, *actors], strict=True))


def _follows(line, entry):
    """Whether the line was written after the edit, or by the same call just before its entry."""
    if entry.at <= line.changed_at:
        return True
    same_call = line.cause == "override" and line.run_id is None and line.by_id == entry.actor_id
    return (
        same_call
        and entry.after.get("tier") == line.to_tier
        and entry.at - line.changed_at < SAME_CALL
    )


def fill_classes(apps, schema_editor):
    connection = schema_editor.connection
    runs = apps.get_model("tiers", "TierRun").objects.using(connection.alias)
    decisive = runs.filter(state="done", dry_run=False).order_by("-finished_at", "-pk")
    last = decisive.select_related("policy").first()
    if last is None:
        return
    at = connection.ops.adapt_datetimefield_value(last.finished_at)
    line = last.policy.key_from
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tiers_classchange (run_id, changed_at, customer_id, recorded_for,
                from_loyalty, to_loyalty, months_bought, wallet_share, early_launches, sightings,
                score_before, score, line_before, line)
            SELECT %s, %s, c.id, c.id, NULL, c.loyalty, a.months_bought, a.wallet_share,
                a.early_launches, a.sightings, a.key_score, a.key_score, %s, %s
            FROM customers_customer c JOIN tiers_assessment a ON a.customer_id = c.id
            WHERE c.loyalty IS NOT NULL AND c.net_amount IS NOT NULL
            ORDER BY c.id
            """,
            [last.pk, at, line, line],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_deleted_records_by_kind"),
        ("tiers", "0013_words_and_classes"),
    ]
    operations = [
        migrations.RunPython(fill_words, migrations.RunPython.noop),
        migrations.RunPython(fill_classes, migrations.RunPython.noop),
    ]
