"""The emergency stop by each of its ways, while processes sign: the short form of `make chaos ARGS="--only stops"`."""

import pytest

from tests.chaos import campaigns_stops as stops
from tests.chaos.fixtures import stand
from tests.chaos.stand import Stand

__all__ = ["stand"]


@pytest.mark.parametrize("way", stops.WAYS)
def test_nothing_is_signed_a_second_after_a_stop_and_what_was_sent_is_settled(
    stand: Stand, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The node of this stand takes sixteen transactions of an account at once.
    monkeypatch.setattr(stops, "SENDERS", 2)
    monkeypatch.setattr(stops, "INTENTS", 12)

    trial = stops.stopped(stand, way)

    assert trial.violations == ()
    assert trial.seconds <= stops.TARGET_SECONDS
    assert (trial.verdict.doubled, trial.verdict.lost, trial.verdict.is_clean) == (0, 0, True)


def test_processes_that_start_while_the_environment_says_stop_sign_nothing(stand: Stand) -> None:
    assert stops.started_stopped(stand) == 0
