"""Drift: what is compared, what passes, and what keeps a sender in quarantine."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from execution.domain import drift
from execution.domain.drift import Facts, Nodes, Rows, Verdict
from trading.domain.units import Wei

# Three in flight on two nodes: 7 to 9, the pool holds them all.
ROWS = Rows(
    next_nonce=10,
    held=frozenset(range(10)),
    since=0,
    lowest=7,
    lowest_waits=timedelta(seconds=4),
    unsent=None,
    doubted=(),
    foreign=(),
    by_status={"SENT": 3},
    by_reason={"": 3},
    floor=Wei(60),
)
NODES = Nodes(endpoints=2, mined={0: 7, 1: 8}, pooled=10, balance=Wei(100), promised=Wei(40))
CALM = Facts(rows=ROWS, nodes=NODES)


def _otherwise(**changes: Any) -> Facts:
    """The calm facts, but for some of either side."""
    rows = {name: value for name, value in changes.items() if hasattr(ROWS, name)}
    nodes = {name: value for name, value in changes.items() if hasattr(NODES, name)}
    return Facts(rows=replace(ROWS, **rows), nodes=replace(NODES, **nodes))


# What is otherwise → the line that says so, its value, what was expected, and the verdict.
CHANGES: tuple[tuple[dict[str, Any], str, str, str, Verdict], ...] = (
    ({"mined": {0: 7}}, "nodes", "1 of 2 answer", "at least 2", Verdict.DIFFERS),
    ({"mined": {0: 7}, "endpoints": 1}, "nodes", "1 of 1 answer", "at least 1", Verdict.OK),
    ({"mined": {0: 7, 1: 8}, "endpoints": 3}, "nodes", "2 of 3 answer", "at least 2", Verdict.WATCH),
    ({"mined": {0: 7, 1: 11}}, "mined, by node 1", "11", "7 to 10", Verdict.DIFFERS),
    ({"mined": {0: 7, 1: 6}}, "mined, by node 1", "6", "7 to 10", Verdict.WATCH),
    ({"lowest": None, "mined": {0: 10, 1: 9}}, "mined, by node 1", "9", "10", Verdict.WATCH),
    ({"pooled": 11}, "mined and in the pool", "11", "10", Verdict.DIFFERS),
    ({"pooled": 8}, "mined and in the pool", "8", "10", Verdict.WATCH),
    ({"pooled": 8, "unsent": 8}, "mined and in the pool", "8", "8 to 10", Verdict.OK),
    ({"held": frozenset((7, 9))}, "gaps", "8", "none", Verdict.DIFFERS),
    ({"held": frozenset(range(7)), "since": 9}, "gaps", "9", "none", Verdict.DIFFERS),
    ({"held": frozenset((8, 9)), "mined": {0: 8, 1: 9}}, "gaps", "none", "none", Verdict.OK),
    ({"lowest_waits": timedelta(seconds=61)}, "lowest open nonce", "7, since 61 s", "mined within 60 s", Verdict.WATCH),
    ({"lowest": None}, "lowest open nonce", "none", "mined within 60 s", Verdict.OK),
    ({"doubted": ("a", "b")}, "nonces in doubt", "a, b", "none", Verdict.WATCH),
    ({"foreign": ("a",)}, "nonces used by something else", "a", "none", Verdict.DIFFERS),
    ({"balance": Wei(99)}, "balance", "99 wei", "at least 100 wei: 60 floor, 40 promised", Verdict.DIFFERS),
    ({"by_reason": {"": 1, "mode": 2}}, "waiting for", "mode 2", "any", Verdict.WATCH),
)


def test_a_calm_sender_differs_in_nothing() -> None:
    lines = drift.compare(CALM)

    assert [line.name for line in lines] == [
        *("nodes", "mined, by node 0", "mined, by node 1", "mined and in the pool", "gaps", "lowest open nonce"),
        *("nonces in doubt", "nonces used by something else", "balance", "open intents", "waiting for"),
    ]
    assert {line.verdict for line in lines} == {Verdict.OK}


@pytest.mark.parametrize(("change", "name", "value", "expected", "verdict"), CHANGES)
def test_a_line_says_what_is_otherwise(change: dict[str, Any], name: str, value: str, expected: str, verdict: Verdict) -> None:
    (line,) = (line for line in drift.compare(_otherwise(**change)) if line.name == name)

    assert (line.value, line.expected, line.verdict) == (value, expected, verdict)


def test_many_gaps_are_counted() -> None:
    (line,) = drift.gaps(_otherwise(held=frozenset(), next_nonce=30))

    assert line.value == "7, 8, 9, 10, 11, 12, 13, 14, 15, 16 and 13 more"


def test_money_keeps_nobody_in_quarantine() -> None:
    poor = drift.compare(_otherwise(balance=Wei(0)))

    assert [line.name for line in poor if line.verdict is Verdict.DIFFERS and line.is_about_nonces] == []


@pytest.mark.parametrize(
    ("change", "is_proven"),
    [
        ({"mined": {0: 12, 1: 12}, "pooled": 12}, True),
        ({"mined": {0: 12}, "pooled": 12}, False),
        ({"mined": {0: 12}, "endpoints": 1, "pooled": 12}, True),
        ({"mined": {0: 12, 1: 11}, "pooled": 12}, False),
        ({"mined": {0: 12, 1: 12, 2: 13}, "endpoints": 3, "pooled": 12}, False),
        ({"mined": {0: 12, 1: 12, 2: 11}, "endpoints": 3, "pooled": 12}, True),
        ({"mined": {0: 12, 1: 12}, "pooled": 13}, False),
        ({"mined": {}, "pooled": 12}, False),
    ],
)
def test_a_count_is_proven_by_two_nodes_and_an_empty_pool(change: dict[str, Any], is_proven: bool) -> None:
    assert drift.is_count_proven(_otherwise(**change), count=12) is is_proven
