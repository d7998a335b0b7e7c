"""The command line: lines for people, documents for programs, and an exit code for each kind of end."""

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.factories.copying import TrackingFactory
from tests.factories.risk import DecisionFactory
from tests.factories.trading import LeaderFactory, SignalFactory
from tests.integration.vanta_site.client.conftest import World
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc
from trading.models import Signal
from vanta.commands import vanta
from vanta.problems import Unknown

ENTRY = ("--symbol", "BTC-USD", "--side", "LONG", "--collateral", "50", "--leverage", "3")


def run(world: World, *words: str, token: str = "") -> Result:
    return CliRunner().invoke(vanta, words, env={"VANTA_URL": world.url, "VANTA_TOKEN": token or world.token})


def typed(world: World, *words: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """The same as somebody types it, exit code and all."""
    environment = {"VANTA_URL": world.url, "VANTA_TOKEN": token or world.token, "PATH": ""}
    command = [sys.executable, "-m", "vanta", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def documents(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_status_says_what_holds(world: World) -> None:
    assert "DRY" in run(world, "status").stdout
    assert run(world, "status").stdout.rstrip().endswith("1 open positions")
    (document,) = documents(run(world, "--json", "status"))
    assert (document["mode"], document["open_positions"]) == ("DRY", 1)


def test_positions_are_a_table_or_documents(world: World) -> None:
    table = run(world, "positions").stdout
    assert "BTC-USD" in table
    assert "LONG" in table
    (document,) = documents(run(world, "--json", "positions", "--book", "LIVE"))
    assert document["id"] == world.flow.position.pk
    assert documents(run(world, "--json", "positions", "--book", "PAPER")) == []


def test_a_signal_is_sent_under_its_id(world: World) -> None:
    words = ("signal", "send", *ENTRY, "--account", str(world.account), "--id", "mine", "--no-follow")

    first, again = run(world, *words), run(world, *words)

    assert (first.exit_code, first.stdout.split()[0], again.stdout.split()[0]) == (0, "accepted", "duplicate")
    assert Signal.objects.filter(signal_id="mine").count() == 1


def test_a_journey_is_printed_to_its_end(world: World) -> None:
    shown = run(world, "signal", "show", world.flow.signal.intent_key)

    lines = shown.stdout.splitlines()
    assert (shown.exit_code, lines[-1]) == (0, "filled")
    assert "signal.received" in lines[0]


def test_a_signal_that_ended_otherwise_has_a_code_of_its_own(world: World) -> None:
    signal = SignalFactory(decided=SignalStatus.DENIED)
    DecisionFactory(signal=signal, verdict="DENIED", code="LEVERAGE_ABOVE_MAX", message="Leverage 51x exceeds max 50x")

    shown = run(world, "signal", "show", signal.intent_key)

    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (6, "denied: Leverage 51x exceeds max 50x")


def test_a_position_is_closed_by_its_number(world: World) -> None:
    closed = run(world, "--json", "close", str(world.flow.position.pk), "--reduce-pct", "50", "--no-follow")

    (document,) = documents(closed)
    assert (closed.exit_code, document["status"]) == (0, "accepted")
    assert Signal.objects.get(pk=document["id"]).position_id == world.flow.position.pk


def test_the_mode_is_asked_for_and_wanted(world: World) -> None:
    assert run(world, "mode").stdout.startswith("DRY")
    assert run(world, "mode", "DRY", "--reason", "drill").exit_code == 0
    assert run(world, "stop", "--reason", "drill").stdout.startswith("stopped: ")


def test_what_happened_is_printed_and_ends_after_its_count(world: World) -> None:
    tail = run(world, "--json", "tail", "--after", "beginning", "--count", "1")

    (document,) = documents(tail)
    assert (tail.exit_code, document["kind"]) == (0, "signal.received")
    line = run(world, "tail", "--after", "beginning", "--count", "1").stdout
    assert "signal.received" in line


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("status",), 0, ""),
        (("signal", "send", *ENTRY, "--account", "1", "--no-follow"), 1, "[TRADER_UNKNOWN]"),
        (("mode", "LIVE", "--reason", "drill"), 1, "[FIELD_MISSING]"),
        (("mode", "DRY"), 2, "say --reason"),
        (("nonsense",), 2, "No such command"),
        (("close", "999999"), 5, "[NOT_FOUND]"),
        (("--url", "http://127.0.0.1:1", "status"), 4, "[NO_ANSWER]"),
        (("--token", "nonsense", "status"), 3, "[TOKEN_INVALID]"),
    ],
)
def test_each_end_has_its_code_and_one_line(world: World, words: tuple[str, ...], code: int, said: str) -> None:
    done = typed(world, *words)

    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (code, True, False)
    assert world.token not in done.stdout + done.stderr


