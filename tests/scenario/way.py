"""An intent's way, stage by stage, at the world's time."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from devnet.keeper import Tick
from execution.adapters.accounts import DeskAccounts
from execution.models import Sender, TxIntent
from execution.services import indexing, orders, senders
from risk.services import decisions
from tests.scenario.world import World
from trading.domain import signal_form, strict_json
from trading.domain.source import Auth
from trading.domain.tradingview import alert as tradingview
from trading.models import Signal, Source
from trading.services import signals

OPEN = {"symbol": "BTC-USD", "side": "LONG", "collateral_usdc": "50", "leverage_x": "3"}


class Killed(BaseException):
    """The process is gone: nobody catches it."""


class Doomed:
    """A port whose owner dies at one call, before the outside hears it or after."""

    def __init__(self, port: Any, method: str, *, is_after: bool = False) -> None:
        self._port, self._method, self._is_after = port, method, is_after
        self.address = getattr(port, "address", None)

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._port, name)
        return self._dying(asked) if name == self._method else asked

    def _dying(self, asked: Any) -> Any:
        def die(*args: Any, **kwargs: Any) -> None:
            if self._is_after:
                asked(*args, **kwargs)
            raise Killed

        return die


def tell(world: World, **changes: Any) -> Signal:
    """A signal of user 123, stored at the world's time: an open of BTC where nothing else is said."""
    base = {"symbol": "BTC-USD"} if changes.get("side") == "CLOSE" else OPEN
    body = {"source": "test", "signal_id": f"t{next(world.numbers)}", "tg_user_id": 123, **base, **changes}
    raw = json.dumps(body).encode()
    request = signal_form.read(strict_json.parse(raw))
    source = Source.objects.get(name=Source.DEFAULT)
    return signals.accept(request=request, raw=raw, source=source, at=world.now).signal


def alert(world: World, **changes: Any) -> Signal:
    """A strategy's alert for user 123 at the world's time: it stands long in BTC where nothing else is said."""
    base = {"id": f"a{next(world.numbers)}", "symbol": "BTCUSD", "market_position": "long", "leverage": "3"}
    raw = json.dumps({**base, "size": {"type": "fixed", "value": "50"}, **changes}).encode()
    request = tradingview.read(tradingview.parse(raw), source="chart", account=123)
    source, _ = Source.objects.get_or_create(name="chart", defaults={"auth": Auth.TOKEN})
    return signals.accept(request=request, raw=raw, source=source, at=world.now).signal


def owe(world: World, **changes: Any) -> TxIntent:
    """A signal's first intent, owed and not yet built."""
    signal = tell(world, **changes)
    decisions.drain(trader_id=signal.trader_id, switch=world.switch, accounts=DeskAccounts(world.desk), clock=world.clock)
    orders.take_in(trader_id=signal.trader_id, at=world.now)
    return TxIntent.objects.get(intent_key=signal.intent_key)


def sender() -> Sender:
    """The one sender."""
    return Sender.objects.get()


def drain(world: World) -> None:
    """Work the sender's lane once."""
    assert senders.drain(sender_id=sender().pk, desk=world.desk, clock=world.clock)


def drain_at_silence(world: World) -> None:
    """Work the sender's lane once, while the chain doesn't answer."""
    assert not senders.drain(sender_id=sender().pk, desk=world.desk, clock=world.clock)


def die(world: World, port: str, method: str, *, is_after: bool = False) -> None:
    """Work the sender's lane until one call of a port, and no further."""
    sane = world.desk
    world.desk = replace(sane, **{port: Doomed(getattr(sane, port), method, is_after=is_after)})
    with pytest.raises(Killed):
        drain(world)
    world.desk = sane


def settle(world: World, blocks: int = 4) -> None:
    """Let blocks pass, read, and look, until what was deep enough is final: one node must say so twice."""
    for _ in range(blocks):
        world.mine()
        index(world)
        drain(world)


def fork(world: World, depth: int = 1) -> None:
    """Put as many empty blocks in the place of the chain's last ones; what those held is gone."""
    world.rpc.call("anvil_rollback", depth)
    world.rpc.call("anvil_dropAllTransactions")
    world.mine(depth)


def index(world: World) -> None:
    """Read the venue's events."""
    assert indexing.drain(desk=world.desk, clock=world.clock)


def keep(world: World) -> Tick:
    """One pass of the keeper, mined."""
    tick = world.keeper.tick(now=world.now.timestamp())
    world.mine()
    return tick


def wait(world: World, seconds: float) -> None:
    """Let time go by, without a block."""
    world.now += timedelta(seconds=seconds)


def send(world: World, **changes: Any) -> TxIntent:
    """An intent on the wire."""
    intent = owe(world, **changes)
    drain(world)
    return fresh(intent)


def accept(world: World, **changes: Any) -> TxIntent:
    """An intent mined, its order with the venue."""
    intent = send(world, **changes)
    world.mine()
    drain(world)
    index(world)
    return fresh(intent)


def fill(world: World, **changes: Any) -> TxIntent:
    """An intent whose order is filled."""
    intent = accept(world, **changes)
    keep(world)
    drain(world)
    index(world)
    return fresh(intent)


def fresh(intent: TxIntent) -> TxIntent:
    """The intent as it is stored now."""
    return TxIntent.objects.select_related("order__leg", "order__position").get(pk=intent.pk)


def nonces(world: World) -> tuple[int, int]:
    """The next nonce by our book, and by the chain."""
    return sender().next_nonce, world.chain_nonce()
