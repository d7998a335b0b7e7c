"""A generator of signed signals over a few connections that stay open: it costs the machine as little as Python can."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from trading.domain.proof import signature_of

ANSWER_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class Answers:
    """What came back: codes, and each answer's milliseconds."""

    codes: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return sum(self.codes.values()) / self.seconds


def request_of(body: dict[str, object], *, secret: str) -> bytes:
    """One signed request as it goes over the wire."""
    raw = json.dumps(body).encode()
    head = (
        f"POST /signals HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        f"X-Signature: {signature_of(raw, secret=secret)}\r\n\r\n"
    )
    return head.encode() + raw


def entry(number: int, *, run: str, tg_user_id: int) -> dict[str, object]:
    """One entry of many."""
    return {
        "source": run,
        "signal_id": f"{run}-{number}",
        "tg_user_id": tg_user_id,
        "symbol": "BTC-USD",
        "side": "LONG",
        "collateral_usdc": "50",
        "leverage_x": "3",
    }


def for_seconds(port: int, make: Callable[[int], bytes], *, seconds: float, connections: int) -> Answers:
    """Send as fast as answers come, for a while."""
    deadline = time.monotonic() + seconds
    return _over(port, _numbers(lambda _: time.monotonic() < deadline), make, connections=connections)


def all_of(port: int, make: Callable[[int], bytes], *, count: int, connections: int) -> Answers:
    """Send so many, as fast as answers come."""
    return _over(port, _numbers(lambda number: number < count), make, connections=connections)


def _numbers(goes_on: Callable[[int], bool]) -> Callable[[], Iterator[int]]:
    guard, following = threading.Lock(), [0]

    def take() -> Iterator[int]:
        while True:
            with guard:
                number, following[0] = following[0], following[0] + 1
            if not goes_on(number):
                return
            yield number

    return take


def _over(port: int, numbers: Callable[[], Iterator[int]], make: Callable[[int], bytes], *, connections: int) -> Answers:
    answers = Answers()
    senders = [threading.Thread(target=_send, args=(port, numbers(), make, answers)) for _ in range(connections)]
    begun = time.monotonic()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    answers.seconds = time.monotonic() - begun
    return answers


def _send(port: int, numbers: Iterator[int], make: Callable[[int], bytes], answers: Answers) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in numbers:
            request = make(number)
            begun = time.perf_counter()
            link.sendall(request)
            code = _code(link)
            answers.waits.append((time.perf_counter() - begun) * 1000)
            answers.codes[code] += 1


def _code(link: socket.socket) -> int:
    """The status of one answer, read to its end."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += _more(link)
    head, _, body = text.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _more(link)
    return int(head[9:12])


def _more(link: socket.socket) -> bytes:
    part = link.recv(65_536)
    if not part:
        raise ConnectionError("the door hung up")
    return part
