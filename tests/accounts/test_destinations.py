"""Webhooks go to public addresses alone: every form of a private one is refused (SSRF)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.destinations import addresses, check, is_allowed, parse, resolve

PRIVATE = """
    127.0.0.1 127.8.9.1 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254
    192.168.1.1 169.254.169.254 169.254.0.1 100.64.0.1 100.127.255.254 192.0.2.1 198.18.0.1
    198.51.100.7 203.0.113.7 224.0.0.1 239.1.1.1 224.0.1.1 240.0.0.1 255.255.255.255 192.0.0.1
    :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 64:ff9b::7f00:1
    64:ff9b::a9fe:a9fe 64:ff9b:1::a00:1 2002:7f00:1:: 2002:a9fe:a9fe:: fc00::1 fd12:3456::1
    fe80::1 fe80::1%1 fec0::1 ff02::1 2001:db8::1 100::1 2001::1 1::1 5f00::1
"""
PUBLIC = """
    8.8.8.8 1.1.1.1 114.114.114.114 223.5.5.5 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1
    192.167.255.255 2400:3200::1 2606:4700:4700::1111 ::ffff:8.8.8.8 64:ff9b::808:808
    2002:808:808::
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_public_is_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_what_is_public_may_be_sent_to(address: str) -> None:
    assert is_allowed(address)


@pytest.mark.parametrize(
    ("address", "network", "allowed"),
    [
        ("10.2.3.4", "10.2.0.0/16", True),
        ("10.3.3.4", "10.2.0.0/16", False),
        ("::ffff:10.2.3.4", "10.2.0.0/16", True),
        ("64:ff9b::a02:304", "10.2.0.0/16", True),
        ("fd00::7", "fd00::/8", True),
        ("fd00::7", "10.0.0.0/8", False),
        ("169.254.169.254", "10.0.0.0/8", False),
    ],
)
def test_the_operator_lets_in_networks(address: str, network: str, allowed: bool) -> None:
    assert is_allowed(address, [ip_network(network)]) is allowed


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_ipv6_form(address) -> None:
    number = int(address)
    for form in (
        f"::ffff:{address}",
        str(ip_address((0x64FF9B << 96) | number)),
        str(ip_address((0x2002 << 112) | (number << 80))),
    ):
        assert is_allowed(form) is is_allowed(str(address)), form


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "1.2.3", "::g", "0x7f.1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert not is_allowed(text)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "scheme"),
        ("ftp://example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com/", "scheme"),
        ("//example.com/", "scheme"),
        ("example.com", "scheme"),
        ("https://", "scheme"),
        ("https:///path", "scheme"),
        ("https://user@example.com/", "credentials"),
        ("https://user:secret@example.com/", "credentials"),
        ("https://@example.com/", "credentials"),
        ("https://example.com/#x", "fragment"),
        ("https://example.com:22/", "port"),
        ("https://example.com:0/", "port"),
        ("https://example.com:99999/", "malformed"),
        ("https://example.com:x/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://a..b.例/", "malformed"),
        ("https://example.com/a b", "characters"),
        ("https://example.com/\r\nX-Evil: 1", "characters"),
        ("https://example.com\\@127.0.0.1/", "characters"),
        ("https://example.com/\x00", "characters"),
        ("https://example.com/钩子", "characters"),
    ],
)
def test_an_address_that_is_never_sent_to_is_refused(url: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(url)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://example.com", (True, "example.com", 443, "/", "example.com")),
        ("HTTPS://Example.com/a?b=c", (True, "example.com", 443, "/a?b=c", "example.com")),
        ("https://例子.cn:8443/x", (True, "xn--fsqu00a.cn", 8443, "/x", "xn--fsqu00a.cn:8443")),
        ("https://example.com:80/", (True, "example.com", 80, "/", "example.com:80")),
        ("https://[2400:3200::1]/x", (True, "2400:3200::1", 443, "/x", "[2400:3200::1]")),
    ],
)
def test_the_parts_of_an_address(url: str, wanted: tuple[object, ...]) -> None:
    found = parse(url)
    assert (found.secure, found.host, found.port, found.path, found.host_header) == wanted


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    found = ["8.8.8.8", "2400:3200::1", "10.0.0.7"]
    with pytest.raises(ValidationError) as refused:
        check("https://example.com/", resolver=lambda host, port: found)
    assert refused.value.code == "private_address"
    check("https://example.com/", resolver=lambda host, port: found[:2])


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1", "localhost", "[::1]"])
def test_odd_ways_to_write_this_machine_are_refused(host: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check(f"https://{host}/")
    assert refused.value.code in {"private_address", "unknown_host"}


def test_a_host_that_nobody_knows_is_refused() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError

    def empty(host: str, port: int) -> list[str]:
        return []

    for resolver in (unknown, empty):
        with pytest.raises(ValidationError) as refused:
            addresses(parse("https://example.com/"), resolver=resolver)
        assert refused.value.code == "unknown_host"


def test_the_system_knows_numbers_and_this_machine() -> None:
    assert resolve("8.8.8.8", 443) == ["8.8.8.8"]
    assert set(resolve("localhost", 443)) <= {"127.0.0.1", "::1"}
