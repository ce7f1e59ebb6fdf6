"""Where webhooks may go: public addresses alone, unless the operator lets in some networks.

Against requests forged through the server (SSRF): what a name stands for is looked up once, every
address that it has is judged, and the connection is made to the very address that was judged, so
that a name which changes its mind meanwhile (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text

Address: TypeAlias = "IPv4Address | IPv6Address"
Network: TypeAlias = "IPv4Network | IPv6Network"
#: Name and port → the addresses it stands for, as text; raises OSError where there is none.
Resolver: TypeAlias = Callable[[str, int], Sequence[str]]

PORTS = {"https": 443, "http": 80}
#: RFC 6052: an IPv6 address whose last 32 bits are the IPv4 address that a gateway goes on to.
NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Destination:
    """The parts of a webhook's address that a connection needs; `host` is plain ASCII."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as HTTP's Host header names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = PORTS["https" if self.secure else "http"]
        return host if self.port == usual else f"{host}:{self.port}"


def parse(url: str) -> Destination:
    """The parts of `url`; ValidationError (code says why) for what is never sent to."""
    if not url.isprintable() or " " in url or "\\" in url:
        raise _refused(_("An address has no spaces or control characters."), "characters")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts)
    except (ValueError, UnicodeError) as bad:
        raise _refused(_("This is no web address."), "malformed") from bad
    allowed = {"https", "http"} if settings.WEBHOOK_ALLOW_HTTP else {"https"}
    if parts.scheme not in allowed or not host:
        raise _refused(
            _("The address begins with https://.")
            if allowed == {"https"}
            else _("The address begins with https:// or http://."),
            "scheme",
        )
    if parts.username is not None or parts.password is not None:
        raise _refused(_("The address holds no user name and no password."), "credentials")
    if parts.fragment:
        raise _refused(_("Leave out what stands behind the #."), "fragment")
    port = PORTS[parts.scheme] if port is None else port
    if port not in PORTS.values() and port < 1024:
        raise _refused(_("The port is 443, 80, or 1024 and above."), "port")
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    if not path.isascii():
        raise _refused(_("Write other signs than ASCII as %XX behind the host."), "characters")
    return Destination(parts.scheme == "https", host, port, path)


def _ascii(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return host if host.isascii() else host.encode("idna").decode()


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host` as the system knows them, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def addresses(
    destination: Destination,
    *,
    resolver: Resolver = resolve,
    networks: Sequence[Network] | None = None,
) -> list[str]:
    """Where the destination may be reached; ValidationError unless all its addresses may be.

    `networks` are those beside the public ones (None: WEBHOOK_PRIVATE_NETWORKS).
    """
    networks = settings.WEBHOOK_PRIVATE_NETWORKS if networks is None else networks
    try:
        found = resolver(destination.host, destination.port)
    except (OSError, UnicodeError) as unknown:
        raise _refused(_("Nobody knows this host."), "unknown_host") from unknown
    if not found:
        raise _refused(_("Nobody knows this host."), "unknown_host")
    for text in found:
        if not is_allowed(text, networks):
            raise _refused(_("This host has an address that is not public."), "private_address")
    return list(found)


def check(url: str, *, resolver: Resolver = resolve) -> None:
    """ValidationError unless webhooks may go to `url` now."""
    addresses(parse(url), resolver=resolver)


def is_allowed(text: str, networks: Sequence[Network] = ()) -> bool:
    """Whether an address is public, or lies in one of `networks`."""
    try:
        address = ip_address(text)
    except ValueError:  # nothing that we could judge
        return False
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    meant = _meant(address)
    return any(
        one.version == network.version and one in network
        for one in {address, meant}
        for network in networks
    ) or _is_public(meant)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    # is_global alone takes multicast, and of IPv6 what is reserved, for public.
    odd = address.is_multicast or address.is_reserved or address.is_unspecified
    local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not odd and not local


def _refused(message: Text, code: str) -> ValidationError:
    return ValidationError(message, code=code)
