"""The chain's endpoints together: who is read from, who is asked as well, and that all of them hear what we send.

Reads go to a primary, and to a second one when it is slow; broadcasts to everybody who is well.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any, TypeVar

from execution.adapters import node_json, rpc_metrics
from execution.adapters.endpoint import HEAD, Clock, Endpoint, Parse
from execution.adapters.transport import BoundedProvider, Request, Response
from execution.adapters.trouble import Behind
from execution.domain.broadcast import Answer, Meaning, strongest
from execution.domain.endpoint import EndpointState, is_current
from trading.domain.errors import Unavailable

Said = TypeVar("Said")

# How many nodes work on one read at a time: the primary, and the hedge.
_AT_ONCE = 2
# Those that aren't read from are asked for their heads this often, in seconds: two blocks.
_LOOK_EVERY = 4.0
# Before the first read nodes that nobody has met may say how far they are, for so many seconds at most.
_FIRST_LOOK_LASTS = 0.25


class Endpoints:
    """Every endpoint, in the order of the settings."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        patience_seconds: float,
        max_bytes: int,
        clock: Clock = time.monotonic,
    ) -> None:
        providers = [BoundedProvider(url, patience_seconds=patience_seconds, max_bytes=max_bytes) for url in urls]
        self.every = tuple(
            Endpoint(provider, number=number, chain_id=chain_id, clock=clock) for number, provider in enumerate(providers)
        )
        self._primary = self.every[0]
        # Work that nobody waits for any more runs out by itself; a task that nobody holds would be thrown away.
        self._running: set[asyncio.Task[Any]] = set()
        self._looking: dict[int, asyncio.Task[None]] = {}
        rpc_metrics.prepare(len(self.every))

    async def read(self, batch: Sequence[Request], parse: Parse[Said], *, without: Collection[int] = ()) -> tuple[int, Said]:
        """The first good answer, and the number of the endpoint that gave it.

        Raises:
            Unavailable: if there is none, with what each of those asked said instead.
        """
        await self._look_around()
        waiting: dict[asyncio.Task[Said], Endpoint] = {}
        queue = deque(endpoint for endpoint in self._in_order() if endpoint.number not in without)
        troubles: list[Unavailable] = []
        while queue or waiting:
            if queue and len(waiting) < _AT_ONCE:
                endpoint = queue.popleft()
                waiting[self._begin(self._read_from(endpoint, batch, parse))] = endpoint
            done = await _some(waiting, timeout=self._hedge_delay(waiting) if queue else None)
            for task in done:
                endpoint = waiting.pop(task)
                trouble = task.exception()
                if trouble is None:
                    self._prefer(endpoint, waiting=waiting.values(), without=without)
                    return endpoint.number, task.result()
                if not isinstance(trouble, Unavailable):
                    raise trouble
                troubles.append(trouble)
        raise _nobody(troubles, endpoints=len(self.every))

    async def offer(self, raws: Sequence[str]) -> list[Answer]:
        """The strongest answer to each of some signed bytes, once one endpoint accepted all of them or all have answered."""
        waiting = {self._begin(endpoint.offer(raws)) for endpoint in self._offered()}
        heard: list[list[Answer | None]] = []
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            heard += [task.result() for task in done]
            if any(_is_accepted(answers) for answers in heard):
                break
        return [strongest(answer for answer in column if answer is not None) for column in _columns(heard, len(raws))]

    async def each(self, ask: Callable[[Endpoint], Awaitable[Said]]) -> list[Said]:
        """What every endpoint says by itself; those that don't answer, or are behind, are left out."""
        asked = [endpoint for endpoint in self.every if endpoint.may_be_asked]
        found = await asyncio.gather(*(ask(endpoint) for endpoint in asked), return_exceptions=True)
        for said in found:
            if isinstance(said, BaseException) and not isinstance(said, Unavailable):
                raise said
        pairs = zip(asked, found, strict=True)
        return [said for endpoint, said in pairs if not isinstance(said, BaseException) and self._is_believed(endpoint)]

    def states(self) -> list[EndpointState]:
        """How each endpoint is now, as far as this process knows."""
        return [
            EndpointState(
                endpoint=endpoint.number,
                is_healthy=self._is_healthy(endpoint),
                is_primary=endpoint is self._primary,
                faults=endpoint.circuit.faults,
                head=endpoint.fresh_head,
            )
            for endpoint in self.every
        ]

    async def close(self) -> None:
        """End every connection, once what is under way has ended: bytes for a second endpoint perhaps."""
        if self._running:
            await asyncio.wait(self._running)
        for endpoint in self.every:
            await endpoint.close()

    def _in_order(self) -> list[Endpoint]:
        """Those to be read from: the primary first, and last those that seemed behind when last heard."""
        others = [endpoint for endpoint in self.every if endpoint is not self._primary]
        asked = [endpoint for endpoint in (self._primary, *others) if endpoint.may_be_asked]
        return sorted(asked, key=lambda endpoint: endpoint.fresh_head is not None and not self._is_current(endpoint))

    def _offered(self) -> list[Endpoint]:
        """Those that hear our bytes: while somebody is well, only who is well.

        One that doesn't answer would turn everybody's refusal into "nobody knows", since it may have taken them.
        """
        well = [endpoint for endpoint in self.every if not endpoint.circuit.is_open]
        return well or [endpoint for endpoint in self.every if not endpoint.is_foreign or endpoint.may_be_asked]

    async def _read_from(self, endpoint: Endpoint, batch: Sequence[Request], parse: Parse[Said]) -> Said:
        def check_then_parse(responses: list[Response]) -> Said:
            # The node's own head comes first in the batch: what follows is at least as new.
            head, *rest = responses
            self._check_head(endpoint, head)
            return parse(rest)

        try:
            return await endpoint.ask([HEAD, *batch], check_then_parse)
        finally:
            self._note_health()

    def _check_head(self, endpoint: Endpoint, response: Response) -> None:
        (raw,) = node_json.results([response])
        endpoint.show(node_json.read(node_json.count, raw))
        if not self._is_believed(endpoint):
            raise Behind("an endpoint is behind", error="behind", head=endpoint.head)

    def _is_believed(self, endpoint: Endpoint) -> bool:
        """Whether the head that it has just shown is current; if so, it is measured by it from now on."""
        if not self._is_current(endpoint):
            return False
        endpoint.peak = endpoint.head or 0
        return True

    def _is_current(self, endpoint: Endpoint) -> bool:
        others = [other.fresh_head for other in self.every if other is not endpoint]
        heads = [head for head in others if head is not None]
        return endpoint.head is not None and is_current(endpoint.head, peak=endpoint.peak, others=heads)

    def _is_healthy(self, endpoint: Endpoint) -> bool:
        return endpoint.fresh_head is not None and not endpoint.circuit.is_open and self._is_current(endpoint)

    def _note_health(self) -> None:
        # Of all: one node's head tells how far behind the others are.
        for endpoint in self.every:
            rpc_metrics.note_health(endpoint.number, is_healthy=self._is_healthy(endpoint))

    def _hedge_delay(self, waiting: dict[asyncio.Task[Said], Endpoint]) -> float | None:
        return next(iter(waiting.values())).hedge_delay if len(waiting) < _AT_ONCE else None

    def _prefer(self, winner: Endpoint, *, waiting: Collection[Endpoint], without: Collection[int]) -> None:
        # A primary that is only slow this once stays; one that failed, or rests, has lost its place.
        if self._primary not in waiting and self._primary.number not in without:
            self._primary = winner

    async def _look_around(self) -> None:
        """Have the others say how far they are, now and then, so that a primary that lags is seen."""
        others = [endpoint for endpoint in self.every if endpoint is not self._primary]
        due = [each for each in others if each.may_be_asked and not self._is_looked_at(each)]
        for endpoint in due:
            self._looking[endpoint.number] = self._begin(self._look_at(endpoint))
        unmet = [self._looking[endpoint.number] for endpoint in due if endpoint.head is None]
        if unmet:
            await asyncio.wait(unmet, timeout=_FIRST_LOOK_LASTS)

    def _is_looked_at(self, endpoint: Endpoint) -> bool:
        return endpoint.number in self._looking or endpoint.is_fresher_than(_LOOK_EVERY)

    async def _look_at(self, endpoint: Endpoint) -> None:
        try:
            endpoint.show(await endpoint.ask([HEAD], _head))
            self._is_believed(endpoint)
        except Unavailable:
            # It is noted where it happened; nobody waits for this.
            return
        finally:
            self._looking.pop(endpoint.number, None)
            self._note_health()

    def _begin(self, work: Coroutine[Any, Any, Said]) -> asyncio.Task[Said]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Asked for, so that asyncio doesn't complain of a trouble that came after the answer.
            task.exception()


async def _some(waiting: dict[asyncio.Task[Said], Endpoint], *, timeout: float | None) -> set[asyncio.Task[Said]]:
    done, _ = await asyncio.wait(waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return done


def _head(responses: list[Response]) -> int:
    (raw,) = node_json.results(responses)
    return node_json.read(node_json.count, raw)


def _nobody(troubles: Sequence[Unavailable], *, endpoints: int) -> Unavailable:
    words = [str(trouble.facts["error"]) for trouble in troubles if "error" in trouble.facts]
    return Unavailable("no endpoint of the chain answers", endpoints=endpoints, error=", ".join(words) or "all rest")


def _is_accepted(answers: Sequence[Answer | None]) -> bool:
    return all(answer is not None and answer.meaning is Meaning.ACCEPTED for answer in answers)


def _columns(heard: Sequence[Sequence[Answer | None]], length: int) -> list[list[Answer | None]]:
    return [[answers[at] for answers in heard] for at in range(length)]
