"""Webhooks go to names that are allowed, and of those only to addresses of the public internet."""

import ipaddress

import pytest

from bots.domain import target
from bots.domain.target import Rules, Target, TargetRefused

RULES = Rules(
    hosts=frozenset({"hooks.example.org", "93.184.215.14", "127.0.0.1", "2130706433", "0x7f.1", "127.1", "017700000001"})
)
LOCAL = Rules(hosts=frozenset({"localhost", "127.0.0.1", "::1"}), may_be_local=True)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example.org/a?b=c", Target(scheme="https", host="hooks.example.org", port=443, path="/a?b=c")),
        ("https://HOOKS.example.org", Target(scheme="https", host="hooks.example.org", port=443, path="/")),
        ("https://hooks.example.org:8443/", Target(scheme="https", host="hooks.example.org", port=8443, path="/")),
        ("https://93.184.215.14/", Target(scheme="https", host="93.184.215.14", port=443, path="/")),
    ],
)
def test_an_allowed_url_in_its_parts(url: str, expected: Target) -> None:
    assert target.checked(url, rules=RULES) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "gopher://hooks.example.org/",
        "//hooks.example.org/",
        "https:hooks.example.org",
        "https://",
        "",
        "hooks.example.org",
        "https://other.example.org/",
        "https://hooks.example.org.evil.org/",
        "https://evil.org#hooks.example.org",
        "https://evil.org?hooks.example.org",
        "https://user@hooks.example.org/",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org@evil.org/",
        "https://evil.org\\@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:22/",
        "https://hooks.example.org:80/",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:65536/",
        "https://hooks.example.org:-443/",
        "https://hooks.example.org:x/",
        "https://hooks.example.org./",
        "https://hooks.ex\tample.org/",
        "https://hooks.example.org/\r\nX: 1",
        "https://hooks.example.org/ a",
        "https://hooks.example.org/é",
        "https://hooks。example。org/",
        "https://hooks.example.org/" + "a" * 500,
        "https://[::1]/",
        "https://[hooks.example.org]/",
        # Names of 127.0.0.1, each on the list above: still no hosts.
        "https://2130706433/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://017700000001/",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        target.checked(url, rules=RULES)


def test_without_a_list_nothing_is_allowed() -> None:
    with pytest.raises(TargetRefused, match="WEBHOOK_TARGET_HOSTS"):
        target.checked("https://hooks.example.org/", rules=Rules(hosts=frozenset()))


@pytest.mark.parametrize("url", ["http://127.0.0.1:21500/", "http://localhost:8080/x", "https://[::1]:9443/"])
def test_development_may_name_this_machine_on_a_high_port(url: str) -> None:
    assert target.checked(url, rules=LOCAL).host in LOCAL.hosts


@pytest.mark.parametrize("url", ["http://127.0.0.1:22/", "http://127.0.0.1/"])
def test_development_too_has_no_business_on_a_low_port(url: str) -> None:
    with pytest.raises(TargetRefused, match="port"):
        target.checked(url, rules=LOCAL)


PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
HIDDEN = [
    *("0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::a00:1"),
    *("64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:a00:1::", "fc00::1", "fd00:ec2::254"),
    *("fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
]


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_may_be_called(text: str) -> None:
    assert target.refusal(ipaddress.ip_address(text), rules=RULES) == ""


@pytest.mark.parametrize("text", HIDDEN)
def test_any_other_address_is_refused(text: str) -> None:
    address = ipaddress.ip_address(text)

    assert target.refusal(address, rules=RULES) == f"{address} is no public address"


@pytest.mark.parametrize(("text", "is_allowed"), [(text, text in ("127.0.0.1", "127.9.9.9", "::1")) for text in HIDDEN])
def test_development_opens_this_machine_and_no_network(text: str, is_allowed: bool) -> None:
    assert (target.refusal(ipaddress.ip_address(text), rules=LOCAL) == "") is is_allowed
