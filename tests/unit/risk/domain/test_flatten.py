"""A job runs while something may still close or open, and says what it would close."""

import pytest

from risk.domain.flatten import Extent, FlattenStatus, Progress
from trading.domain.units import Usdc


@pytest.mark.parametrize(
    ("waiting", "failed", "opening", "status"),
    [
        (0, 0, 0, FlattenStatus.DONE),
        (0, 1, 0, FlattenStatus.DONE_WITH_FAILURES),
        (1, 0, 0, FlattenStatus.RUNNING),
        (0, 0, 1, FlattenStatus.RUNNING),
        (1, 1, 0, FlattenStatus.RUNNING),
        (0, 1, 1, FlattenStatus.RUNNING),
        (1, 1, 1, FlattenStatus.RUNNING),
    ],
)
def test_a_job_runs_until_nothing_waits_and_nothing_opens(waiting: int, failed: int, opening: int, status: FlattenStatus) -> None:
    assert Progress(closed=3, waiting=waiting, failed=failed, opening=opening).status is status


def test_a_job_says_what_became_of_its_positions() -> None:
    progress = Progress(closed=3, waiting=2, failed=1, opening=0)

    assert str(progress) == "3 closed, 2 waiting, 1 failed, 0 still opening"


@pytest.mark.parametrize(
    ("positions", "accounts", "words"),
    [
        (0, 0, "0 positions of 0 accounts, $12.5 of collateral"),
        (1, 1, "1 position of 1 account, $12.5 of collateral"),
        (2, 1, "2 positions of 1 account, $12.5 of collateral"),
    ],
)
def test_a_job_says_what_it_would_close(positions: int, accounts: int, words: str) -> None:
    assert str(Extent(positions=positions, accounts=accounts, collateral=Usdc.of("12.5"))) == words
