"""Gas ten times as dear with fifty in flight, a ceiling below the market, a node without room: all of it comes through once."""

from itertools import pairwise

import pytest

from execution.domain.intent import IntentStatus
from execution.models import Sender, TxIntent, TxSend
from tests.chaos import campaigns_spikes as spikes
from tests.chaos import stand as stands
from tests.chaos.clerk import Clerk
from tests.chaos.fixtures import stand
from tests.chaos.stand import BASE_FEE_WEI, Stand, Team
from tests.chaos.verdict import Verdict
from tests.fakes.signer import OpenSigner

__all__ = ["stand"]

# EIP-7702: whose code an account borrows.
DELEGATED = "0xef0100" + "77" * 20


def test_what_is_in_flight_in_a_fee_spike_is_replaced_within_the_ceiling_and_mined_once(stand: Stand) -> None:
    spike = spikes.leap(stand, in_flight=24)

    assert spike.raised > 0
    assert spike.verdict == Verdict(signals=24, once=24)


def test_at_a_ceiling_below_the_market_it_is_held_with_an_alert_and_goes_on_when_that_is_raised(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    team = stand.hire()
    clerk = Clerk(desk=stand.desk(team))
    stand.owe(team, 1)
    stand.without_deadlines(team)
    spikes.work(stand, team, clerk)
    (first,) = TxSend.objects.filter(intent__sender__in=team.senders)
    spikes.set_ceiling(team, 2 * first.fee_cap_wei.raw)

    for _ in range(12):
        spikes.block_at(stand, spikes.LEAP * BASE_FEE_WEI)
        spikes.work(stand, team, clerk)
    held = TxIntent.objects.get(sender__in=team.senders)
    alerts = [record for record in caplog.records if record.levelname == "ERROR" and "intent.at_ceiling" in record.getMessage()]
    spikes.set_ceiling(team, 500 * BASE_FEE_WEI)
    for _ in range(4):
        spikes.block_at(stand, spikes.LEAP * BASE_FEE_WEI)
        spikes.work(stand, team, clerk)
    stand.heal()
    stand.settle(team)

    assert (held.status, held.blocked_reason, held.nonce) == (IntentStatus.SENT, "fee ceiling", 0)
    assert len(alerts) == 1
    assert stand.verdict(team) == Verdict(signals=1, once=1)


def test_a_window_halves_when_a_node_refuses_and_grows_by_one_after_each_clean_block(stand: Stand) -> None:
    team = stand.hire(window=64)
    stand.owe(team, 200)

    seen = spikes.windows(stand, team, blocks=20)
    stand.settle(team)

    changes = [(before, after) for before, after in pairwise([64, *seen]) if before != after]
    assert seen[0] == 32
    assert {_step(before, after) for before, after in changes} == {"half", "one more"}
    assert stand.verdict(team) == Verdict(signals=200, once=200)


def _step(before: int, after: int) -> str:
    return {before // 2: "half", before + 1: "one more"}.get(after, f"{before} to {after}")


def test_an_account_with_borrowed_code_has_one_in_flight(stand: Stand) -> None:
    team = _borrowing(stand)
    stand.owe(team, 4)

    seen = spikes.windows(stand, team, blocks=3)
    in_flight = TxIntent.objects.filter(sender__in=team.senders).unmined().count()
    stand.settle(team)

    assert (seen, in_flight) == ([1, 1, 1], 1)
    assert stand.verdict(team) == Verdict(signals=4, once=4)
    assert Sender.objects.get(pk=team.senders[0]).window_size >= 1


def _borrowing(stand: Stand) -> Team:
    """A team whose sender's account had code before its first use."""
    number = next(stand.numbers) + 1
    address = OpenSigner(f"0x{stands._FIRST_KEY + number:064x}").address
    stand.rpc.call("anvil_setCode", address, DELEGATED)
    team = stand.hire()
    assert team.addresses == {address}
    return team
