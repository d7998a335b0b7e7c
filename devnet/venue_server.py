"""The local venue's HTTP services on a port of the loopback address.

python -m devnet.venue_server --port 8091 --rpc-url http://127.0.0.1:8545
"""

import argparse
import json
import signal
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from devnet import deploy, price_faults
from devnet.ports import LOOPBACK
from devnet.rpc import Rpc
from devnet.venue_api import Json, Venue, answer, controlled, leveled, refusal


def server(venue: Venue, *, port: int) -> ThreadingHTTPServer:
    """A server for the venue on the loopback address; the caller runs it and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if urlsplit(self.path).path == price_faults.PATH:
                self._control("GET")
            else:
                self._reply(*answer(venue, self.path))

        def do_POST(self) -> None:
            self._control("POST")

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._reply(*leveled(venue, self.path, body))

        def do_DELETE(self) -> None:
            self._control("DELETE")

        def _control(self, verb: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if urlsplit(self.path).path != price_faults.PATH:
                self._reply(HTTPStatus.NOT_FOUND, refusal("NOT_FOUND", f"no route {self.path}"))
            else:
                self._reply(*controlled(venue, verb, self.path, body))

        def _reply(self, status: HTTPStatus, reply: Json) -> None:
            body = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a line for each price would bury what matters."""

    return _Server((LOOPBACK, port), Handler)


class _Server(ThreadingHTTPServer):
    # One that hangs on demand keeps nobody from ending it.
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: whoever asks for prices waits a second at most."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devnet.venue_server", description="The local venue's HTTP services.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rpc-url", required=True)
    arguments = parser.parse_args()
    with Rpc(arguments.rpc_url) as rpc:
        _serve(server(Venue(rpc=rpc, deployment=deploy.expected()), port=arguments.port))


def _serve(running: ThreadingHTTPServer) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the serving loop, which is this very thread: it has to be asked from another.
        signal.signal(each, lambda *_: threading.Thread(target=running.shutdown).start())
    with running:
        running.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
