"""When a feed is asked, and when it counts as well."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# The name of the feed that tells of the layer-two sequencer.
SEQUENCER = "sequencer"
# A feed that failed rests: twice as long each time, from the first to the longest.
FIRST_REST = timedelta(seconds=1)
LONGEST_REST = timedelta(seconds=30)
# An answer may be this much older than the feed's rhythm before the feed counts as silent.
SILENCE_LIMIT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How a feed did so far. `rhythm` is the pause between two questions; 0: one each round."""

    rhythm: timedelta
    # None: it never answered.
    answered_at: datetime | None
    # None: it never failed.
    failed_at: datetime | None
    # In a row; 0 after each answer.
    failures: int


def rest_after(failures: int) -> timedelta:
    """How long a feed is left alone after so many failures in a row, at least one."""
    # The exponent is bounded: a feed that is gone for a month mustn't overflow.
    return min(FIRST_REST * (1 << min(failures - 1, 10)), LONGEST_REST)


def is_due(state: FeedState, *, now: datetime) -> bool:
    """Whether a feed is asked in a round that happens now."""
    if state.failures and state.failed_at is not None and now < state.failed_at + rest_after(state.failures):
        return False
    return state.answered_at is None or bool(state.failures) or now - state.answered_at >= state.rhythm


def is_answering(state: FeedState, *, now: datetime) -> bool:
    """Whether a feed answered when it was last asked, and lately."""
    if state.failures or state.answered_at is None:
        return False
    return now - state.answered_at <= state.rhythm + SILENCE_LIMIT
