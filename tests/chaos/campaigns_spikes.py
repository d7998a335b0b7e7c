"""A market for gas that leaps while much is in flight, and a node that takes no more: all of it comes through once."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from execution.models import Sender, TxIntent, TxSend
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.clerk import Clerk
from tests.chaos.crew import Round
from tests.chaos.stand import BASE_FEE_WEI, Stand, Team
from tests.chaos.verdict import Verdict
from trading.domain.units import Wei

IN_FLIGHT = 50
SENDERS = 4
LEAP = 10
_PATIENCE_BLOCKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """How a spike was passed: blocks and seconds until all was mined, and how many intents more was offered for."""

    blocks: int
    seconds: float
    raised: int
    verdict: Verdict


def leap(stand: Stand, *, in_flight: int = IN_FLIGHT, senders: int = SENDERS, workers: int = 2) -> Spike:
    """Have so many in flight, and then the base fee leap, and stay."""
    team = stand.hire(senders=senders)
    stand.owe(team, in_flight)
    # More than a minute may pass: what expires isn't what is tested here.
    stand.without_deadlines(team)
    begun, blocks = monotonic(), 0
    with stand.crew(team, workers) as working:
        stand.round(team, working)
        while _unmined(team) and blocks < _PATIENCE_BLOCKS:
            block_at(stand, LEAP * BASE_FEE_WEI)
            blocks += 1
            stand.round(team, working)
    if working.troubles:
        raise RuntimeError("\n".join(working.troubles))
    seconds = monotonic() - begun
    stand.heal()
    stand.settle(team, workers=workers)
    raised = TxSend.objects.filter(intent__sender__in=team.senders, seq=2).count()
    return Spike(blocks=blocks, seconds=seconds, raised=raised, verdict=stand.verdict(team))


def block_at(stand: Stand, base_fee_wei: int) -> None:
    """A block with this base fee."""
    stand.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
    stand.mine()


def work(stand: Stand, team: Team, clerk: Clerk) -> None:
    """A round in this process, whose logs can be read."""
    if troubles := clerk(Round(now=stand.now, lanes=team.lanes)):
        raise RuntimeError("\n".join(troubles))


def set_ceiling(team: Team, wei: int) -> None:
    """Let every sender of a team pay so much for a gas, and no more."""
    Sender.objects.filter(pk__in=team.senders).update(fee_ceiling_wei=Wei(wei))


def windows(stand: Stand, team: Team, *, blocks: int) -> list[int]:
    """The first sender's window after each round, a block after each."""
    clerk, seen = Clerk(desk=stand.desk(team)), list[int]()
    for _ in range(blocks):
        work(stand, team, clerk)
        seen.append(Sender.objects.get(pk=team.senders[0]).window_size)
        stand.without_deadlines(team)
        stand.mine()
    return seen


def _unmined(team: Team) -> bool:
    mined = ("MINED", "FINAL")
    return TxIntent.objects.filter(sender__in=team.senders).exclude(status__in=mined).exists()


def leaps(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Spike after spike; a recovery is the time until all that was in flight is mined at the new price."""
    row = Row(fault=f"base fee × {LEAP}, {IN_FLIGHT} in flight, {SENDERS} senders")
    for _ in bounds.each():
        spike = leap(stand)
        row.add(spike.verdict, seconds=spike.seconds)
        if spike.blocks == _PATIENCE_BLOCKS or not spike.raised:
            row.violations.append(f"not mined at the new price: {spike}")
    return [row]


CAMPAIGNS = (Campaign(name="spikes", run=leaps),)
