"""Asks several outsiders at the same time, and waits for none of them longer than for the others."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

import structlog

from trading.domain.errors import Unavailable

log = structlog.get_logger(__name__)

Said = TypeVar("Said")


def side_by_side(asks: Mapping[str, Callable[[], Said]], *, patience_seconds: float) -> dict[str, Said | Unavailable]:
    """What each of them said, by its name; `Unavailable` for one that didn't, or not within the patience.

    Whoever is too slow goes on by himself until his own timeout, and isn't listened to any more.
    """
    if not asks:
        return {}
    # Made for this once: a thread that hangs must not take a place in the next round.
    pool = ThreadPoolExecutor(max_workers=len(asks), thread_name_prefix="ask")
    running = {name: pool.submit(ask) for name, ask in asks.items()}
    wait(running.values(), timeout=patience_seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    troubles = {name: _trouble(name, asked) for name, asked in running.items()}
    return {name: troubles[name] or asked.result() for name, asked in running.items()}


def _trouble(name: str, asked: Future[Said]) -> Unavailable | None:
    if not asked.done():
        return Unavailable("no answer in time", error="too slow")
    trouble = asked.exception()
    if trouble is None or isinstance(trouble, Unavailable):
        return trouble
    # An adapter's own fault: somebody must look, and the others are still worth hearing.
    log.error("asking.broke", name=name, error=type(trouble).__name__, exc_info=trouble)
    return Unavailable("an adapter broke", error=type(trouble).__name__)
