"""Brings customers in from a file, by the same steps as the pages."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import may
from accounts.audit import Through, acting
from accounts.jobs import JobFailed
from accounts.models import User
from customers.importing import fields, showing, steps
from customers.importing.reasons import in_words
from customers.models import Import, ImportMode


class Command(BaseCommand):
    help = "Import customers from an Excel or CSV file: look at every row, then write them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="username", required=True, help="whose import it is")
        parser.add_argument("--sheet", default="", help="the sheet of the workbook")
        parser.add_argument("--mode", choices=ImportMode.values, default=ImportMode.BOTH)
        parser.add_argument("--key", choices=fields.KEYS, help="what finds a customer on file")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="HEAD=FIELD",
            help="a column and its field (custom: an own field; nothing: leave it out)",
        )
        parser.add_argument("--clear", action="store_true", help="empty cells empty the field")
        parser.add_argument("--dry-run", action="store_true", help="look at the rows only")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.get_queryset().active().filter(username=options["username"]).first()
        if by is None or not may(by, "customers:write"):
            message = _("No user who may change customers is called “%(name)s”.")
            raise CommandError(message % {"name": options["username"]})
        with acting(user=by, through=Through.COMMAND):
            run = self._uploaded(by, options)
            self._do(run, "check", by)
            self._tell(run)
            if not options["dry_run"]:
                self._do(run, "apply", by)
                self._tell(run)

    def _uploaded(self, by: User, options: dict[str, Any]) -> Import:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                run = steps.upload(file=file, name=path.name, by=by, now=timezone.now())
            if options["sheet"]:
                steps.choose_sheet(run, options["sheet"])
        except OSError as error:
            raise CommandError(str(error)) from None
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from None
        run.mapping = self._mapping(run, options["map"])
        run.mode, run.clears = options["mode"], options["clear"]
        run.key = options["key"] or fields.likely_key(run.mapping.values())
        filled = set(run.mapping.values())
        if run.key not in filled or (run.mode != ImportMode.UPDATE and "name" not in filled):
            raise CommandError(_("Say with --map which columns are the name and the key."))
        run.save()
        return run

    def _mapping(self, run: Import, chosen: list[str]) -> dict[str, str]:
        mapping = dict(run.mapping)
        heads = {str(column["head"]): str(at) for at, column in enumerate(run.columns)}
        for one in chosen:
            head, _sign, name = one.rpartition("=")
            if head not in heads or (name and name not in (fields.OWN, *fields.FIELDS)):
                message = _("“%(text)s” is no column and field of this file.")
                raise CommandError(message % {"text": one})
            mapping = {at: was for at, was in mapping.items() if was != name or name == fields.OWN}
            mapping[heads[head]] = name
        return {at: name for at, name in mapping.items() if name}

    def _do(self, run: Import, step: str, by: User) -> None:
        at_work, _back = steps.STEPS[step]
        Import.objects.filter(pk=run.pk).update(state=at_work)
        run.refresh_from_db()
        try:
            steps.perform(run, step, by=by, progress=self._show, clock=self._now)
        except JobFailed as failed:
            raise CommandError(in_words(failed.code, {})) from None

    @staticmethod
    def _now() -> datetime:
        return timezone.now()

    def _show(self, done: int, total: int) -> None:
        self.stdout.write(f"{done:,} / {total:,}")

    def _tell(self, run: Import) -> None:
        self.stdout.write(steps.counted(run.counts))
        _heads, rows = showing.rejected_table(run)
        for row in rows:
            self.stdout.write(f"{row[-2]}: {row[-1]}")
