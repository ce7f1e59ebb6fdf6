"""Scheduled jobs: when they run, in words, and switching them off and on."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from accounts.models import AuditEntry
from accounts.models.audit import Action
from crm.lib.text import Text

#: Names that jobs of the product carry in the database, for the catalogue.
NAMES = (
    gettext_noop("Tiers, every night"),
    gettext_noop("Holiday reminders"),
    gettext_noop("Clear out what has expired"),
    gettext_noop("Clear out old reads of files"),
    gettext_noop("Delete rejected records of syncs"),
    gettext_noop("Search for duplicates"),
    gettext_noop("Delete old import files"),
    gettext_noop("Delete old files of stock"),
    gettext_noop("End tiers set by hand"),
    gettext_noop("Settle gaps that are filled"),
    gettext_noop("What customers owe, every night"),
    gettext_noop("Send to webhooks what is due"),
    gettext_noop("Delete old deliveries to webhooks"),
    gettext_noop("What dealers have in stock, every night"),
    gettext_noop("Credit reviews, every month"),
    gettext_noop("What customers owe and have, where something was left"),
)

DAYS: dict[str, Text] = {
    "0": gettext_lazy("Sunday"),
    "1": gettext_lazy("Monday"),
    "2": gettext_lazy("Tuesday"),
    "3": gettext_lazy("Wednesday"),
    "4": gettext_lazy("Thursday"),
    "5": gettext_lazy("Friday"),
    "6": gettext_lazy("Saturday"),
    "7": gettext_lazy("Sunday"),
}


def in_words(task: PeriodicTask) -> str:
    """“every day at 02:30”; a crontab that is more involved stays as it is written."""
    if task.interval:
        return _interval(task.interval)
    if task.crontab:
        return _crontab(task.crontab)
    if task.clocked:
        at = timezone.localtime(task.clocked.clocked_time)
        return _("once at %(time)s") % {"time": f"{at:%Y-%m-%d %H:%M}"}
    return str(task.schedule)


def _interval(interval: IntervalSchedule) -> str:
    n = interval.every
    words = {
        "days": ngettext("every day", "every %(n)d days", n),
        "hours": ngettext("every hour", "every %(n)d hours", n),
        "minutes": ngettext("every minute", "every %(n)d minutes", n),
        "seconds": ngettext("every second", "every %(n)d seconds", n),
    }
    return words.get(interval.period, str(interval)) % {"n": n}


def _crontab(cron: CrontabSchedule) -> str:
    minute, hour, weekday = cron.minute, cron.hour, cron.day_of_week
    plain = cron.day_of_month == cron.month_of_year == "*" and minute.isdigit()
    monthly = cron.day_of_month.isdigit() and cron.month_of_year == weekday == "*"
    if monthly and hour.isdigit() and minute.isdigit():
        return _("on day %(day)s of every month at %(time)s") % {
            "day": cron.day_of_month,
            "time": f"{int(hour):02}:{int(minute):02}",
        }
    if not plain:
        return f"{minute} {hour} {cron.day_of_month} {cron.month_of_year} {weekday}"
    if hour == "*" and weekday == "*":
        return _("every hour at minute %(minute)s") % {"minute": minute}
    time = f"{int(hour):02}:{int(minute):02}" if hour.isdigit() else ""
    if time and weekday == "*":
        return _("every day at %(time)s") % {"time": time}
    if time and weekday in DAYS:
        return _("every %(day)s at %(time)s") % {"day": DAYS[weekday], "time": time}
    return f"{minute} {hour} * * {weekday}"


def enable(task: PeriodicTask, enabled: bool) -> None:
    """Switch a job on or off, and note it in the audit log."""
    if task.enabled == enabled:
        return
    task.enabled = enabled
    task.save()
    AuditEntry.build(
        model=PeriodicTask,
        object_id=task.pk,
        object_name=task.name,
        action=Action.UPDATE,
        before={"enabled": not enabled},
        after={"enabled": enabled},
    ).save()
