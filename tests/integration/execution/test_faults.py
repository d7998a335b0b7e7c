"""Faults of nodes: each intent is executed once, none is called failed that wasn't, and one liar changes no outcome."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from devnet.faults import Fault
from devnet.faults.proxy import Proxy
from execution.domain import finality
from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import TxReceipt
from execution.models.sender import SenderStatus
from tests.chaos import campaigns_faults as campaigns
from tests.chaos.campaigns_faults import Weather
from tests.chaos.fixtures import stand
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict
from tests.integration.execution import nodes
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.position import Direction, FillKind, PositionStatus
from trading.domain.units import Price
from trading.models import Fill, Position

SIGNALS = 40

__all__ = ["stand"]

# What each liar does all the time; the honest run comes first.
LIES: dict[str, tuple[tuple[Fault, dict[str, Any]], ...]] = {
    "honest": (),
    "forged receipts": ((Fault.RECEIPT_FORGED, {}),),
    "flipped receipts": ((Fault.RECEIPT_FLIPPED, {}),),
    "no receipts": ((Fault.RECEIPT_MISSING, {}),),
    "nonce too low": ((Fault.FALSE_NONCE_TOO_LOW, {}),),
    "swallowed": ((Fault.SWALLOWED, {}),),
    "finalized early": ((Fault.FINALIZED_EARLY, {}),),
    "no events": ((Fault.LOGS_EMPTY, {}),),
    "two blocks behind": ((Fault.STALE, {"blocks": 2}),),
    "far behind": ((Fault.STALE, {"blocks": 12}),),
    "everything at once": (
        (Fault.RECEIPT_FORGED, {}),
        (Fault.RECEIPT_FLIPPED, {}),
        (Fault.FALSE_NONCE_TOO_LOW, {}),
        (Fault.FINALIZED_EARLY, {}),
        (Fault.LOGS_EMPTY, {}),
    ),
}


@pytest.fixture
def three(world: World) -> Iterator[list[Proxy]]:
    with nodes.before(world, count=3) as proxies:
        yield proxies


def _trade(world: World) -> dict[str, Any]:
    """An open, one that reverts on the chain, and a close; what became of them."""
    world.admit(123)
    world.mine(4)
    intents = [way.owe(world), way.owe(world)]
    world.allow(123, usdc="60")
    world.mine(4)
    world.run(rounds=3)
    intents.append(way.owe(world, side="CLOSE"))
    world.run(rounds=6)
    fresh = [way.fresh(intent) for intent in intents]
    return {
        "intents": [(intent.status, intent.nonce, intent.failure_code) for intent in fresh],
        "orders": [(intent.order.status, intent.order.reason) for intent in fresh],
        "fills": list(Fill.objects.canonical().order_by("pk").values_list("kind", "price")),
        "positions": list(Position.objects.values_list("status", "direction")),
        "sender": (way.sender().status, way.sender().next_nonce, world.chain_nonce()),
    }


OUTCOME: dict[str, Any] = {
    "intents": [(IntentStatus.FINAL, 0, ""), (IntentStatus.REVERTED, 1, "REVERTED_ON_CHAIN"), (IntentStatus.FINAL, 2, "")],
    "orders": [(OrderStatus.FILLED, ""), (OrderStatus.REJECTED, "REVERTED_ON_CHAIN"), (OrderStatus.FILLED, "")],
    "fills": [(FillKind.OPEN, Price.of(60_006)), (FillKind.CLOSE, Price.of(59_994))],
    "positions": [(PositionStatus.CLOSED, Direction.LONG)],
    "sender": (SenderStatus.ACTIVE, 3, 3),
}


@pytest.mark.parametrize("lie", list(LIES))
def test_one_liar_or_laggard_of_three_changes_no_outcome(world: World, three: list[Proxy], lie: str) -> None:
    for fault, of_rule in LIES[lie]:
        three[0].suffer(fault, **of_rule)

    assert _trade(world) == OUTCOME


@pytest.mark.parametrize(("witnesses", "ends"), [(2, IntentStatus.MINED), (1, IntentStatus.REVERTED)])
def test_a_liar_whom_nobody_contradicts_ends_nothing_unless_one_witness_were_enough(
    world: World, three: list[Proxy], monkeypatch: pytest.MonkeyPatch, witnesses: int, ends: IntentStatus
) -> None:
    monkeypatch.setattr(finality, "WITNESSES", witnesses)
    liar, *others = three
    liar.suffer(Fault.RECEIPT_FLIPPED)
    for other in others:
        other.suffer(Fault.RECEIPT_MISSING)
    world.admit(123)
    intent = way.send(world)

    way.settle(world, blocks=8)

    assert way.fresh(intent).status == ends


def test_one_node_that_calls_its_newest_block_finalized_makes_nothing_final(
    world: World, three: list[Proxy], settings: Settings
) -> None:
    settings.FINALITY_BLOCKS = 0
    three[0].suffer(Fault.FINALIZED_EARLY)
    world.admit(123)
    intent = way.send(world)

    way.settle(world, blocks=4)

    # Sixty blocks are missing until two of the three call it finalized.
    assert way.fresh(intent).status == IntentStatus.MINED


def test_a_receipt_that_one_node_forged_is_not_kept_as_the_final_one(world: World, three: list[Proxy]) -> None:
    three[0].suffer(Fault.RECEIPT_FLIPPED)
    world.admit(123)
    intent = way.send(world)

    way.settle(world, blocks=8)

    assert way.fresh(intent).status == IntentStatus.FINAL
    assert list(TxReceipt.objects.filter(is_canonical=True).values_list("is_success", flat=True)) == [True]


@pytest.mark.parametrize(
    "lie",
    [(Fault.ITEM_REFUSED, {"on": "eth_estimateGas", "code": 3, "text": "execution reverted"}), (Fault.STALE, {"blocks": 2})],
    ids=["a revert made up", "two blocks behind"],
)
def test_one_node_that_simulates_wrongly_fails_nothing(
    world: World, three: list[Proxy], lie: tuple[Fault, dict[str, Any]]
) -> None:
    fault, of_rule = lie
    three[0].suffer(fault, **of_rule)
    # The laggard hasn't seen this delegation yet.
    world.admit(123)

    intent = way.send(world)

    assert way.fresh(intent).status != IntentStatus.FAILED


@pytest.mark.parametrize("weather", campaigns.WEATHERS[:8], ids=lambda weather: weather.name)
def test_in_any_weather_each_signal_is_executed_once(stand: Stand, weather: Weather) -> None:
    passage = campaigns.brave(stand, weather, signals=SIGNALS)

    assert passage.struck > 0
    assert passage.verdict == Verdict(signals=SIGNALS, once=SIGNALS)
