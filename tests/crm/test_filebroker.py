"""The embedded broker loses no message, whoever dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from kombu import Connection

from crm.lib.filebroker import Transport, return_taken


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    Transport.global_state.clear()  # kombu remembers the queues of the test before
    made = {name: tmp_path / name for name in ("queue", "taken", "control")}
    for folder in made.values():
        folder.mkdir()
    return made


def broker(folders: dict[str, Path]) -> Connection:
    return Connection(
        "filesystem://localhost",
        transport="crm.lib.filebroker:Transport",
        transport_options={
            "data_folder_in": str(folders["queue"]),
            "data_folder_out": str(folders["queue"]),
            "processed_folder": str(folders["taken"]),
            "control_folder": str(folders["control"]),
        },
    )


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_messages_come_in_the_order_they_were_sent_and_go_when_done(folders) -> None:
    with broker(folders) as connection, connection.SimpleQueue("work") as queue:
        for number in range(12):
            queue.put({"number": number})
        got = []
        for _ in range(12):
            message = queue.get(timeout=5)
            got.append(message.payload["number"])
            message.ack()
    assert got == list(range(12))
    assert names(folders["queue"]) == names(folders["taken"]) == []


def test_a_message_taken_by_a_worker_that_died_comes_back(folders) -> None:
    worker = os.fork()
    if worker == 0:
        queue = broker(folders).SimpleQueue("work")
        queue.put({"number": 1})
        queue.get(timeout=5)
        os.kill(os.getpid(), signal.SIGKILL)  # no acknowledgement, no closing
    _pid, status = os.waitpid(worker, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert names(folders["queue"]) == []
    assert len(names(folders["taken"])) == 1

    assert return_taken(folders["queue"], folders["taken"]) == 1
    with broker(folders) as second, second.SimpleQueue("work") as again:
        message = again.get(timeout=5)
        assert message.payload == {"number": 1}
        message.ack()
    assert names(folders["queue"]) == names(folders["taken"]) == []


def test_a_worker_that_closes_in_order_hands_back_what_it_did_not_finish(folders) -> None:
    with broker(folders) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"number": 1})
        queue.get(timeout=5)
    assert len(names(folders["queue"])) == 1
    assert names(folders["taken"]) == []


def test_a_refused_message_goes_back_once(folders) -> None:
    with broker(folders) as connection, connection.SimpleQueue("work") as queue:
        queue.put({"number": 1})
        queue.get(timeout=5).requeue()
        assert len(names(folders["queue"])) == 1
        assert names(folders["taken"]) == []
        message = queue.get(timeout=5)
        assert message.delivery_info
        message.reject()
    assert names(folders["queue"]) == names(folders["taken"]) == []


def test_a_message_that_was_never_wholly_written_is_thrown_away(folders) -> None:
    (folders["queue"] / "1_half.draft").write_text('{"bo')
    assert return_taken(folders["queue"], folders["taken"]) == 0
    assert names(folders["queue"]) == []
