"""Row locks are taken in one order."""

from itertools import combinations, product

import pytest

from tests.factories.trading import PositionFactory, TraderFactory
from trading import locks
from trading.kinds import WrongKind, write
from trading.lanes import Lease, LeaseLost
from trading.locks import ORDER, LockOrder
from trading.models import Trader

pytestmark = pytest.mark.django_db


@write
def enter_both(first: str, second: str) -> None:
    locks.enter(first)
    locks.enter(second)


def test_the_order_is_that_of_the_flow() -> None:
    assert (
        *("account", "usage", "sender", "intent", "order", "position", "protection", "cursor", "mode", "feed", "reader"),
        "channel",
    ) == ORDER


@pytest.mark.parametrize(("first", "second"), [*combinations(ORDER, 2), *((kind, kind) for kind in ORDER)])
def test_a_later_lock_after_an_earlier_one_is_taken(first: str, second: str) -> None:
    enter_both(first, second)


@pytest.mark.parametrize(("earlier", "later"), list(combinations(ORDER, 2)))
def test_an_earlier_lock_after_a_later_one_is_refused(earlier: str, later: str) -> None:
    with pytest.raises(LockOrder, match=rf"^{earlier} is locked after {later}$"):
        enter_both(later, earlier)


def test_every_pair_was_tried() -> None:
    assert len(list(combinations(ORDER, 2))) * 2 + len(ORDER) == len(list(product(ORDER, repeat=2)))


@write
def account_after_position(trader: Trader) -> None:
    locks.positions([])
    locks.accounts([trader.pk])


def test_the_locks_themselves_keep_the_order() -> None:
    with pytest.raises(LockOrder, match=r"^account is locked after position$"):
        account_after_position(TraderFactory())


@write
def several(ids: list[int]) -> list[int]:
    return [row.pk for row in locks.positions(ids)]


@write
def several_accounts(ids: list[int]) -> list[int]:
    return [row.pk for row in locks.accounts(ids)]


def test_several_rows_are_locked_ascending_whatever_the_order_asked() -> None:
    ids = sorted(PositionFactory().pk for _ in range(3))
    traders = sorted(TraderFactory().pk for _ in range(3))
    assert several([ids[2], ids[0], ids[1], ids[0]]) == ids
    assert several_accounts(traders[::-1]) == traders


@write
def account_of(lease: Lease) -> Trader:
    return locks.account(lease)


def test_an_account_is_locked_with_the_leases_epoch_only() -> None:
    trader = TraderFactory(epoch=7)
    assert account_of(Lease(model=Trader, pk=trader.pk, epoch=7)) == trader
    with pytest.raises(LeaseLost):
        account_of(Lease(model=Trader, pk=trader.pk, epoch=6))


def test_a_lock_outside_a_write_is_refused() -> None:
    with pytest.raises(WrongKind):
        locks.accounts([1])
