"""How long the paper venue leaves an order: as long as the real one's keepers usually do."""

import hashlib
import math
from datetime import timedelta

# The standard normal distribution's 99th percentile: one order in a hundred waits the longest that there is.
_Z_OF_P99 = 2.3263478740408408
_WORD_BYTES = 8
_WORDS = 2 ** (8 * _WORD_BYTES)


def fill_delay(key: str, *, seed: int, median: timedelta, longest: timedelta) -> timedelta:
    """One order's delay, lognormal, by its key alone: the same order waits as long in a repeated run. No median: at once."""
    if not median:
        return timedelta(0)
    spread = math.log(longest / median) / _Z_OF_P99
    return min(median * math.exp(spread * _normal(f"{seed}:{key}")), longest)


def _normal(text: str) -> float:
    """A draw from the standard normal distribution, by Box and Muller from two words of a hash."""
    digest = hashlib.sha256(text.encode()).digest()
    first, second = (int.from_bytes(digest[at : at + _WORD_BYTES]) for at in (0, _WORD_BYTES))
    # Never the logarithm of zero.
    return math.sqrt(-2 * math.log((first + 1) / _WORDS)) * math.cos(2 * math.pi * second / _WORDS)
