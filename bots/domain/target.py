"""Where a webhook may go: hosts that are allowed by name, and of them only addresses of the public internet."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from trading.domain.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

DEFAULT_PORTS = {"https": 443, "http": 80}
HTTPS_PORTS = frozenset({443, 8443})
_LOWEST_LOCAL_PORT = 1_024
_LONGEST_URL = 500
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# Of IPv6 only this is handed out for the public; mapped, translated and private addresses all lie elsewhere,
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
# but for the tunnels that carry an IPv4 address inside.
_TUNNELS = (ipaddress.ip_network("2001::/32"), ipaddress.ip_network("2002::/16"))


class TargetRefused(Invalid):
    """A webhook may not go there."""

    code = "TARGET_REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Where webhooks may go. `may_be_local` is for development: this machine itself, unencrypted, on any high port."""

    hosts: frozenset[str]
    may_be_local: bool = False

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes that are allowed."""
        return ("https", "http") if self.may_be_local else ("https",)

    def allows_port(self, port: int) -> bool:
        """Whether a port is one for webhooks."""
        return port in HTTPS_PORTS or (self.may_be_local and port >= _LOWEST_LOCAL_PORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that the rules allow, in its parts."""

    scheme: str
    host: str
    port: int
    path: str


def checked(url: str, *, rules: Rules) -> Target:
    """The parts of a URL that may be a target; where its name leads is looked at when it is called.

    Raises:
        TargetRefused: if it may not, saying why.
    """
    parts = _parts(url)
    target = _target(parts)
    if parts.scheme not in rules.schemes:
        raise TargetRefused(f"a target begins with {' or '.join(rules.schemes)}", field="url")
    if target.host not in rules.hosts:
        raise TargetRefused("the host isn't in WEBHOOK_TARGET_HOSTS", field="url", host=target.host)
    if not rules.allows_port(target.port):
        raise TargetRefused("the port is none for webhooks", field="url", port=target.port)
    return target


def refusal(address: Address, *, rules: Rules) -> str:
    """Why nobody may be called at an address; empty if it is one of the public internet."""
    if address.is_loopback and rules.may_be_local:
        return ""
    return "" if _is_public(address) else f"{address} is no public address"


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        is_plain = address in _PUBLIC_V6 and not any(address in tunnel for tunnel in _TUNNELS)
        return is_plain and address.is_global
    return address.is_global and not address.is_multicast


def _parts(url: str) -> SplitResult:
    # `urlsplit` drops tabs and line breaks in silence, and browsers read a backslash as a slash.
    if len(url) > _LONGEST_URL or not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise TargetRefused("a URL has at most 500 printable characters and no backslash", field="url")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise TargetRefused("that is no URL", field="url") from None
    if "@" in parts.netloc or parts.fragment:
        raise TargetRefused("a target has no user, no password and no fragment", field="url")
    return parts


def _target(parts: SplitResult) -> Target:
    host = (parts.hostname or "").lower()
    if not _is_host(host):
        raise TargetRefused("the host is neither a name nor an address", field="url")
    port = parts.port if parts.port is not None else DEFAULT_PORTS.get(parts.scheme, 0)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, port=port, path=path)


def _is_host(host: str) -> bool:
    """A name, or an address as it is written in full: `127.1`, `0x7f.1` and `2130706433` are neither."""
    last = host.rpartition(".")[2]
    if _NAME.fullmatch(host) and not last.isdecimal() and not last.startswith("0x"):
        return True
    try:
        return str(ipaddress.ip_address(host)) == host
    except ValueError:
        return False
