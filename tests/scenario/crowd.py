"""A leader who trades by his own hand, and accounts that follow him."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from risk.domain.following import Sizing, Terms
from risk.models import Copy, Following
from risk.services import followings
from tests.factories.people import SUPER_ADMIN
from tests.scenario import way
from tests.scenario.hand import Hand
from tests.scenario.world import World
from trading.domain.position import PositionStatus
from trading.domain.units import Usdc
from trading.models import Position, Trader
from trading.services import leaders

WHALE = "0x976EA74026E726554dB657fA54763abd0C3a0aa9"
FIXED = Terms(sizing=Sizing.FIXED, fixed=Usdc.of(50))


@dataclass(kw_only=True)
class Crowd:
    """The leader, and who follows him."""

    world: World
    hand: Hand
    leader: Trader
    followings: list[Following] = field(default_factory=list)

    def follow(self, tg_user_id: int, terms: Terms = FIXED, *, usdc: str = "10000") -> Following:
        """One account more."""
        self.world.admit(tg_user_id, usdc=usdc)
        following = followings.follow(
            tg_user_id=tg_user_id, leader_id=self.leader.pk, terms=terms, person=SUPER_ADMIN, reason="good", at=self._before()
        )
        self.followings.append(following)
        return following

    def _before(self) -> datetime:
        # A block's time has no parts of a second: whoever followed within it, followed before it.
        return self.world.now.replace(microsecond=0)

    def trade(self, **wanted: Any) -> None:
        """The leader opens, and is filled; nothing is copied yet."""
        self.hand.open(**{"collateral": "400", "leverage": "5"} | wanted)
        self.settle()

    def leave(self, amount: str | Usdc, **wanted: Any) -> None:
        """The leader closes so much, and it is filled; nothing is copied yet."""
        self.hand.close(amount=amount, **wanted)
        self.settle()

    def settle(self) -> None:
        """The leader's transaction is mined, and the keeper fills it."""
        self.world.mine()
        way.index(self.world)
        way.keep(self.world)
        way.index(self.world)

    def copy(self, rounds: int = 4) -> None:
        """Let the desk copy what it owes, until it is filled."""
        self.world.run(rounds=rounds)

    def held(self, following: Following) -> list[Position]:
        """What a follower has open."""
        return list(Position.objects.filter(trader=following.follower, status=PositionStatus.OPEN).order_by("pk"))

    def held_by_leader(self) -> Usdc:
        """What the leader has open, in his first place."""
        return Position.objects.open().get(trader=self.leader, venue_index=0).collateral_usdc

    def copied(self, following: Following) -> list[tuple[str, str, str]]:
        """What became of each of the leader's trades."""
        rows = Copy.objects.filter(following=following).order_by("pk")
        return [(row.kind, row.status, row.reason) for row in rows]


def gather(world: World) -> Crowd:
    """A leader with money, watched."""
    hand = Hand(rpc=world.rpc, deployment=world.deployment, address=WHALE)
    hand.fund("100000")
    world._catch_up()
    leader = leaders.add(address=WHALE, name="whale", by=SUPER_ADMIN, reason="known", at=world.now)
    return Crowd(world=world, hand=hand, leader=leader)
