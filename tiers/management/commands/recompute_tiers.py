"""Runs the tier job in the foreground, with progress."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from tiers import actions, tiering
from tiers.models import RunState


class Command(BaseCommand):
    help = "Compute the ABC tiers of all customers as of a day (today, if none is given)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", metavar="DATE", help="the last day that counts, YYYY-MM-DD")
        parser.add_argument("--dry-run", action="store_true", help="count, but change no customer")

    def handle(self, *args: Any, as_of: str | None, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        day = timezone.localdate(now, timezone.get_default_timezone())
        if as_of is not None:
            try:
                day = date.fromisoformat(as_of)
            except ValueError:
                message = _("“%(text)s” is not a date; write it as YYYY-MM-DD.") % {"text": as_of}
                raise CommandError(message) from None
        try:
            job, _is_new = actions.open_run(as_of=day, dry_run=dry_run, user=None, now=now)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        job = tiering.run(job.pk, now=now, progress=self.show)
        if job.is_cancelled:
            raise CommandError(_("The run was cancelled; the tiers stand as they were."))
        if job.state != RunState.DONE:
            raise CommandError(_("Another run of the same day is under way; try again later."))
        self.stdout.write(
            _("%(a)s A, %(b)s B, %(c)s C, %(unranked)s unranked; %(moved)s moved.")
            % {
                "a": job.counts["A"],
                "b": job.counts["B"],
                "c": job.counts["C"],
                "unranked": job.counts["unranked"],
                "moved": job.moved,
            }
        )

    def show(self, percent: int) -> None:
        """One line for each step: readable on a terminal and in a log file alike."""
        self.stdout.write(f"{percent:3} %")
