"""What the chain says of a trader's account: in one exchange, and nobody is poor on one node's word."""

from datetime import timedelta
from typing import Any

import pytest

from devnet.faults import Fault
from execution.adapters.accounts import DeskAccounts
from execution.adapters.rpc import RpcChain
from execution.models import TxIntent
from risk.models import AccountFacts, Decision, Leg
from risk.ports import Need
from tests.integration.execution.test_faults import three
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Usdc, Wei

__all__ = ["three"]


def need(world: World, **changes: Any) -> Need:
    wanted = {"collateral": Usdc.of(50), "gas": Wei(1), "until": world.now + timedelta(minutes=1)}
    return Need(**wanted | changes)


def test_an_account_is_read_as_the_chain_has_it(world: World) -> None:
    trader = world.admit(123, usdc="777")

    seen = DeskAccounts(world.desk).look(trader.address, need=need(world))

    assert (seen.balance, seen.allowance) == (Usdc.of(777), Usdc.of(777))
    assert seen.delegated_until is not None
    assert seen.delegated_until > world.now + timedelta(days=89)
    assert seen.gas == world.desk.chain.balance(world.desk.signer.address)
    assert seen.block_number == world.desk.chain.head().number


def test_a_stranger_has_nothing_and_has_let_nobody_trade(world: World) -> None:
    seen = DeskAccounts(world.desk).look("0x" + "12" * 20, need=need(world))

    assert (seen.balance, seen.allowance, seen.delegated_until, seen.gas) == (Usdc.zero(), Usdc.zero(), None, Wei.zero())


def test_a_block_that_takes_the_collateral_is_kept_on_the_leg(world: World) -> None:
    world.admit(123)
    way.send(world)
    world.mine()
    way.index(world)

    leg = Leg.objects.get()
    assert leg.charged_in_block == world.desk.chain.head().number
    way.tell(world, symbol="ETH-USD")
    world.work()
    # 10,000 less the 50 that the wallet has paid already: nothing is taken off twice.
    facts = AccountFacts.objects.get()
    assert facts.balance_usdc == Usdc.of(9_950)
    checks = {each["code"]: each["limit"] for each in Decision.objects.order_by("-pk")[0].checks}
    assert checks["INSUFFICIENT_COLLATERAL"] == "$9950"


@pytest.mark.parametrize("blocks", [2, 3])
def test_a_laggard_that_has_not_seen_the_money_denies_nothing(world: World, three: list[Any], blocks: int) -> None:
    three[0].suffer(Fault.STALE, blocks=blocks)
    world.admit(123)

    intent = way.owe(world)

    assert TxIntent.objects.get() == intent
    assert Decision.objects.get().code == ""


def test_alone_the_laggards_word_would_have_denied_it(world: World, three: list[Any]) -> None:
    three[0].suffer(Fault.STALE, blocks=3)
    world.admit(123)
    trader = way.tell(world).trader

    alone = RpcChain([three[0].url])
    seen = world.desk.venue.account(
        alone.snapshot(
            world.desk.venue.account_views(trader.address, delegates=world.desk.addresses), addresses=world.desk.addresses
        )
    )

    assert not seen.covers(need(world))
