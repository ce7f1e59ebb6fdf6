"""Brings the index cards of all customers up to date, or says which are not."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from customers import cards
from customers.models import Customer

MOST_NAMED = 20


class Command(BaseCommand):
    help = "Writes anew what customers are found by; needed after rows were changed by hand."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="write nothing; name the customers whose card is out of date, end with 1 if any",
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        total, done, stale = Customer.objects.count(), 0, 0
        for some in cards.chunks_of_all():
            if check:
                found = sorted(cards.differing(some))
                for pk in found[: max(MOST_NAMED - stale, 0)]:
                    self.stdout.write(f"customer {pk} has a stale card")
                stale += len(found)
            else:
                stale += cards.refresh(some)
            done += len(some)
            if done % 10_000 < len(some):
                self.stdout.write(f"{done:,} of {total:,} customers")
        said = "out of date" if check else "brought up to date"
        self.stdout.write(f"{done:,} cards looked at, {stale:,} {said}")
        if check and stale:
            sys.exit(1)
