"""Which faults strike which requests: rules, and decisions drawn from a seed."""

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What a whole exchange (the first part) or single requests in it (the second) can suffer."""

    REQUEST_LOST = "request-lost"  # the connection ends, the chain never hears of it
    ANSWER_LOST = "answer-lost"  # the chain did it, the connection ends without an answer
    REQUEST_LATE = "request-late"  # it reaches the chain `seconds` later
    ANSWER_LATE = "answer-late"  # it reaches the chain at once, and the client `seconds` later
    DUPLICATE = "duplicate"  # it reaches the chain twice, the first answer is told
    DUPLICATE_SECOND = "duplicate-second"  # it reaches the chain twice, the second answer is told
    HTTP_429 = "http-429"
    HTTP_500 = "http-500"
    HTTP_502 = "http-502"
    HTTP_503 = "http-503"
    HTML = "html"  # a gateway's page, with status 200
    HALF_JSON = "half-json"  # the first half of the answer
    BATCH_REFUSED = "batch-refused"  # one error object in place of a list
    STALE = "stale"  # the node is `blocks` behind

    ITEM_REFUSED = "item-refused"  # `code` and `text` in place of its answer
    ITEM_MISSING = "item-missing"  # the list of answers lacks it
    WRONG_CHAIN = "wrong-chain"  # the chain's number, plus one
    FINALIZED_EARLY = "finalized-early"  # `safe` and `finalized` are the newest block
    RECEIPT_MISSING = "receipt-missing"  # until `seconds` after the first look that found it; for ever without
    RECEIPT_FORGED = "receipt-forged"  # success in a made-up block, for what isn't mined
    RECEIPT_FLIPPED = "receipt-flipped"  # success for failure, failure for success
    LOGS_EMPTY = "logs-empty"
    WRONG_HASH = "wrong-hash"  # another hash for bytes that were taken
    SWALLOWED = "swallowed"  # the right hash for bytes that were thrown away
    FALSE_NONCE_TOO_LOW = "false-nonce-too-low"  # said without a look at the bytes
    FALSE_ALREADY_KNOWN = "false-already-known"  # said without a look at the bytes


_SEND = frozenset({"eth_sendRawTransaction"})
_RECEIPT = frozenset({"eth_getTransactionReceipt"})

# The faults of single requests, each with the methods that it can strike; none named: all.
OF_ITEMS: Mapping[Fault, frozenset[str]] = {
    Fault.ITEM_REFUSED: frozenset(),
    Fault.ITEM_MISSING: frozenset(),
    Fault.WRONG_CHAIN: frozenset({"eth_chainId", "net_version"}),
    Fault.FINALIZED_EARLY: frozenset({"eth_getBlockByNumber"}),
    Fault.RECEIPT_MISSING: _RECEIPT,
    Fault.RECEIPT_FORGED: _RECEIPT,
    Fault.RECEIPT_FLIPPED: _RECEIPT,
    Fault.LOGS_EMPTY: frozenset({"eth_getLogs"}),
    Fault.WRONG_HASH: _SEND,
    Fault.SWALLOWED: _SEND,
    Fault.FALSE_NONCE_TOO_LOW: _SEND,
    Fault.FALSE_ALREADY_KNOWN: _SEND,
}
# These say by their nature that the chain worked the request; the other refusals and lies keep it from the chain.
_FORWARDING = frozenset({Fault.HALF_JSON, Fault.WRONG_HASH})


class BadRule(ValueError):
    """A rule that makes no sense; the message is one line for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault, and when it strikes. All times count from the moment the rule is given.

    `down_seconds` and `up_seconds` let it strike in turns: a flapping node is `request-lost` in
    turns, a storm of backpressure is `http-429` in turns.
    """

    fault: Fault
    chance: float = 1.0
    times: int | None = None
    on: str = ""
    after_seconds: float = 0.0
    for_seconds: float | None = None
    down_seconds: float = 0.0
    up_seconds: float = 0.0
    seconds: float | None = None
    blocks: int = 1
    forwards: bool | None = None
    code: int = -32005
    text: str = "limit exceeded"

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise BadRule(f"{self.fault}: a chance lies between 0 and 1")
        if self.up_seconds and not self.down_seconds:
            raise BadRule(f"{self.fault}: turns need down_seconds")
        if self.on and OF_ITEMS.get(self.fault) and self.on not in OF_ITEMS[self.fault]:
            raise BadRule(f"{self.fault} never strikes {self.on}")

    @property
    def is_forwarding(self) -> bool:
        """Whether the chain gets the request all the same."""
        return self.fault in _FORWARDING if self.forwards is None else self.forwards

    def concerns(self, method: str) -> bool:
        """Whether it can strike a method."""
        methods = OF_ITEMS.get(self.fault)
        return (not self.on or self.on == method) and (not methods or method in methods)

    def is_open(self, elapsed: float) -> bool:
        """Whether it strikes so many seconds after it was given."""
        since = elapsed - self.after_seconds
        if since < 0 or (self.for_seconds is not None and since >= self.for_seconds):
            return False
        period = self.down_seconds + self.up_seconds
        return period == 0 or since % period < self.down_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What strikes one exchange: the whole of it, and each of its requests."""

    whole: Mapping[Fault, Rule]
    each: tuple[tuple[Rule, ...], ...]

    def __bool__(self) -> bool:
        return bool(self.whole) or any(self.each)


