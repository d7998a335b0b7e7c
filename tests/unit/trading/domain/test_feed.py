"""A feed is asked in its own rhythm, and rests longer the longer it fails."""

from datetime import timedelta

import pytest

from tests.factories import NOW
from trading.domain.feed import FeedState, is_answering, is_due, rest_after

SECOND = timedelta(seconds=1)


def state(*, answered: float | None = None, failed: float | None = None, failures: int = 0, rhythm: float = 0) -> FeedState:
    """A feed that answered and failed so many seconds ago."""
    return FeedState(
        rhythm=rhythm * SECOND,
        answered_at=None if answered is None else NOW - answered * SECOND,
        failed_at=None if failed is None else NOW - failed * SECOND,
        failures=failures,
    )


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (10_000_000, 30)])
def test_a_rest_doubles_up_to_half_a_minute(failures: int, seconds: int) -> None:
    assert rest_after(failures) == seconds * SECOND


@pytest.mark.parametrize(
    ("feed", "due"),
    [
        (state(), True),
        (state(answered=0), True),
        (state(answered=9.9, rhythm=10), False),
        (state(answered=10, rhythm=10), True),
        (state(failed=0.9, failures=1), False),
        (state(failed=1, failures=1), True),
        # One that failed is tried again after its rest, whatever its rhythm.
        (state(answered=3, failed=2, failures=2, rhythm=60), True),
        (state(answered=1, failed=0.5, failures=0), True),
    ],
)
def test_a_feed_is_due_after_its_rhythm_or_its_rest(feed: FeedState, due: bool) -> None:
    assert is_due(feed, now=NOW) is due


@pytest.mark.parametrize(
    ("feed", "answering"),
    [
        (state(), False),
        (state(answered=10), True),
        (state(answered=10.1), False),
        (state(answered=69, rhythm=60), True),
        (state(answered=1, failed=0, failures=1), False),
    ],
)
def test_a_feed_answers_if_it_did_lately_and_last(feed: FeedState, answering: bool) -> None:
    assert is_answering(feed, now=NOW) is answering
