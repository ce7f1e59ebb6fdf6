"""The embedded broker: Celery messages as files that the processes of one machine share.

kombu's own filesystem transport removes a message when a worker takes it, so a killed worker
loses it, and shows a message before it is wholly written. Here a message is written aside and
renamed into the queue; a worker renames it into `processed_folder` and removes it there when the
task is done. What a dead worker left behind goes back with `return_taken`.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

DRAFT = ".draft"


class Channel(filesystem.Channel):
    """A channel whose messages survive the worker that took them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._taken: dict[str, Path] = {}
        super().__init__(*args, **kwargs)

    def _put(  # type: ignore[override]  # the stubs name the message two ways
        self, queue: str, message: Any, **kwargs: Any
    ) -> None:
        stem = f"{time.time_ns()}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        draft = folder / f"{stem}{DRAFT}"
        draft.write_text(dumps(message), "utf-8")
        draft.rename(folder / f"{stem}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.processed_folder) / name
            try:
                (Path(self.data_folder_in) / name).rename(taken)
            except FileNotFoundError:  # another worker was quicker
                continue
            payload = loads(taken.read_text("utf-8"))
            self._taken[payload["properties"]["delivery_tag"]] = taken
            return payload
        raise Empty

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple=multiple)
        self._forget(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue=requeue)
        self._forget(delivery_tag)

    def _restore(self, message: Any) -> None:
        super()._restore(message)
        self._forget(message.delivery_tag)

    def _forget(self, delivery_tag: str) -> None:
        taken = self._taken.pop(delivery_tag, None)
        if taken is not None:
            taken.unlink(missing_ok=True)


class Transport(filesystem.Transport):
    """What `broker_transport` names."""

    Channel = Channel


def return_taken(queue: Path, taken: Path) -> int:
    """Put back what dead workers had taken, and say how many. Call it while no worker runs."""
    for draft in queue.glob(f"*{DRAFT}"):
        draft.unlink()
    messages = sorted(taken.glob("*.msg"))
    for message in messages:
        message.rename(queue / message.name)
    return len(messages)
