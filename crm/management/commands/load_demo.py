"""Fills an empty database with a believable company."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.audit import Through, acting
from crm.demo import company
from crm.demo.people import LOGINS, PASSWORD
from crm.demo.writing import Say


class Command(BaseCommand):
    help = "Fills an empty database with a believable food and drink manufacturer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--size",
            choices=["small", "large"],
            default="small",
            help="400 customers to look at, or 100,000 with 1,000,000 orders to measure with",
        )
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed and day give the same company"
        )
        parser.add_argument(
            "--as-of",
            type=date.fromisoformat,
            metavar="DATE",
            help="the day the company has today, YYYY-MM-DD; not after the real one",
        )

    def handle(self, *args: Any, size: str, seed: int, as_of: date | None, **options: Any) -> None:
        begun = time.monotonic()
        now = timezone.now()
        today = timezone.localdate(now, timezone.get_default_timezone())
        if as_of is not None and as_of > today:
            raise CommandError("--as-of lies ahead; the demo needs a past that has happened.")
        try:
            with acting(through=Through.COMMAND):
                company.load(
                    size=size, seed=seed, today=as_of or today, now=now, say=self._progress(begun)
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if not options["verbosity"]:  # `serve --demo` names the logins itself
            return
        self.stdout.write(f"\nSign in as (the password is always {PASSWORD}):")
        for role, username, name in LOGINS:
            self.stdout.write(f"  {role:<14} {username:<12} {name}")

    def _progress(self, begun: float) -> Say:
        def say(line: str) -> None:
            self.stdout.write(f"{time.monotonic() - begun:6.1f} s  {line}")
            self.stdout.flush()

        return say
