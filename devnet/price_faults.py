"""Price services that lie, freeze, go back in time, hang or are dead, when somebody asks for it.

GET /price-faults · POST /price-faults {"source": "pyth", "fault": "lies", "percent": "1"} · DELETE /price-faults?source=pyth
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from threading import Lock
from typing import Any

PATH = "/price-faults"


class Source(StrEnum):
    """The services that can be troubled; Chainlink's feeds are contracts (`PriceFeed.setAnswerAt`)."""

    VENUE = "venue"
    PYTH = "pyth"


class Fault(StrEnum):
    """What a price service may do wrong."""

    LIES = "lies"  # by `percent`
    FREEZES = "freezes"  # at what it said first
    GOES_BACK = "goes-back"  # to a time `seconds` earlier
    HANGS = "hangs"  # for `seconds`
    DEAD = "dead"


class BadFault(ValueError):
    """Not a fault as we know it; the message says what is wrong."""


class SourceDead(Exception):
    """The service doesn't answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A price in the feeds' units, and the second at which it was published."""

    answer: int
    published_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFault:
    """One fault with its size."""

    fault: Fault
    percent: Decimal = Decimal(1)
    seconds: float = 60.0

    def to_json(self) -> dict[str, str]:
        """As a control answers it."""
        return {"fault": self.fault, "percent": str(self.percent), "seconds": str(self.seconds)}


@dataclass(slots=True)
class PriceFaults:
    """The faults that hold now, one for each source at most."""

    _given: dict[Source, PriceFault] = field(default_factory=dict)
    _frozen: dict[tuple[Source, str], Reading] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def give(self, source: Source, fault: PriceFault) -> None:
        """Trouble a source from now on."""
        with self._lock:
            self._forget(source)
            self._given[source] = fault

    def clear(self, *sources: Source) -> None:
        """Mend these sources; all of them if none is named."""
        with self._lock:
            for source in sources or tuple(Source):
                self._forget(source)

    def shown(self) -> dict[str, Any]:
        """What holds now."""
        with self._lock:
            return {source: fault.to_json() for source, fault in self._given.items()}

    def through(self, source: Source, symbol: str, reading: Reading) -> Reading:
        """What a source makes of a reading.

        Raises:
            SourceDead: if it makes nothing of it.
        """
        with self._lock:
            given = self._given.get(source)
            if given is None:
                return reading
            frozen = self._frozen.setdefault((source, symbol), reading)
        return _suffered(given, reading, frozen=frozen)

    def _forget(self, source: Source) -> None:
        self._given.pop(source, None)
        self._frozen = {key: reading for key, reading in self._frozen.items() if key[0] is not source}


def _suffered(given: PriceFault, reading: Reading, *, frozen: Reading) -> Reading:
    match given.fault:
        case Fault.LIES:
            return replace(reading, answer=int(reading.answer * (100 + given.percent) / 100))
        case Fault.FREEZES:
            return frozen
        case Fault.GOES_BACK:
            return replace(reading, published_at=reading.published_at - int(given.seconds))
        case Fault.HANGS:
            time.sleep(given.seconds)
            return reading
        case Fault.DEAD:
            raise SourceDead("dead on demand")


def obey(faults: PriceFaults, verb: str, body: bytes, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """Do what a control's request says; what holds then.

    Raises:
        BadFault: if it can't be understood.
    """
    if verb == "POST":
        faults.give(*_from_json(body))
    elif verb == "DELETE":
        faults.clear(*(_source(name) for name in query.get("source", [])))
    return faults.shown()


def _from_json(body: bytes) -> tuple[Source, PriceFault]:
    try:
        said = json.loads(body)
        fault = PriceFault(
            fault=Fault(said["fault"]), percent=Decimal(str(said.get("percent", "1"))), seconds=float(said.get("seconds", 60))
        )
        return _source(said["source"]), fault
    except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
        raise BadFault(f"not a price fault: {error}") from None


def _source(name: str) -> Source:
    try:
        return Source(name)
    except ValueError:
        raise BadFault(f"no price source {name}: one of {', '.join(Source)}") from None
