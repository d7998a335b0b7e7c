"""A JSON-RPC node that does as it is told; what nobody scripted goes to the real chain behind it, if there is one."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from devnet.ports import LOOPBACK, pick_free

Json = dict[str, Any]
Script = Callable[[list[Any]], Json]

CHAIN_ID = 31337
HEAD = 100
FIRST_PORT, LAST_PORT = 20_500, 20_799
# More than a test lets an answer have.
HUGE = 4_000_000
# How long a node that is late or drips keeps a client that has no patience of its own, in seconds.
_ENDURANCE = 5.0


class Fault(StrEnum):
    """What an exchange can suffer."""

    DROP = "the connection ends without an answer"
    LOST = "the request arrives and is worked, its answer never comes"
    LATE = "the answer comes after the client's patience"
    DRIP = "the answer comes, a byte now and then"
    HUGE = "the answer is followed by more than anyone wants to read"
    ERROR_500 = "HTTP 500"
    TOO_MANY = "HTTP 429"
    HTML = "a gateway's page"
    MALFORMED = "half of a JSON document"
    NESTED = "brackets without end"
    NO_BATCH = "one error for the whole batch"
    SCALARS = "a list of numbers"
    SHORT = "the last answer is missing"
    OTHER_IDS = "answers to other questions"


class Node:
    """A node on a port of its own. `heard` is every request, in order; `batches` how many there were in each exchange."""

    def __init__(self, *, upstream: str | None = None, chain_id: int = CHAIN_ID) -> None:
        self.heard: list[tuple[str, list[Any]]] = []
        self.batches: list[int] = []
        self.head = HEAD
        self.is_shuffling = False
        self._own: dict[str, Script] = {"eth_chainId": lambda _: {"result": hex(chain_id)}}
        if upstream is None:
            self._own["eth_blockNumber"] = lambda _: {"result": hex(self.head)}
        self._scripts = dict(self._own)
        self._faults: dict[str, Fault] = {}
        self.released = threading.Event()
        self._upstream = httpx.Client(base_url=upstream, trust_env=False) if upstream else None
        (port,) = pick_free(1, first=FIRST_PORT, last=LAST_PORT)
        self.url = f"http://{LOOPBACK}:{port}"
        self._server = _server(self, port)

    def answer(self, method: str, result: Any) -> None:
        """Give a method this result from now on."""
        self._scripts[method] = lambda _: {"result": result}

    def refuse(self, method: str, message: str, *, code: int = -32000, **more: Any) -> None:
        """Answer a method with this error from now on."""
        self._scripts[method] = lambda _: {"error": {"code": code, "message": message, **more}}

    def script(self, method: str, script: Script) -> None:
        """Answer a method with what a function makes of its parameters."""
        self._scripts[method] = script

    def suffer(self, fault: Fault, *, on: str = "") -> None:
        """Let every exchange suffer a fault, or those with one method in them."""
        self._faults[on] = fault

    def mend(self) -> None:
        """Forget every script and fault, but the chain's number and height."""
        self._faults.clear()
        self._scripts = dict(self._own)

    def count(self, method: str) -> int:
        """How often a method was heard."""
        return [name for name, _ in self.heard].count(method)

    def fault_of(self, body: bytes) -> Fault | None:
        """What an exchange suffers."""
        return self._fault({request["method"] for request in _requests(body)})

    def reply(self, body: bytes) -> tuple[int, bytes] | None:
        """The status and the body of an answer; None: the connection ends."""
        requests = _requests(body)
        fault = self._fault({request["method"] for request in requests})
        if fault is Fault.DROP:
            return None
        answers = self._answers(requests)
        if fault is Fault.LOST:
            return None
        return self._spoiled(answers, fault)

    def close(self) -> None:
        """End it, and whoever waits for it."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        if self._upstream:
            self._upstream.close()

    def _fault(self, methods: set[str]) -> Fault | None:
        return next((fault for on, fault in self._faults.items() if not on or on in methods), None)

    def _answers(self, requests: list[Json]) -> list[Json]:
        self.heard += [(request["method"], request["params"]) for request in requests]
        self.batches.append(len(requests))
        answers = [self._answer(request) for request in requests]
        return answers[::-1] if self.is_shuffling else answers

    def _answer(self, request: Json) -> Json:
        script = self._scripts.get(request["method"])
        frame = {"jsonrpc": "2.0", "id": request["id"]}
        if script is not None:
            return frame | script(request["params"])
        if self._upstream is None:
            return frame | {"error": {"code": -32601, "message": "method not found"}}
        answer: Json = self._upstream.post("", json=request).json()
        return answer

    def _spoiled(self, answers: list[Json], fault: Fault | None) -> tuple[int, bytes]:
        whole = json.dumps(answers).encode()
        match fault:
            case Fault.LATE:
                self.released.wait(timeout=_ENDURANCE)
            case Fault.HUGE:
                # Still JSON: only its length is wrong.
                return 200, whole + b" " * HUGE
            case Fault.ERROR_500:
                return 500, whole
            case Fault.TOO_MANY:
                return 429, b"{}"
            case Fault.HTML:
                return 200, b"<html><body>Bad gateway</body></html>"
            case Fault.MALFORMED:
                return 200, whole[: len(whole) // 2]
            case Fault.NESTED:
                return 200, b"[" * 200_000
            case Fault.NO_BATCH:
                return 200, b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batch too large"}}'
            case Fault.SCALARS:
                return 200, b"[1,2,3]"
            case Fault.SHORT:
                return 200, json.dumps(answers[:-1]).encode()
            case Fault.OTHER_IDS:
                return 200, json.dumps([answer | {"id": answer["id"] + 1_000} for answer in answers]).encode()
        return 200, whole


def _requests(body: bytes) -> list[Json]:
    asked = json.loads(body)
    return asked if isinstance(asked, list) else [asked]


def _server(node: Node, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            reply = node.reply(asked)
            if reply is None:
                return
            try:
                if node.fault_of(asked) is Fault.DRIP:
                    self._drip()
                else:
                    self._say(*reply)
            except OSError:
                # The client has lost its patience: that is what LATE is for.
                return

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _drip(self) -> None:
            # Each byte in time by itself, and a header without end.
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            for _ in range(int(_ENDURANCE / 0.05)):
                self.wfile.write(b"x")
                self.wfile.flush()
                if node.released.wait(timeout=0.05):
                    return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@contextmanager
def running(*, upstream: str | None = None, chain_id: int = CHAIN_ID) -> Iterator[Node]:
    """A node for the length of a `with`."""
    node = Node(upstream=upstream, chain_id=chain_id)
    try:
        yield node
    finally:
        node.close()
