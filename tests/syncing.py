"""The bulk sync of a resource as an integration calls it, and what became of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rest_framework.test import APIClient

COUNTS = ("created", "updated", "unchanged", "stale", "rejected")


@dataclass(frozen=True)
class Bulk:
    """The address to which the records of a resource are sent."""

    url: str

    def sync(self, client: APIClient, *records: Any) -> dict[str, Any]:
        """The answer, in which every record is counted once."""
        answer = client.post(self.url, list(records), format="json", HTTP_ACCEPT_LANGUAGE="en")
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        assert body["received"] == len(records) == sum(body[name] for name in COUNTS)
        return body

    def became(self, client: APIClient, *records: Any) -> dict[str, int]:
        """The counts that are not zero."""
        answer = self.sync(client, *records)
        return {name: answer[name] for name in COUNTS if answer[name]}

    def refused(self, client: APIClient, *records: Any) -> dict[str, dict[str, list[str]]]:
        """The errors of each rejected record, by its number."""
        return {e["external_id"]: e["errors"] for e in self.sync(client, *records)["errors"]}
