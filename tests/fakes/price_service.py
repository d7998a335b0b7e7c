"""A price service that answers what a test says, over real HTTP, and remembers what it was asked."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devnet.ports import pick_free

FIRST_PORT, LAST_PORT = 21_000, 21_099


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class PriceService:
    """What it answers; `body` may be a function of the request."""

    url: str
    body: bytes | Callable[[Asked], bytes] = b"{}"
    status: int = 200
    # Sent a byte at a time, with such a pause after each.
    drip_seconds: float = 0.0
    asked: list[Asked] = field(default_factory=list)

    def say(self, said: object) -> None:
        """Answer this as JSON from now on."""
        self.body = json.dumps(said).encode()


@contextmanager
def running() -> Iterator[PriceService]:
    """A service on a port of its own."""
    (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
    service = PriceService(url=f"http://127.0.0.1:{port}")
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(service))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(service: PriceService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Asked(
                path=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            service.asked.append(request)
            body = service.body(request) if callable(service.body) else service.body
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._send(body)

        def do_POST(self) -> None:
            self.do_GET()

        def _send(self, body: bytes) -> None:
            if not service.drip_seconds:
                self.wfile.write(body)
                return
            for byte in body:
                try:
                    self.wfile.write(bytes([byte]))
                except ConnectionError:
                    return
                time.sleep(service.drip_seconds)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
