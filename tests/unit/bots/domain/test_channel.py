"""What a channel wants, and how long it is left alone."""

import pytest

from bots.domain import channel


@pytest.mark.parametrize(
    ("patterns", "kind", "expected"),
    [
        (["*"], "order.filled", True),
        (["order.*"], "order.filled", True),
        (["order.*"], "intent.final", False),
        (["intent.final", "order.filled"], "order.filled", True),
        (["order.fill"], "order.filled", False),
        (["ORDER.*"], "order.filled", False),
        ([], "order.filled", False),
    ],
)
def test_a_pattern_names_events(patterns: list[str], kind: str, expected: bool) -> None:
    assert channel.wants(patterns, kind) is expected


def test_a_rest_doubles_up_to_ten_minutes() -> None:
    rests = [channel.rest(failures).total_seconds() for failures in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10_000)]
    assert rests == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
