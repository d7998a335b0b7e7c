"""A worker may die at any named point, heard or unheard: each signal has one effect. The naive order has two."""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from devnet.rpc import Rpc
from execution.adapters.rpc import RpcChain
from execution.domain.fees import Offer
from execution.ports import Chain, UnsignedCall
from tests.architecture import tree
from tests.chaos import matrix, naive
from tests.chaos.fixtures import stand
from tests.chaos.matrix import CROWD, Cell, Hearing, Trial
from tests.chaos.naive import NOWHERE
from tests.chaos.stand import SEND, Stand
from tests.chaos.verdict import Verdict
from tests.fakes.signer import OpenSigner
from tests.fakes.switch import Switch
from trading import failpoints
from trading.domain.units import Wei

__all__ = ["stand"]

_OF_EXECUTION = ["orders", "senders", "building", "nonces", "offers", "submission", "watching", "finalizing", "indexing"]
STAGES = (
    *("trading/services/signals.py", "risk/services/decisions.py"),
    *(f"execution/services/{name}.py" for name in _OF_EXECUTION),
)
# What lies on no way that an intent of these cells goes.
ELSEWHERE = {
    "trading.signals.note_refusal",  # a body that the door refuses
    "trading.signals.note_conflict",  # another body under the same id
    "risk.decisions.give_back",  # a shared cap that others hold too long
    "execution.rpc.RpcChain.snapshots",  # an account whose primary node has seen too little
    "execution.senders.wait",  # a chain that doesn't answer
    "execution.senders.create",  # before the first intent
    "execution.indexing.create",
    "execution.indexing.rewind",  # a reorganization
    "execution.offers.withdraw",  # a policy that refuses
    "execution.offers.stop",  # a key that signs for another account
    "execution.rpc.RpcChain.code",  # before the first intent
    "execution.rpc.RpcChain.answers_at",  # reconciliation
    "execution.rpc.RpcChain.search",
    "execution.rpc.RpcChain.call",  # what the real venue asks
    "tests.switch.Switch.replace",  # a person
}
# With four workers the suite takes every ninth cell, over all answers; `make chaos` takes each.
SPREAD = 9


@pytest.fixture(scope="module")
def ways(stand: Stand) -> dict[Hearing, list[str]]:
    return {hearing: matrix.points(stand, hearing) for hearing in Hearing}


def dirty(trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if not trial.is_clean]


def expected() -> set[str]:
    """Every write of the stages and every ask of the ports that they use, by name."""
    writes = {
        f"{path.split('/')[0]}.{path.split('/')[-1].removesuffix('.py')}.{name.removeprefix('_')}"
        for path in STAGES
        for kind in ("write", "statement")
        for name in tree.decorated((tree.ROOT / path).read_text(), by=kind)
    }
    asks = {failpoints.name_of(method) for method in _asks(RpcChain, Chain)}
    return writes | asks | {failpoints.name_of(method) for method in (OpenSigner.sign, Switch.read, Switch.replace)}


def _asks(adapter: type, port: type) -> list[Callable[..., Any]]:
    names = [name for name, found in vars(port).items() if inspect.isfunction(found) and not name.startswith("_")]
    return [method for name in names if hasattr(method := getattr(adapter, name), "__wrapped__")]


def test_the_way_of_an_intent_reaches_every_write_and_every_ask(ways: dict[Hearing, list[str]]) -> None:
    reached = {point.partition(" ")[0] for way in ways.values() for point in way}

    assert expected() - reached == ELSEWHERE
    assert reached - expected() == {"trading.lanes.take", "trading.lanes.update"}
    assert len({point for way in ways.values() for point in way}) == 68


@pytest.mark.parametrize("hearing", Hearing)
def test_a_death_at_any_point_leaves_one_effect_each(stand: Stand, ways: dict[Hearing, list[str]], hearing: Hearing) -> None:
    cells = list(matrix.cells({hearing: ways[hearing]}, crews=(1,)))

    trials = [matrix.run(stand, cell) for cell in cells]

    assert dirty(trials) == []
    assert [trial.deaths for trial in trials] == [1] * len(ways[hearing])


def test_four_workers_that_die_together_leave_one_effect_each(stand: Stand, ways: dict[Hearing, list[str]]) -> None:
    cells = list(matrix.cells(ways, crews=(CROWD,)))[::SPREAD]

    assert dirty(matrix.run(stand, cell) for cell in cells) == []


DEATHS_AFTER_THE_WIRE = ("tests.naive.Naive.send answered", "naive.store before commit")


@pytest.mark.parametrize("point", DEATHS_AFTER_THE_WIRE)
@pytest.mark.parametrize("hearing", Hearing)
def test_the_naive_order_doubles_at_a_death_after_the_wire(stand: Stand, tmp_path: Path, hearing: Hearing, point: str) -> None:
    trial = naive.run(stand, Cell(point=point, hearing=hearing), folder=tmp_path)

    assert trial.deaths == 1
    assert trial.verdict.doubled >= 1


def test_the_naive_order_doubles_when_an_answer_is_lost(stand: Stand, tmp_path: Path) -> None:
    trial = naive.run(stand, Cell(point=NOWHERE, hearing=Hearing.ANSWER_LOST), folder=tmp_path)

    assert (trial.deaths, trial.verdict.doubled) == (0, 1)


@pytest.mark.parametrize("hearing", [Hearing.ACCEPTED, Hearing.DROPPED])
def test_the_naive_order_is_acquitted_where_it_does_no_harm(stand: Stand, tmp_path: Path, hearing: Hearing) -> None:
    trial = naive.run(stand, Cell(point=NOWHERE, hearing=hearing), folder=tmp_path)

    assert trial.verdict == Verdict(signals=matrix.SIGNALS, once=matrix.SIGNALS)


def test_bytes_that_nobody_stored_are_seen(stand: Stand) -> None:
    team = stand.hire()
    stand.owe(team, 1)
    stand.settle(team)
    (signer,) = team.signers
    offer = Offer(fee_cap=Wei(5 * 10**9), tip_cap=Wei(10**9))
    call = UnsignedCall(
        chain_id=31337, nonce=1, target=signer.address, data="0x", value=Wei.zero(), gas_limit=21_000, offer=offer
    )
    signed = signer.sign(call)

    with Rpc(stand.node.url) as node:
        node.call(SEND, signed.raw)
    stand.mine()

    assert [words.split(":")[0] for words in stand.verdict(team).breaches] == ["I3", "L2"]
