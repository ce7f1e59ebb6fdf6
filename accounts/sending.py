"""One POST to a receiver: signed, within a time limit, to an address that was judged before."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from time import monotonic
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.destinations import Destination, Resolver, addresses, parse, resolve
from crm.lib.text import Text

#: Seconds to connect, and for everything together.
CONNECT, TOTAL = 5.0, 10.0
#: As much of an answer is read, and as much of that is kept to be looked at.
MOST_READ = 64 * 1024
MOST_KEPT = 1000
USER_AGENT = "Kehu-Webhooks/1"

#: Why an attempt failed, by the code that is stored with it.
FAULTS: Mapping[str, Text] = {
    "status": _("The receiver did not answer with 2xx."),
    "redirect": _("The receiver sent us elsewhere; redirects are not followed."),
    "timeout": _("The receiver did not answer within 10 seconds."),
    "connect": _("No connection could be made."),
    "tls": _("The certificate of the receiver does not hold."),
    "protocol": _("The answer was no HTTP."),
    "unknown_host": _("Nobody knows this host."),
    "private_address": _("The host has an address that is not public."),
    "address": _("The address may not be sent to."),
    "waited": _("It waited too long for a receiver that failed."),
    "stopped": _("It waited too long for a webhook that was paused or removed."),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: `error` is one of FAULTS, "" for a delivery."""

    error: str
    status: int | None = None
    text: str = ""
    duration_ms: int = 0


def encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def sign(body: bytes, *, secrets: Sequence[str], timestamp: int) -> str:
    """`t=<timestamp>,v1=<hex>`: HMAC-SHA256 of `<timestamp>.<body>`, once for each secret.

    This is Stripe's scheme (https://docs.stripe.com/webhooks#verify-manually): the time is signed
    too, so that a receiver can refuse what somebody recorded and sends again later.
    """
    text = b"%d.%s" % (timestamp, body)
    marks = [hmac.new(one.encode(), text, hashlib.sha256).hexdigest() for one in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, resolver: Resolver = resolve
) -> Answer:
    """Send `body` to `url` and see what is answered; whatever goes wrong is in the answer."""
    begun = monotonic()
    try:
        destination = parse(url)
        found = addresses(destination, resolver=resolver)
    except ValidationError as refused:
        code = str(refused.code)
        return Answer(code if code in FAULTS else "address", duration_ms=_since(begun))
    try:
        with _connect(destination, found, begun + TOTAL) as sock:
            status, text = _exchange(sock, destination, body, headers, begun + TOTAL)
    except TimeoutError:
        return Answer("timeout", duration_ms=_since(begun))
    except ssl.SSLError:
        return Answer("tls", duration_ms=_since(begun))
    except OSError:
        return Answer("connect", duration_ms=_since(begun))
    except HTTPException:
        return Answer("protocol", duration_ms=_since(begun))
    error = "" if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "status"
    return Answer(error, status, text, _since(begun))


def _since(begun: float) -> int:
    return round((monotonic() - begun) * 1000)


@cache
def _tls() -> ssl.SSLContext:
    """The system's authorities; the certificate must name the host. No proxy is ever asked."""
    return ssl.create_default_context()


def _connect(destination: Destination, found: Sequence[str], deadline: float) -> socket.socket:
    """A connection to the first of the judged addresses that takes one."""
    last: OSError = OSError("no address")
    for address in found:
        try:
            patience = min(CONNECT, deadline - monotonic())
            if patience <= 0:
                raise TimeoutError
            sock = socket.create_connection((address, destination.port), patience)
        except OSError as failed:
            last = failed
            continue
        if not destination.secure:
            return sock
        try:
            sock.settimeout(max(deadline - monotonic(), 0.01))
            return _tls().wrap_socket(sock, server_hostname=destination.host)
        except BaseException:
            sock.close()
            raise
    raise last


def _exchange(
    sock: socket.socket,
    destination: Destination,
    body: bytes,
    headers: Mapping[str, str],
    deadline: float,
) -> tuple[int, str]:
    connection = HTTPConnection(destination.host, destination.port)
    connection.sock = sock
    sock.settimeout(max(deadline - monotonic(), 0.01))
    connection.request(
        "POST",
        destination.path,
        body=body,
        headers={
            "Host": destination.host_header,
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        },
    )
    response = HTTPResponse(cast(socket.socket, _Reading(sock, deadline)), method="POST")
    response.begin()
    try:
        said = response.read(MOST_READ)
    except (OSError, HTTPException):  # the status is here, and it alone decides
        said = b""
    return response.status, said[:MOST_KEPT].decode(errors="replace").replace("\x00", "")


class _Reading:
    """A socket as HTTPResponse wants it, that ends at `deadline` however slowly bytes drip."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.raw = _Timed(sock, deadline)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self.raw)


class _Timed(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self.sock, self.deadline = sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
        return self.sock.recv_into(buffer)
