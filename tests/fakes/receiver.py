"""A receiver of webhooks that answers what a test says, over real HTTP, and remembers what it was told."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devnet.ports import pick_free

FIRST_PORT, LAST_PORT = 21_500, 21_599


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What the receiver knows a repeat by."""
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        """The message."""
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    @property
    def kind(self) -> str:
        """What happened."""
        return str(self.said["type"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: a status with headers and a body, or raw bytes; a byte at a time with a pause after each, if it drips."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    raw: bytes | None = None
    drip_seconds: float = 0.0
    # Said before anything else.
    silence_seconds: float = 0.0

    @property
    def wire(self) -> bytes:
        """All of it."""
        if self.raw is not None:
            return self.raw
        lines = [f"HTTP/1.1 {self.status} So", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode() + self.body


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Where it listens, what it was told, and what it answers: a reply, or a function of the message."""

    port: int
    answer: Reply | Callable[[Told], Reply] = field(default_factory=Reply)
    told: list[Told] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def kinds(self) -> list[str]:
        """What it was told, in order."""
        return [each.kind for each in self.told]

    @property
    def ids(self) -> list[str]:
        """Under which ids."""
        return [each.id for each in self.told]


@contextmanager
def running() -> Iterator[Receiver]:
    """A receiver on a port of its own."""
    (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    receiver = Receiver(port=port)
    server = _Server(("127.0.0.1", port), _handler(receiver))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Who hangs up on a slow answer is right to."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = Told(
                path=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            receiver.told.append(told)
            reply = receiver.answer(told) if callable(receiver.answer) else receiver.answer
            self.close_connection = True
            time.sleep(reply.silence_seconds)
            self._send(reply)

        def do_GET(self) -> None:
            self.do_POST()

        def _send(self, reply: Reply) -> None:
            if not reply.drip_seconds:
                self.wfile.write(reply.wire)
                return
            for byte in reply.wire:
                self.wfile.write(bytes([byte]))
                time.sleep(reply.drip_seconds)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
