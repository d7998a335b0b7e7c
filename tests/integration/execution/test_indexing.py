"""Where the stream of the venue's events begins: at the head, with enough below it to find a fork."""

from dataclasses import replace

import pytest

from execution.desk import Desk
from execution.domain.chain import Block
from execution.models import ChainBlock, Cursor
from execution.services import indexing
from execution.services.indexing import ANCESTORS, ForkTooDeep
from tests.fakes.chain import FakeChain
from tests.fakes.ledger import COUNTER, Ledger
from tests.fakes.signer import OpenSigner
from tests.fakes.switch import Switch
from tests.fakes.venue import CountingVenue

pytestmark = pytest.mark.django_db(transaction=True)


def _desk(ledger: Ledger) -> Desk:
    signer = OpenSigner(f"0x{1:064x}")
    return Desk(chain=FakeChain(ledger), venue=CountingVenue(COUNTER), signer=signer, switch=Switch())


def _started(*, blocks: int) -> tuple[Ledger, Desk]:
    """A chain of so many blocks above its first, and a desk whose stream has just begun at its head."""
    ledger = Ledger()
    ledger.mine(blocks)
    desk = _desk(ledger)
    indexing.start(desk=desk)
    return ledger, desk


def _kept() -> list[tuple[int, str, str]]:
    rows = ChainBlock.objects.canonical().order_by("number")
    return list(rows.values_list("number", "hash", "parent_hash"))


def _there(ledger: Ledger, *, first: int) -> list[tuple[int, str, str]]:
    found = FakeChain(ledger).blocks(range(first, ledger.head.number + 1))
    return [(block.number, block.hash, block.parent_hash) for block in found.values()]


def test_the_stream_starts_at_the_head_and_knows_what_lies_below() -> None:
    ledger, _ = _started(blocks=100)

    cursor = Cursor.objects.get()
    assert (cursor.number, cursor.hash) == (100, ledger.head.hash)
    assert _kept() == _there(ledger, first=100 - ANCESTORS)


def test_a_chain_that_is_younger_keeps_what_there_is() -> None:
    ledger, _ = _started(blocks=3)

    assert _kept() == _there(ledger, first=0)


def test_a_start_that_is_repeated_changes_nothing() -> None:
    ledger, desk = _started(blocks=3)
    before = _kept()
    ledger.mine(2)

    assert indexing.start(desk=desk).number == 3
    assert _kept() == before


@pytest.mark.parametrize("depth", [1, 2, 30, ANCESTORS])
def test_a_reorganization_before_anything_was_read_takes_the_stream_along(depth: int) -> None:
    ledger, desk = _started(blocks=100)
    ledger.reorg(depth, returns=False)
    ledger.mine()

    assert indexing.drain(desk=desk, clock=ledger.now)

    assert _kept() == _there(ledger, first=100 - ANCESTORS)
    assert (Cursor.objects.get().number, Cursor.objects.get().hash) == (101, ledger.head.hash)


@pytest.mark.parametrize(("ancestors", "depth"), [(0, 1), (ANCESTORS, ANCESTORS + 1)])
def test_a_reorganization_of_all_that_is_kept_stops_the_stream(
    monkeypatch: pytest.MonkeyPatch, ancestors: int, depth: int
) -> None:
    monkeypatch.setattr(indexing, "ANCESTORS", ancestors)
    ledger, desk = _started(blocks=100)
    ledger.reorg(depth, returns=False)

    with pytest.raises(ForkTooDeep):
        indexing.drain(desk=desk, clock=ledger.now)

    assert Cursor.objects.get().number == 100


class _Shifting(FakeChain):
    """A chain that is reorganized each time right after its head was asked for."""

    depth = 5

    def head(self) -> Block:
        """The head that is gone when the answer is read."""
        found = super().head()
        self.ledger.reorg(self.depth, returns=False)
        return found


def test_blocks_of_another_fork_are_no_ancestors() -> None:
    ledger = Ledger()
    ledger.mine(100)
    head = ledger.head

    indexing.start(desk=replace(_desk(ledger), chain=_Shifting(ledger)))

    assert [(number, block_hash) for number, block_hash, _ in _kept()] == [(100, head.hash)]
