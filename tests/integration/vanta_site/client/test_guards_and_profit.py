"""The command line over guards and results, against a desk that runs."""

import json

import pytest

from tests.integration.vanta_site.client.conftest import World
from tests.integration.vanta_site.client.test_commands import run

WHY = ("--reason", "a test")


def guard(world: World, *words: str) -> dict[str, object]:
    done = run(world, "--json", "protect", str(world.flow.position.pk), *words)
    assert done.exit_code == 0, done.output
    document: dict[str, object] = json.loads(done.stdout)["guard"]
    return document


def test_the_last_target_of_a_ladder_takes_what_the_others_leave(world: World) -> None:
    targets = guard(world, "--stop", "2%", "--target", "1%@30", "--target", "2%@20.5", "--target", "3%", *WHY)["targets"]

    assert targets == [
        {"move_pct": "1", "close_pct": "30"},
        {"move_pct": "2", "close_pct": "20.5"},
        {"move_pct": "3", "close_pct": "49.5"},
    ]


def test_one_target_without_a_share_takes_everything(world: World) -> None:
    assert guard(world, "--target", "3%", *WHY)["targets"] == [{"move_pct": "3", "close_pct": "100"}]


def test_a_share_that_is_no_number_says_how_one_is_written(world: World) -> None:
    done = run(world, "protect", str(world.flow.position.pk), "--target", "1%@half", "--target", "2%", *WHY)

    assert (done.exit_code, "61000@50" in done.output) == (2, True)


@pytest.mark.parametrize(("by", "key"), [("day", "2026-01-02"), ("month", "2026-01-01"), ("market", "BTC-USD")])
def test_profit_is_a_table_or_documents(world: World, by: str, key: str) -> None:
    words = ("profit", "--account", str(world.account), "--by", by, "--since", "2026-01-01", "--until", "2026-12-31")
    (document,) = (json.loads(line) for line in run(world, "--json", *words).stdout.splitlines())

    assert (document["key"], document["fills"]) == (key, 1)
    assert key in run(world, *words).stdout


def test_a_profit_before_the_first_day_is_nothing(world: World) -> None:
    assert run(world, "--json", "profit", "--account", str(world.account), "--until", "2020-01-01").stdout == ""
