"""Reads the areas of stored customers from their addresses."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from accounts.audit import Through, acting
from customers import areas, cards
from customers.models import DivisionFound


class Command(BaseCommand):
    help = "Reads the areas of customers without one from their addresses, in batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--again",
            action="store_true",
            help="read those once more that were read before; given areas are never touched",
        )

    def handle(self, *args: Any, again: bool, **options: Any) -> None:
        counts: Counter[str] = Counter()
        done = 0
        with acting(through=Through.COMMAND):
            for ids in areas.chunks(again=again):
                with transaction.atomic():
                    counts.update(areas.read(ids, now=timezone.now()))
                    cards.refresh(ids)
                done += len(ids)
                if done % 10_000 < len(ids):
                    self.stdout.write(f"{done:,} customers")
        self.stdout.write(
            f"{done:,} addresses read: {counts[DivisionFound.ADDRESS]:,} found, "
            f"{counts[DivisionFound.AMBIGUOUS]:,} ambiguous, "
            f"{counts[DivisionFound.UNKNOWN]:,} unknown"
        )
