"""Make an API key for an integration and print it, alone, on standard output."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.actions import integration_account
from accounts.models import ApiKey
from accounts.roles import SCOPES


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what uses the key; the audit log shows it")
        parser.add_argument(
            "--scopes",
            nargs="+",
            metavar="SCOPE",
            help="what the key may do, with commas or spaces between; everything where left out",
        )

    @transaction.atomic
    def handle(self, *args: Any, name: str, scopes: list[str] | None, **options: Any) -> None:
        wanted = None
        if scopes is not None:
            wanted = [scope for part in scopes for scope in part.split(",") if scope]
            unknown = sorted(set(wanted) - set(SCOPES))
            if unknown or not wanted:
                raise CommandError(
                    f"Unknown scopes: {', '.join(unknown) or 'none given'}. "
                    f"Choose from: {', '.join(SCOPES)}"
                )
        try:
            _key, secret = ApiKey.issue(name=name, user_id=integration_account().pk, scopes=wanted)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        self.stdout.write(secret)
