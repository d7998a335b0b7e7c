"""The verdict and the table: each kind of harm is counted, and any of it makes the run fail."""

import pytest

from execution.domain.intent import IntentStatus
from tests.chaos.__main__ import _sum_up
from tests.chaos.campaign import Bounds, Row
from tests.chaos.verdict import Verdict, weigh

CLEAN = Verdict(signals=2, once=2)


def test_a_verdict_counts_each_kind_of_harm() -> None:
    statuses = {
        "fine": IntentStatus.FINAL,
        "twice": IntentStatus.FINAL,
        "gone": IntentStatus.FINAL,
        "unheard of": None,
        "given up": IntentStatus.EXPIRED,
        "done, and given up": IntentStatus.CANCELED,
        "under way": IntentStatus.SENT,
    }
    counted = dict.fromkeys(statuses, 0) | {"fine": 1, "twice": 2, "done, and given up": 1}

    assert weigh(counted, statuses) == Verdict(signals=7, once=2, doubled=1, lost=3, falsely_failed=2, unsettled=2)


@pytest.mark.parametrize(
    "harm",
    [
        Verdict(signals=2, once=1, doubled=1),
        Verdict(signals=2, once=1, lost=1),
        Verdict(signals=2, once=2, falsely_failed=1),
        Verdict(signals=2, once=2, unsettled=1),
        Verdict(signals=2, once=2, breaches=("I2: intent 1 got a nonce 2 times",)),
    ],
)
def test_any_harm_makes_the_run_fail(harm: Verdict, capsys: pytest.CaptureFixture[str]) -> None:
    assert _sum_up([Row(fault="a", verdict=CLEAN), Row(fault="b", verdict=harm)], seconds=1) == 1
    assert capsys.readouterr().out == "4 signals in 1 s; VIOLATED: b\n"


def test_a_violation_without_a_verdict_makes_the_run_fail() -> None:
    assert _sum_up([Row(fault="a", verdict=CLEAN, violations=["a worker hung"])], seconds=1) == 1


def test_a_run_that_tried_nothing_fails() -> None:
    assert _sum_up([], seconds=1) == 1


def test_a_clean_run_succeeds() -> None:
    assert _sum_up([Row(fault="a", verdict=CLEAN)], seconds=1) == 0


def test_a_row_adds_up_and_shows_its_slow_recoveries() -> None:
    row = Row(fault="a")
    for seconds in range(1, 101):
        row.add(CLEAN, seconds=seconds)

    assert (row.verdict, row.recovery_p95) == (Verdict(signals=200, once=200), 96)


def test_bounds_end_by_count_or_by_time() -> None:
    assert list(Bounds(rounds=3).each()) == [0, 1, 2]
    assert list(Bounds(rounds=3, until=0).each()) == []
