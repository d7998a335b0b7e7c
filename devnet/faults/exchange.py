"""One HTTP request through the faults: refused, lost, late, twice, or answered."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Any

from devnet.faults.lies import Memory
from devnet.faults.mempool import Mempool
from devnet.faults.passage import SEND, Node, Passage
from devnet.faults.plan import Fault, Plan, Rule
from devnet.faults.record import Record
from devnet.faults.transaction import decode
from devnet.faults.upstream import Json, Upstream, UpstreamAway, first_parameter

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What goes back to a client."""

    status: int = HTTPStatus.OK
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


def _error_page(status: HTTPStatus) -> Reply:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": int(status), "message": status.phrase}}
    return Reply(status=status, body=json.dumps(error).encode())


_TOO_LARGE = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
_PAGES: Mapping[Fault, Reply] = {
    Fault.HTTP_429: _error_page(HTTPStatus.TOO_MANY_REQUESTS),
    Fault.HTTP_500: _error_page(HTTPStatus.INTERNAL_SERVER_ERROR),
    Fault.HTTP_502: _error_page(HTTPStatus.BAD_GATEWAY),
    Fault.HTTP_503: _error_page(HTTPStatus.SERVICE_UNAVAILABLE),
    Fault.HTML: Reply(body=b"<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html"),
    Fault.BATCH_REFUSED: Reply(body=json.dumps(_TOO_LARGE).encode()),
}


@dataclass(kw_only=True)
class Gate:
    """What every exchange passes: the plan of the faults, the record, and the strict mempool if there is one."""

    plan: Plan
    record: Record
    mempool: Mempool | None
    memory: Memory = field(default_factory=Memory)
    closing: threading.Event = field(default_factory=threading.Event)

    def reply(self, body: bytes, upstream: Upstream) -> Reply | None:
        """The answer to a body; None: the connection ends without one."""
        asked = _parsed(body)
        requests = asked if isinstance(asked, list) else [asked]
        try:
            if not requests or not all(_is_request(each) for each in requests):
                return _unchanged(body, upstream)
            return self._reply(body, requests, upstream, is_list=isinstance(asked, list))
        except UpstreamAway:
            return _PAGES[Fault.HTTP_502]

    def _reply(self, body: bytes, requests: Sequence[Json], upstream: Upstream, *, is_list: bool) -> Reply | None:
        self._note_arrivals(requests)
        methods = [request["method"] for request in requests]
        drawn = self.plan.draw(methods, now=monotonic())
        node = Node(upstream=upstream, mempool=self.mempool, record=self.record)
        if not drawn and node.is_itself(methods):
            return _unchanged(body, upstream)
        passage = Passage(node=node, memory=self.memory, requests=requests, drawn=drawn)
        answers = self._suffered(passage)
        if answers is None or isinstance(answers, Reply):
            return answers
        return _spoken(answers, drawn.whole, is_list=is_list)

    def _suffered(self, passage: Passage) -> list[Json] | Reply | None:
        whole = passage.drawn.whole
        is_over = self._wait(whole.get(Fault.REQUEST_LATE))
        if is_over or Fault.REQUEST_LOST in whole:
            return None
        if page := _page(whole, is_forwarding=False):
            return page
        answers = _answers(passage)
        is_over = self._wait(whole.get(Fault.ANSWER_LATE))
        if is_over or Fault.ANSWER_LOST in whole:
            return None
        return _page(whole, is_forwarding=True) or answers

    def _wait(self, rule: Rule | None) -> bool:
        """Wait as a rule says. Whether the proxy ended meanwhile, and the exchange with it."""
        return rule is not None and self.closing.wait(rule.seconds or 0)

    def _note_arrivals(self, requests: Sequence[Json]) -> None:
        sends = [decode(first_parameter(request)) for request in requests if request["method"] == SEND]
        for transaction in sends:
            if transaction is not None:
                self.record.arrived(transaction)


def _answers(passage: Passage) -> list[Json]:
    answers = passage.answers()
    if Fault.DUPLICATE_SECOND in passage.drawn.whole:
        return passage.answers()
    if Fault.DUPLICATE in passage.drawn.whole:
        passage.answers()
    return answers


def _page(whole: Mapping[Fault, Rule], *, is_forwarding: bool) -> Reply | None:
    pages = (page for fault, page in _PAGES.items() if fault in whole and whole[fault].is_forwarding is is_forwarding)
    return next(pages, None)


def _spoken(answers: Sequence[Json], whole: Mapping[Fault, Rule], *, is_list: bool) -> Reply:
    body = json.dumps(answers if is_list else next(iter(answers), None)).encode()
    return Reply(body=body[: len(body) // 2] if Fault.HALF_JSON in whole else body)


def _unchanged(body: bytes, upstream: Upstream) -> Reply:
    status, answer = upstream.post(body)
    return Reply(status=status, body=answer)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_request(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("method"), str)
