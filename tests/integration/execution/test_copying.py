"""Copying on a chain: a leader trades by his own hand, and each trade is copied once, whatever the chain does with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from devnet.deploy import OPERATOR
from execution.domain.intent import Blocked
from execution.models import ChainBlock, Cursor, TxIntent
from risk.domain.copying import ORPHANED_AFTER, CopyStatus
from risk.domain.decision import Action
from risk.domain.following import FollowMode, Sizing, Terms
from risk.models import Copy, CopySignal, Decision, Following, Leg, Tracking
from risk.services import copies, copying, followings, tracking
from tests.chaos import campaigns_reorgs as reorgs
from tests.factories.people import SUPER_ADMIN
from tests.scenario import crowd as crowds
from tests.scenario import way
from tests.scenario.crowd import Crowd
from tests.scenario.world import World
from trading.domain.mode import Book
from trading.domain.units import Leverage, Percent, Usdc
from trading.models import Event, Fill, Position, Signal, Source
from trading.services import mode
from trading.services.mode import DeskSwitch


@pytest.fixture
def crowd(world: World, settings: Settings) -> Crowd:
    settings.COPY_EXECUTION_MODE, settings.COPY_IS_SET = "LIVE", True
    Source.objects.get_or_create(name="copy", defaults={"is_internal": True})
    return crowds.gather(world)


def test_what_a_leader_opens_and_closes_is_opened_and_closed(crowd: Crowd) -> None:
    following = crowd.follow(123)

    crowd.trade()
    crowd.copy()

    (position,) = crowd.held(following)
    assert (position.book, position.direction, position.leverage_x) == (Book.LIVE, "LONG", Leverage.of(5))
    # 50 less the fee of 0.045 % of 250.
    assert position.collateral_usdc == Usdc.of("49.8875")
    assert crowd.copied(following) == [("OPEN", "SENT", "")]

    # All that the leader has, less his own fee: 400 - 0.9.
    crowd.leave("199.55")
    crowd.copy()
    position.refresh_from_db()
    assert position.collateral_usdc == Usdc.of("24.94375")

    crowd.leave("199.55")
    crowd.copy()

    assert crowd.held(following) == []
    assert crowd.copied(following) == [("OPEN", "SENT", ""), ("CLOSE", "SENT", ""), ("CLOSE", "SENT", "")]
    assert Signal.objects.count() == CopySignal.objects.count() == 3


def _mirror(share: str, **caps: Any) -> Terms:
    return Terms(sizing=Sizing.MIRROR, share=Percent.of(share), **caps)


def _fixed(amount: str, **caps: Any) -> Terms:
    return Terms(sizing=Sizing.FIXED, fixed=Usdc.of(amount), **caps)


def _equity(share: str, **caps: Any) -> Terms:
    return Terms(sizing=Sizing.EQUITY_PCT, share=Percent.of(share), **caps)


X2, X9 = {"max_leverage": Leverage.of(2)}, {"max_leverage": Leverage.of(9)}
# A share of what the leader put up, to the unit.
SHARE = "share"
# Twenty followers with 1,000 USDC each. The leader puts up 400 at 5x; what each puts up, and at which leverage.
TWENTY: tuple[tuple[Terms, str, str], ...] = (
    (_fixed("20"), "20", "5"),
    (_fixed("33.333333"), "33.333333", "5"),
    (_fixed("50", **X2), "50", "2"),
    (_fixed("50", **X9), "50", "5"),
    (_fixed("50", max_trade=Usdc.of(30)), "30", "5"),
    (_fixed("50", max_day=Usdc.of(40)), "40", "5"),
    (_fixed("50", max_trade=Usdc.of(30), max_day=Usdc.of(25), **X2), "25", "2"),
    (_fixed("50", symbols=frozenset({"BTC-USD"})), "50", "5"),
    (_mirror("10"), SHARE, "5"),
    (_mirror("12.5"), SHARE, "5"),
    (_mirror("10", **X2), SHARE, "2"),
    (_mirror("25", max_trade=Usdc.of(60)), "60", "5"),
    (_mirror("25", max_day=Usdc.of(70)), "70", "5"),
    (_mirror("0.666667"), SHARE, "5"),
    (_equity("5"), "50", "5"),
    (_equity("5", **X2), "50", "2"),
    (_equity("10", max_trade=Usdc.of(45)), "45", "5"),
    (_equity("10", max_day=Usdc.of(55)), "55", "5"),
    # Refused by its own cap, and by its markets.
    (_fixed("50", symbols=frozenset({"ETH-USD"})), "", "SYMBOL"),
    (_fixed("50", max_slippage=Percent.of("0.0001")), "", "PRICE_OUTSIDE_COLLAR"),
)


def _copy_only(crowd: Crowd) -> None:
    """What is owed becomes signals, and nothing else happens."""
    for pk in list(copies.due(before=crowd.world.now)):
        copying.work(following_id=pk, at=crowd.world.now)


def _track(crowd: Crowd) -> None:
    """The day is over, and reported."""
    tomorrow = (crowd.world.now + timedelta(days=1)).replace(hour=2)
    tracking.catch_up(at=tomorrow)


def _die(*_: object, **__: object) -> None:
    raise way.Killed


def _read_again(crowd: Crowd) -> None:
    """The index reads everything from its beginning once more."""
    first = ChainBlock.objects.canonical().order_by("number")[0]
    Cursor.objects.update(number=first.number, hash=first.hash)
    way.index(crowd.world)


def _put_up(following: Following) -> list[tuple[str, str]]:
    legs = Leg.objects.filter(trader=following.follower, action=Action.OPEN).order_by("pk")
    return [(str(leg.collateral_usdc), str(leg.leverage_x)) for leg in legs]


def _why_not(following: Following) -> str:
    copy = Copy.objects.get(following=following)
    return copy.reason or Decision.objects.get(signal__copied__copy=copy).code


def test_twenty_followers_put_up_what_their_sizes_and_caps_say_however_often_it_is_read(crowd: Crowd) -> None:
    for number, (terms, _, _) in enumerate(TWENTY, start=1):
        crowd.follow(100 + number, terms, usdc="1000")

    crowd.trade(slippage="2")
    _read_again(crowd)
    crowd.copy()
    _read_again(crowd)
    crowd.copy()

    opened = Fill.objects.canonical().get(trader=crowd.leader)
    put_up = opened.collateral_usdc + opened.fee_usdc
    for following, (terms, collateral, leverage) in zip(crowd.followings, TWENTY, strict=True):
        if collateral == SHARE and terms.share is not None:
            collateral = str(put_up.times_down(terms.share.raw, Percent.HUNDRED))
        assert _put_up(following) == ([(collateral, leverage)] if collateral else [])
        if not collateral:
            assert _why_not(following) == leverage
    assert Copy.objects.count() == 20
    assert Position.objects.ours().count() == 18

    crowd.leave(crowd.held_by_leader())
    _read_again(crowd)
    crowd.copy()
    assert not Position.objects.ours().open().exists()
    assert reorgs.differences(crowd.world) == {}
    _track(crowd)
    _track(crowd)
    for following, (_, collateral, why) in zip(crowd.followings, TWENTY, strict=True):
        row = Tracking.objects.get(following=following)
        made = Position.objects.filter(trader=following.follower).values_list("net_pnl_usdc", flat=True)
        assert (row.book, row.trades, row.follower_net_usdc) == (Book.LIVE, 1, sum(made, Usdc.zero()))
        assert row.leader_net_usdc == Position.objects.get(trader=crowd.leader).net_pnl_usdc
        assert list(row.not_copied) == ([] if collateral else [why])
        parts = (row.not_copied_usdc, row.size_usdc, row.entry_usdc, row.exit_usdc, row.fees_usdc, row.carrying_usdc)
        assert row.follower_net_usdc - row.expected_usdc == sum(parts, Usdc.zero())


def test_a_fill_in_another_transaction_after_a_reorganization_is_copied_once(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    before = Fill.objects.get(trader=crowd.leader)
    # The keeper's block is gone, the leader's own stays: he is filled again, in another transaction.
    way.fork(crowd.world)
    way.index(crowd.world)
    crowd.world.keeper._tried_at_block.clear()
    crowd.world.rpc.call("eth_sendTransaction", {"from": OPERATOR, "to": OPERATOR})
    crowd.settle()
    crowd.copy()

    after = Fill.objects.canonical().get(trader=crowd.leader)
    assert after.tx_hash != before.tx_hash
    assert Copy.objects.get().fill == after
    assert len(_put_up(following)) == len(crowd.held(following)) == 1


def test_a_fill_that_comes_again_after_it_was_copied_is_not_copied_again(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    _copy_only(crowd)
    way.fork(crowd.world)
    way.index(crowd.world)
    assert Copy.objects.get().next_action_at is not None
    crowd.world.keeper._tried_at_block.clear()
    crowd.settle()
    crowd.copy()

    crowd.world.now += ORPHANED_AFTER
    crowd.copy()

    assert (Copy.objects.get().status, Copy.objects.get().orphaned_at) == (CopyStatus.SENT, None)
    assert len(_put_up(following)) == Signal.objects.count() == 1
    crowd.leave(crowd.held_by_leader())
    crowd.copy()
    assert crowd.held(following) == []


def test_a_trade_that_is_gone_for_good_leaves_an_orphan_that_is_told_and_closed_by_nobody(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    _copy_only(crowd)
    # The keeper's block and the leader's own.
    way.fork(crowd.world, depth=2)
    crowd.copy()
    assert len(crowd.held(following)) == 1

    crowd.world.now += ORPHANED_AFTER
    crowd.copy()

    copy = Copy.objects.get()
    assert copy.orphaned_at is not None
    told = Event.objects.get(kind="copy.orphaned")
    assert (told.subject, told.facts["tg_user_id"], told.facts["symbol"]) == (f"copy:{copy.pk}", 123, "BTC-USD")
    assert len(crowd.held(following)) == 1
    assert Signal.objects.count() == 1


def test_a_late_open_is_not_copied_and_a_late_close_is(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    crowd.trade()
    crowd.leave(crowd.held_by_leader())
    crowd.world.now += timedelta(minutes=5)

    crowd.copy()

    assert crowd.copied(following) == [("OPEN", "SENT", ""), ("OPEN", "SKIPPED", "STALE"), ("CLOSE", "SENT", "")]
    assert crowd.held(following) == []


def test_a_liquidation_of_the_leader_closes_what_copied_it(crowd: Crowd) -> None:
    following = crowd.follow(123, _fixed("50", max_leverage=Leverage.of(2)))
    crowd.trade(leverage="50")
    crowd.copy()
    crowd.world.set_price("BTC-USD", "58000")

    crowd.settle()
    crowd.copy()

    assert [kind for kind, _, _ in crowd.copied(following)] == ["OPEN", "CLOSE"]
    assert Copy.objects.get(kind="CLOSE").key.endswith(":LIQUIDATION")
    assert crowd.held(following) == []


def test_with_copying_dry_the_copies_are_paper_while_the_desk_is_live(crowd: Crowd, settings: Settings) -> None:
    settings.COPY_EXECUTION_MODE, settings.COPY_IS_SET = "DRY", False
    following = crowd.follow(123)

    crowd.trade()
    crowd.copy()

    assert [position.book for position in crowd.held(following)] == [Book.PAPER]


def test_an_accepted_copy_is_not_signed_once_copying_is_dry_and_its_exit_is(crowd: Crowd, settings: Settings) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    crowd.trade()
    _copy_only(crowd)
    nonces = way.nonces(crowd.world)
    # Unset: the desk stays LIVE, and copying alone is DRY.
    settings.COPY_IS_SET = False

    crowd.copy()

    assert way.nonces(crowd.world) == nonces
    assert TxIntent.objects.latest("pk").blocked_reason == Blocked.MODE
    crowd.leave(crowd.held_by_leader())
    crowd.world.now += timedelta(minutes=2)
    crowd.copy()
    assert crowd.held(following) == []
    assert set(Position.objects.ours().values_list("book", "status")) == {("LIVE", "CLOSED")}


def test_while_automation_rests_nothing_is_opened_and_what_closes_is_closed(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    mode.set_desk(name=DeskSwitch.AUTOMATION_PAUSED, is_on=True, actor="ada", reason="a drill", at=crowd.world.now)

    crowd.trade()
    crowd.leave(crowd.held_by_leader())
    crowd.copy()

    opened, paused, closed = crowd.copied(following)
    assert (opened, paused, closed) == (
        ("OPEN", "SENT", ""),
        ("OPEN", "SKIPPED", "AUTOMATION_PAUSED"),
        ("CLOSE", "SENT", ""),
    )
    assert crowd.held(following) == []


@pytest.mark.parametrize("turned", [FollowMode.CLOSES_ONLY, FollowMode.OFF])
def test_a_following_that_copies_no_opens_closes_what_it_had(crowd: Crowd, turned: FollowMode) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    followings.turn(following_id=following.pk, mode=turned, person=SUPER_ADMIN, reason="enough", at=crowd.world.now)

    crowd.trade()
    crowd.leave(crowd.held_by_leader())
    crowd.copy()

    assert [reason for _, _, reason in crowd.copied(following)] == ["", "MODE_OFF", ""]
    assert crowd.held(following) == []


def test_an_increase_is_one_position_more_and_a_partial_close_is_of_each(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    crowd.hand.increase(collateral="200", leverage="5")
    crowd.settle()
    crowd.copy()
    before = [position.collateral_usdc for position in crowd.held(following)]

    half = crowd.held_by_leader().times_down(1, 2)
    crowd.leave(half)
    crowd.copy()

    assert len(before) == 2
    left = [position.collateral_usdc for position in crowd.held(following)]
    assert all(abs(now + now - was) <= Usdc.from_raw(2) for now, was in zip(left, before, strict=True))
    crowd.leave(crowd.held_by_leader())
    crowd.copy()
    assert crowd.held(following) == []


def test_a_close_that_comes_while_its_open_is_under_way_waits_for_it(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    _copy_only(crowd)
    crowd.leave(crowd.held_by_leader())
    assert [status for _, status, _ in crowd.copied(following)] == ["SENT", "OWED"]

    crowd.copy(rounds=8)

    assert [status for _, status, _ in crowd.copied(following)] == ["SENT", "SENT"]
    assert crowd.held(following) == []
    assert Position.objects.ours().count() == 1


def test_a_worker_that_dies_after_a_signal_is_stored_sends_no_second_one(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    following = crowd.follow(123)
    crowd.trade()
    with monkeypatch.context() as patch:
        patch.setattr(copies, "conclude", _die)
        with pytest.raises(way.Killed):
            _copy_only(crowd)
    assert Signal.objects.count() == 1

    crowd.world.now += timedelta(seconds=6)
    crowd.copy()

    assert crowd.copied(following) == [("OPEN", "SENT", "")]
    assert Signal.objects.count() == CopySignal.objects.count() == len(crowd.held(following)) == 1


def test_without_the_unique_key_a_trade_read_twice_doubles(crowd: Crowd) -> None:
    """So that the tests above can fail."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE copies DROP CONSTRAINT one_copy_of_each_trade")
    try:
        crowd.follow(123)
        crowd.trade()
        _read_again(crowd)
        assert Copy.objects.count() == 2
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE copy_signals, copies")
            cursor.execute("ALTER TABLE copies ADD CONSTRAINT one_copy_of_each_trade UNIQUE (following_id, key)")
