"""A real receiver of webhooks: it keeps what arrives and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme


@dataclass
class Arrived:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """What arrived so far; `answer` is the status, or a function that makes one."""

    url: str = ""
    answer: int | Callable[[Arrived], int] = 204
    location: str = ""
    text: bytes = b""
    arrived: list[Arrived] = field(default_factory=list)

    def events(self) -> list[str]:
        return [one.said["event"] for one in self.arrived]


#: An authority of these tests alone, and what it says of the receiver.
AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("receiver.example")


@contextmanager
def receiving(*, secure: bool = False, **values: Any) -> Iterator[Receiver]:
    """A receiver on this machine, for as long as the block lasts; `secure`: with CERTIFICATE."""
    receiver = Receiver(**values)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            arrived = Arrived(self.path, dict(self.headers), self.rfile.read(length))
            receiver.arrived.append(arrived)
            answer = receiver.answer
            self.send_response(answer(arrived) if callable(answer) else answer)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.send_header("Content-Length", str(len(receiver.text)))
            self.end_headers()
            self.wfile.write(receiver.text)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        if secure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            CERTIFICATE.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            receiver.url = f"https://receiver.example:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def slowly(seconds: float) -> Callable[[Arrived], int]:
    """Take so long over each answer."""

    def answer(arrived: Arrived) -> int:
        time.sleep(seconds)
        return 204

    return answer
