"""One node of the chain: asked only if it serves our chain, and remembered for how it answered."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import structlog
from web3.types import RPCEndpoint

from execution.adapters import node_json, rpc_metrics
from execution.adapters.rpc_metrics import Outcome
from execution.adapters.transport import BoundedProvider, Request, Response
from execution.adapters.trouble import Behind, NotSent, Refused, Throttled, WrongChain
from execution.domain.broadcast import Answer, Meaning
from execution.domain.endpoint import Circuit, hedge_delay
from trading.domain.errors import Unavailable

log = structlog.get_logger(__name__)

Said = TypeVar("Said")
Parse = Callable[[list[Response]], Said]
Clock = Callable[[], float]

HEAD: Request = ("eth_blockNumber", [])
# Providers bound a batch; a longer one goes in parts, one after the other.
MAX_BATCH = 100
# That it serves our chain is asked again after this many seconds: a connection may be renewed without our seeing it.
_CHAIN_CHECK_LASTS = 60.0
# A head that is older, in seconds, says nothing about the chain any more.
_HEAD_LASTS = 10.0
_ANSWERS_REMEMBERED = 50

_chance = random.SystemRandom()


class Endpoint:
    """A node. Everything in here happens on one event loop, so that nothing needs a lock."""

    def __init__(self, provider: BoundedProvider, *, number: int, chain_id: int, clock: Clock) -> None:
        self.number = number
        self.circuit = Circuit()
        self.is_foreign = False
        # The newest head that it showed, when, and the last one at which it was believed.
        self.head: int | None = None
        self.peak = 0
        self._head_at = 0.0
        self._provider = provider
        self._chain_id = chain_id
        self._clock = clock
        self._checked_until = 0.0
        self._latencies: deque[float] = deque(maxlen=_ANSWERS_REMEMBERED)

    @property
    def hedge_delay(self) -> float:
        """After how many seconds without its answer another node is asked as well."""
        return hedge_delay(self._latencies)

    @property
    def may_be_asked(self) -> bool:
        """Whether its circuit lets a question through now."""
        return self.circuit.may_be_asked(now=self._clock())

    @property
    def fresh_head(self) -> int | None:
        """Its head, if it was shown lately."""
        return self.head if self._clock() - self._head_at < _HEAD_LASTS else None

    def is_fresher_than(self, seconds: float) -> bool:
        """Whether it showed its head within so many seconds."""
        return self.head is not None and self._clock() - self._head_at < seconds

    def show(self, head: int) -> None:
        """Note its head."""
        self.head, self._head_at = head, self._clock()

    async def ask(self, batch: Sequence[Request], parse: Parse[Said]) -> Said:
        """What it answers, made sense of.

        Raises:
            Unavailable: if it doesn't answer, or if `parse` can't make sense of it.
        """
        if self.circuit.is_open:
            self.circuit = self.circuit.probing(now=self._clock(), chance=_chance.random())
        begun = self._clock()
        try:
            await self._check_chain()
            said = parse(await self._exchange(batch))
        # The circuit isn't about these: every node would refuse the question, or this one needs only time.
        except (Refused, Behind):
            self._answered()
            raise
        except Unavailable as error:
            self._failed(error)
            raise
        self._latencies.append(self._clock() - begun)
        self._answered()
        return said

    async def offer(self, raws: Sequence[str]) -> list[Answer | None]:
        """What it answers to signed bytes, offered in their order; None for those that never left for it."""
        answers: list[Answer | None] = []
        for at in range(0, len(raws), MAX_BATCH):
            part = raws[at : at + MAX_BATCH]
            try:
                answers += await self.ask([("eth_sendRawTransaction", [raw]) for raw in part], _answers_to(part))
            except Unavailable as error:
                return answers + [_without_answer(error)] * (len(raws) - len(answers))
        return answers

    async def close(self) -> None:
        """End its connections."""
        await self._provider.close()

    async def _check_chain(self) -> None:
        if self._clock() < self._checked_until:
            return
        try:
            (raw,) = node_json.results(await self._exchange([("eth_chainId", [])]))
            self.is_foreign = node_json.read(node_json.whole, raw) != self._chain_id
        except Throttled:
            raise
        except Unavailable as error:
            # What was to be asked next never left.
            raise NotSent("an endpoint doesn't name its chain", **error.facts) from None
        if self.is_foreign:
            raise WrongChain("an endpoint serves another chain", error="wrong chain", expected=self._chain_id)
        self._checked_until = self._clock() + _CHAIN_CHECK_LASTS

    async def _exchange(self, batch: Sequence[Request]) -> list[Response]:
        answers: list[Response] = []
        for at in range(0, len(batch), MAX_BATCH):
            answers += await self._counted(batch[at : at + MAX_BATCH])
        return answers

    async def _counted(self, batch: Sequence[Request]) -> list[Response]:
        begun, outcome = self._clock(), Outcome.SILENT
        try:
            asked = [(RPCEndpoint(method), params) for method, params in batch]
            answers = cast(list[Response], await self._provider.make_batch_request(asked))
            outcome = Outcome.ANSWERED
        except Throttled:
            outcome = Outcome.THROTTLED
            raise
        finally:
            methods = [method for method, _ in batch]
            rpc_metrics.note_exchange(self.number, methods, outcome, seconds=self._clock() - begun)
        return answers

    def _answered(self) -> None:
        if self.circuit.is_open:
            log.info("rpc.endpoint_back", endpoint=self.number)
        self.circuit = Circuit()

    def _failed(self, error: Unavailable) -> None:
        log.warning("rpc.endpoint_silent", endpoint=self.number, code=error.code, **_shown(error))
        # Who knows what answers there next: its chain is asked for before anything else.
        self._checked_until = 0.0
        fault = self.circuit.opened if isinstance(error, WrongChain) else self.circuit.faulted
        self.circuit = fault(now=self._clock(), chance=_chance.random())


def _shown(error: Unavailable) -> dict[str, Any]:
    return {"error": error.facts.get("error", "")}


def _answers_to(raws: Sequence[str]) -> Parse[list[Answer]]:
    def parse(responses: list[Response]) -> list[Answer]:
        for response in responses:
            if node_json.has_unknown_words(response):
                rpc_metrics.note_unknown_words()
        return [node_json.answer(response, raw) for response, raw in zip(responses, raws, strict=True)]

    return parse


def _without_answer(error: Unavailable) -> Answer | None:
    if isinstance(error, NotSent):
        return None
    meaning = Meaning.BACKPRESSURE if isinstance(error, Throttled) else Meaning.UNKNOWN
    return Answer(meaning=meaning, text=str(error.facts.get("error", "")))
