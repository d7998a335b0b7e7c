"""Webhooks on the wire: one POST to an address that was looked at, within one deadline, its answer thrown away.

httpx would follow the environment's proxies and look the name up itself; its transport alone does neither.
"""

import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import httpcore

from bots.domain import target
from bots.domain.delivery import Answer, Trouble, trouble_of
from bots.domain.target import DEFAULT_PORTS, Address, Rules, TargetRefused
from trading.kinds import ask

# From the look-up of the name to the end of the answer, in seconds.
PATIENCE_SECONDS = 5.0
_CONNECT_SECONDS = 2.0
# Of the answer's body; nobody reads it, but a target may want to see it taken.
MAX_ANSWER_BYTES = 16_384

# host, port → the addresses of the name.
Resolve = Callable[[str, int], Iterable[Address]]


def addresses(host: str, port: int) -> list[Address]:
    """What the machine's resolver knows of a name; old forms of IPv4 (`0x7f.1`) are addresses to it too."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


class HttpPostman:
    """A postman over HTTP/1.1, with a connection of its own for each message: none can hold up or mix with another."""

    def __init__(self, *, rules: Rules, resolve: Resolve = addresses) -> None:
        self._rules = rules
        self._resolve = resolve

    def check(self, url: str, /) -> None:
        """Pass if a URL may be a target."""
        target.checked(url, rules=self._rules)

    @ask
    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """What came of one POST."""
        try:
            return self._post(url, headers, body)
        except TargetRefused:
            return Answer(trouble=Trouble.TARGET)
        except socket.gaierror:
            return Answer(trouble=Trouble.NAME)
        except httpcore.TimeoutException:
            return Answer(trouble=Trouble.TOO_SLOW)
        except (httpcore.NetworkError, OSError):
            return Answer(trouble=Trouble.CONNECTION)
        except httpcore.ProtocolError:
            return Answer(trouble=Trouble.NONSENSE)

    def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        # Each time: the list may be shorter by now.
        aim = target.checked(url, rules=self._rules)
        backend = _GuardedNetwork(rules=self._rules, resolve=self._resolve, deadline=time.monotonic() + PATIENCE_SECONDS)
        with (
            httpcore.ConnectionPool(ssl_context=self._trust, network_backend=backend, max_connections=1, retries=0) as pool,
            pool.stream("POST", _url(aim), headers=[_host(aim), *headers.items(), *_ALWAYS], content=body) as response,
        ):
            _throw_away(response)
            return Answer(
                trouble=trouble_of(response.status), status=response.status, retry_after=_header(response, b"retry-after")
            )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return httpcore.default_ssl_context()


_ALWAYS = (("Content-Type", "application/json"), ("User-Agent", "Vanta-Webhooks/1"), ("Connection", "close"))


class _GuardedNetwork(httpcore.NetworkBackend):
    """Connects to an address that it looked at itself, so that no second look-up can lead elsewhere."""

    def __init__(self, *, rules: Rules, resolve: Resolve, deadline: float) -> None:
        self._rules = rules
        self._resolve = resolve
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a name of which every address is allowed."""
        found = list(self._resolve(host, port))
        refused = [said for address in found if (said := target.refusal(address, rules=self._rules))]
        if refused or not found:
            raise TargetRefused("; ".join(refused) or "a name without an address")
        patience = min(_CONNECT_SECONDS, _left(self._deadline))
        stream = self._network.connect_tcp(str(found[0]), port, patience, local_address, socket_options)
        return _BoundedStream(stream, deadline=self._deadline)


class _BoundedStream(httpcore.NetworkStream):
    """A connection on which every wait ends at the one deadline: a target that drips is no exception."""

    def __init__(self, stream: httpcore.NetworkStream, *, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline counts
        """What comes next."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline counts
        """Send."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted; the certificate must be the name's, not the address's."""
        secure = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline))
        return _BoundedStream(secure, deadline=self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise httpcore.ReadTimeout("the patience has ended")
    return seconds


def _url(aim: target.Target) -> httpcore.URL:
    return httpcore.URL(scheme=aim.scheme, host=aim.host, port=aim.port, target=aim.path)


def _host(aim: target.Target) -> tuple[str, str]:
    name = f"[{aim.host}]" if ":" in aim.host else aim.host
    return "Host", name if aim.port == DEFAULT_PORTS[aim.scheme] else f"{name}:{aim.port}"


def _throw_away(response: httpcore.Response) -> None:
    taken = 0
    # The status is known: whatever becomes of the body changes nothing.
    with contextlib.suppress(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        for part in response.iter_stream():
            taken += len(part)
            if taken > MAX_ANSWER_BYTES:
                return


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")
