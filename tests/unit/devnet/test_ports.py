"""Free ports: below the system's own, and in a lane where two may draw at once."""

import pytest

from devnet.ports import LANE, pick_free

SPAN = {"first": 21_600, "last": 21_609}


def test_two_lanes_never_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for lane in ("0/2", "1/2"):
        monkeypatch.setenv(LANE, lane)
        drawn.append(set(pick_free(5, **SPAN)))

    assert drawn == [{21_600, 21_602, 21_604, 21_606, 21_608}, {21_601, 21_603, 21_605, 21_607, 21_609}]


def test_without_lanes_they_may_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LANE, raising=False)

    assert set(pick_free(10, **SPAN)) == set(range(21_600, 21_610))