@dataclass(slots=True, kw_only=True)
class _Given:
    rule: Rule
    given_at: float
    chance: random.Random
    struck: int = 0

    def strikes(self, *, now: float) -> bool:
        # Drawn first: a shut window that saved its draw would let the clock decide all later ones.
        is_drawn = self.chance.random() < self.rule.chance
        is_spent = self.rule.times is not None and self.struck >= self.rule.times
        if not is_drawn or is_spent or not self.rule.is_open(now - self.given_at):
            return False
        self.struck += 1
        return True


@dataclass(kw_only=True)
class Plan:
    """The rules that hold now. The same seed, rules and order of requests draw the same faults."""

    seed: int
    _given: list[_Given] = field(default_factory=list, init=False)
    _count: int = field(default=0, init=False)
    _struck: Counter[Fault] = field(default_factory=Counter, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def give(self, rule: Rule, *, now: float) -> None:
        """Let a rule hold from now on, beside the others."""
        with self._lock:
            # Each rule draws from a sequence of its own: a further rule changes nothing for the others.
            chance = random.Random(f"{self.seed}/{self._count}/{rule.fault}/{rule.on}")
            self._given.append(_Given(rule=rule, given_at=now, chance=chance))
            self._count += 1

    def clear(self, fault: Fault | None = None) -> None:
        """Forget the rules of one fault, or all of them."""
        with self._lock:
            self._given = [given for given in self._given if fault is not None and given.rule.fault is not fault]

    def rules(self) -> list[tuple[Rule, int]]:
        """The rules that hold, each with how often it struck."""
        with self._lock:
            return [(given.rule, given.struck) for given in self._given]

    def struck(self) -> Counter[Fault]:
        """How often each fault struck since the start, also by rules that are gone."""
        with self._lock:
            return self._struck.copy()

    def draw(self, methods: Sequence[str], *, now: float) -> Drawn:
        """What strikes an exchange of these methods."""
        with self._lock:
            each = tuple(tuple(self._of_item(method, now=now)) for method in methods)
            drawn = Drawn(whole=self._of_whole(methods, now=now), each=each)
            self._struck.update([*drawn.whole, *(rule.fault for rules in each for rule in rules)])
            return drawn

    def _of_whole(self, methods: Sequence[str], *, now: float) -> dict[Fault, Rule]:
        given = [each for each in self._given if each.rule.fault not in OF_ITEMS]
        concerned = [each for each in given if any(each.rule.concerns(method) for method in methods)]
        return {each.rule.fault: each.rule for each in concerned if each.strikes(now=now)}

    def _of_item(self, method: str, *, now: float) -> list[Rule]:
        given = [each for each in self._given if each.rule.fault in OF_ITEMS and each.rule.concerns(method)]
        return [each.rule for each in given if each.strikes(now=now)]
