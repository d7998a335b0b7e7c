"""What a source may be called, what it may send, and when it is silent."""

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW
from trading.domain.source import HEARD_RESOLUTION, BadTerms, Terms, is_free_name, is_silent


@pytest.mark.parametrize("name", ["desk", "a", "My desk!", "x:y", "~", "a" * 64, "copying", "{{x}}"])
def test_a_plain_name_is_free(name: str) -> None:
    assert is_free_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " desk",
        "desk ",
        "a" * 65,
        'a"b',
        "a\\b",
        "it's",
        "dé",
        "a\n",
        "a\x7f",
        "copy",
        "copy:0xab",
        "protection:1",
        "telegram:1",
        "console:anna",
    ],
)
def test_other_names_are_not(name: str) -> None:
    assert not is_free_name(name)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"allowed_symbols": ("btc-usd",)}, "allowed_symbols"),
        ({"allowed_symbols": ("BTC-USD", "nonsense!")}, "allowed_symbols"),
        ({"allowed_accounts": (0,)}, "allowed_accounts"),
        ({"max_lag_seconds": 0}, "max_lag_seconds"),
        ({"entries_per_minute": -1}, "entries_per_minute"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds"),
    ],
)
def test_terms_that_make_no_sense_are_refused(said: dict[str, Any], field: str) -> None:
    with pytest.raises(BadTerms) as refusal:
        Terms(**said)
    assert refusal.value.facts == {"field": field}


def test_a_source_is_silent_after_its_heartbeat_and_what_may_not_be_noted_yet() -> None:
    limit = timedelta(seconds=60) + HEARD_RESOLUTION
    assert not is_silent(heard_at=NOW - limit, heartbeat_seconds=60, now=NOW)
    assert is_silent(heard_at=NOW - limit - timedelta(microseconds=1), heartbeat_seconds=60, now=NOW)
