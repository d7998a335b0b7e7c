"""The door behind its real server: what only a socket can do wrong, and many at once."""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings

from tests.factories.trading import MarketFactory, TraderFactory
from tests.integration.trading.bad_bodies import ENTRY
from tests.served import served
from trading.domain.proof import signature_of
from trading.models import Event, Signal

pytestmark = pytest.mark.slow

RAW = json.dumps(ENTRY).encode()
TYPE = "Content-Type: application/json"


@pytest.fixture
def port(committed: None, tmp_path: Path) -> Iterator[int]:
    MarketFactory()
    TraderFactory(tg_user_id=123)
    with served(log=tmp_path / "web.log") as number:
        yield number


def signed(raw: bytes = RAW) -> str:
    return f"X-Signature: {signature_of(raw, secret=settings.WEBHOOK_HMAC_SECRET)}"


def head(*lines: str, first: str = "POST /signals HTTP/1.1") -> bytes:
    return "\r\n".join([first, "Host: localhost", *lines, "Connection: close", "", ""]).encode()


def sent(port: int, *parts: bytes, seconds: float = 20) -> tuple[int, bytes]:
    """The status of the answer to some bytes, and the whole of it; 0 where the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as link:
        for part in parts:
            link.sendall(part)
        answer = b""
        while piece := link.recv(65_536):
            answer += piece
    return (int(answer[9:12]) if answer else 0), answer


def whole(raw: bytes = RAW, *more: str) -> bytes:
    return head(TYPE, signed(raw), f"Content-Length: {len(raw)}", *more) + raw


def test_what_a_socket_can_do_wrong_is_refused_and_stored_nowhere(port: int) -> None:
    length = f"Content-Length: {len(RAW)}"
    refused = {
        "a chunked body": head(TYPE, signed(), "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(RAW), RAW),
        "a length and chunks": head(TYPE, signed(), length, "Transfer-Encoding: chunked") + b"0\r\n\r\n" + RAW,
        "two lengths": head(TYPE, signed(), length, "Content-Length: 1") + RAW,
        "no length": head(TYPE, signed()) + RAW,
        "a negative length": head(TYPE, signed(), "Content-Length: -5") + RAW,
        "a length in words": head(TYPE, signed(), "Content-Length: many") + RAW,
        "a body cut short by its length": head(TYPE, signed(), "Content-Length: 9") + RAW,
        "two signatures": head(TYPE, signed(), signed(), length) + RAW,
        "a good and a bad signature": head(TYPE, signed(), "X-Signature: " + "0" * 64, length) + RAW,
        "two types": head(TYPE, TYPE, signed(), length) + RAW,
        "an underscore in the header": head(TYPE, signed().replace("-", "_"), length) + RAW,
        "another host": head(TYPE, signed(), length).replace(b"localhost", b"evil.example") + RAW,
        "a slash more": head(TYPE, signed(), length, first="POST /signals/ HTTP/1.1") + RAW,
        "no path of ours": head(TYPE, signed(), length, first="POST /signal HTTP/1.1") + RAW,
        "a word as a method": head(TYPE, signed(), length, first="SEND /signals HTTP/1.1") + RAW,
        "nonsense": b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
    }

    answers = {name: sent(port, raw) for name, raw in refused.items()}

    allowed = {400, 401, 404, 405, 413, 415, 422}
    assert {name: status for name, (status, _) in answers.items() if status not in allowed} == {}
    assert [name for name, (_, answer) in answers.items() if b"s-1" in answer or b"evil.example" in answer] == []
    assert Signal.objects.count() == 0
    assert sent(port, whole())[0] == 202


def test_a_body_that_stops_in_the_middle_keeps_no_thread(port: int) -> None:
    half = head(TYPE, signed(), f"Content-Length: {len(RAW)}") + RAW[:20]
    with ThreadPoolExecutor(4) as stalled:
        waiting = [stalled.submit(sent, port, half) for _ in range(4)]
        time.sleep(0.5)
        begun = time.monotonic()
        assert sent(port, whole())[0] == 202
        waited = time.monotonic() - begun
        assert {answer.result()[0] for answer in waiting} == {400}
    assert waited < 8
    assert Signal.objects.count() == 1


def test_a_body_in_small_pieces_is_a_body(port: int) -> None:
    pieces = [whole()[start : start + 40] for start in range(0, len(whole()), 40)]
    assert sent(port, *pieces)[0] == 202


def test_a_hundred_at_once_over_eight_connections_are_one_signal(port: int) -> None:
    with ThreadPoolExecutor(8) as senders:
        answers = Counter(status for status, _ in senders.map(lambda _: sent(port, whole()), range(100)))
    assert answers == {202: 1, 200: 99}
    assert (Signal.objects.count(), Event.objects.filter(kind="signal.received").count()) == (1, 1)


def test_the_same_at_once_while_the_webs_workers_are_killed_is_one_signal(port: int) -> None:
    def send(number: int) -> int:
        if number in (10, 40, 70):
            _kill_workers(port)
        try:
            return sent(port, whole())[0]
        except OSError:
            # Its worker died in the middle of it: the sender doesn't know, and asks again.
            return 0

    with ThreadPoolExecutor(8) as senders:
        answers = Counter(senders.map(send, range(100)))
    status, _ = sent(port, whole())

    assert status == 200
    # The one that stored it may have died before it could say so.
    assert answers[202] <= 1
    assert set(answers) <= {0, 200, 202}
    assert (Signal.objects.count(), Event.objects.filter(kind="signal.received").count()) == (1, 1)


def _kill_workers(port: int) -> None:
    """End every worker process of the gunicorn that listens here, with no word of warning; its master makes others."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = f"127.0.0.1:{port}".encode() in command and b"gunicorn" in _command(parent)
        except (OSError, ValueError):
            continue
        if is_worker:
            os.kill(int(process.name), signal.SIGKILL)


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
