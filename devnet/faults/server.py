"""HTTP/1.1 for the proxy, with connections that stay open, on the loopback address only."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devnet.faults import control
from devnet.faults.exchange import Gate, Reply
from devnet.faults.upstream import Upstream
from devnet.ports import LOOPBACK


class Server(ThreadingHTTPServer):
    """One thread and one connection to the chain for each client's connection."""

    daemon_threads = False
    # A worker pool that starts at once mustn't be refused.
    request_queue_size = 128

    def __init__(self, gate: Gate, *, upstream: str, port: int) -> None:
        self.gate = gate
        self.upstream = upstream
        self._clients: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def stop(self) -> None:
        """Take no more connections, and end those that are open."""
        self.shutdown()
        with self._lock:
            for client in self._clients:
                _end(client)
        self.server_close()

    def met(self, client: socket.socket) -> None:
        """Remember a connection."""
        with self._lock:
            self._clients.add(client)

    def left(self, client: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._clients.discard(client)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: that is what faults are for."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the second segment of an answer waits 40 ms for the first one's acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.met(self.connection)
        self.upstream = Upstream(self.server.upstream)

    def finish(self) -> None:
        self.upstream.close()
        self.server.left(self.connection)
        super().finish()

    def do_POST(self) -> None:
        if control.is_control(self.path):
            self._control("POST")
        else:
            self._answer(self.server.gate.reply(self._body(), self.upstream))

    def do_GET(self) -> None:
        self._control("GET")

    def do_DELETE(self) -> None:
        self._control("DELETE")

    def _control(self, verb: str) -> None:
        self._answer(control.answer(self.server.gate, verb, self.path, self._body()))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(self, reply: Reply | None) -> None:
        if reply is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing: a line for each request would bury what matters."""


def _end(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