def test_without_a_token_it_says_how_to_get_one(world: World) -> None:
    refused = CliRunner().invoke(vanta, ["status"], env={"VANTA_URL": world.url, "VANTA_TOKEN": ""})

    assert refused.exit_code == 2
    assert "manage.py token create" in refused.output


def test_a_position_is_guarded_and_shown(world: World) -> None:
    position = str(world.flow.position.pk)
    guard = ("--stop", "5%", "--target", "62000@50", "--target", "2R@50", "--breakeven-after", "1", "--trail", "3:1")

    guarded = run(world, "--json", "protect", position, *guard, "--time-stop", "90", "--reason", "drill")

    (document,) = documents(guarded)
    assert (guarded.exit_code, document["stop_price"]) == (0, "57000")
    assert document["guard"] == {
        "stop": {"move_pct": "5"},
        "targets": [{"price": "62000", "close_pct": "50"}, {"reward": "2", "close_pct": "50"}],
        "breakeven_after": 1,
        "trail": {"activate_pct": "3", "distance_pct": "1"},
        "time_stop_minutes": 90,
    }
    shown = run(world, "protect", position).stdout
    assert shown == f"position {position} is guarded by a stop at 57000 (SET); 0 targets hit\n"
    assert run(world, "protect", position, "--remove").stdout.startswith(f"position {position} was guarded by a stop at 57000")
    assert isinstance(run(world, "protect", position).exception, Unknown)


def test_a_stop_is_moved_to_breakeven(world: World) -> None:
    position = str(world.flow.position.pk)

    moved = run(world, "breakeven", position, "--reason", "drill")

    assert (moved.exit_code, moved.stdout) == (
        0,
        f"position {position} is guarded by a stop at 60066 (BREAKEVEN); 0 targets hit\n",
    )


def test_a_guard_needs_a_reason(world: World) -> None:
    assert run(world, "protect", str(world.flow.position.pk), "--stop", "5%").exit_code == 2


def test_a_leader_is_found_followed_and_let_go(world: World) -> None:
    leader = LeaderFactory(name="whale")
    assert "whale" in run(world, "leaders", "--by", "CONSISTENCY").stdout

    why = ("--reason", "good")
    followed = run(
        world, "follow", str(leader.pk), "--account", str(world.account), "--sizing", "MIRROR", "--share-pct", "5", *why
    )
    (document,) = documents(run(world, "--json", "following", "--account", str(world.account)))
    assert (followed.exit_code, document["mode"], document["share_pct"]) == (0, "ON", "5")

    let_go = run(world, "unfollow", str(document["id"]), *why)
    assert let_go.stdout == f"{document['id']}: {world.account} follows {leader.address}, OFF\n"
    assert "OFF" in run(world, "following").stdout


def test_the_tracking_is_a_table_documents_or_a_spreadsheet(world: World) -> None:
    row = TrackingFactory(not_copied={"STALE": "-1.5"}, not_copied_usdc=Usdc.of("-1.5"), size_usdc=Usdc.of("1.5"))

    assert "2026-01-02" in run(world, "tracking").stdout
    (document,) = documents(run(world, "--json", "tracking"))
    assert document["not_copied"] == {"STALE": "-1.5"}
    head, line = run(world, "tracking", "--csv", "--following", str(row.following_id)).stdout.splitlines()
    said = dict(zip(head.split(","), line.split(","), strict=True))
    assert (said["day"], said["size_usdc"], said["not_copied"]) == ("2026-01-02", "1.5", "STALE=-1.5")
