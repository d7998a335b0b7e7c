"""Delegates: who may act, until when, and what they may not do."""

from tests.integration.devnet.desk import ALICE, BOB, ETH, Desk, refused, tens, usdc


def allow(desk: Desk, *, seconds: int = 1000) -> int:
    expiry = desk.now() + seconds
    desk.on("TradingRouter", "setDelegate", BOB, expiry, sender=ALICE)
    return expiry


def act(desk: Desk, function: str, *arguments: object, value: int = 0) -> None:
    inner = bytes.fromhex(desk.contract("TradingRouter").calldata(function, *arguments)[2:])
    desk.on("TradingRouter", "delegatedAction", ALICE, inner, sender=BOB, value=value)


def test_a_delegate_opens_with_the_traders_money(desk: Desk) -> None:
    allow(desk)
    act(desk, "openTrade", desk.wish(), 0, tens("1"))
    assert desk.pending(ALICE) == [desk.last_order_id()]
    assert (desk.balance(ALICE), desk.balance(BOB)) == (usdc("9900"), usdc("10000"))


def test_a_delegate_closes_the_traders_position(desk: Desk) -> None:
    allow(desk)
    desk.open()
    act(desk, "closeTradeMarket", ETH, 0, usdc("99.55"), tens("3000"))
    assert desk.fill()["open"] is False


def test_a_delegation_can_be_read_with_its_expiry(desk: Desk) -> None:
    expiry = allow(desk)
    assert desk.read("TradingRouter", "multipleDelegations", ALICE, BOB) == [True, expiry]
    assert desk.read("TradingRouter", "multipleDelegations", BOB, ALICE) == [False, 0]


def test_adding_and_removing_a_delegate_are_announced(desk: Desk) -> None:
    expiry = desk.now() + 10
    added = desk.on("TradingRouter", "setDelegate", BOB, expiry, sender=ALICE)
    removed = desk.on("TradingRouter", "removeDelegate", BOB, sender=ALICE)
    router = desk.contract("TradingRouter")
    (first,) = router.events(added["logs"], "DelegateAdded")
    (second,) = router.events(removed["logs"], "DelegateRemoved")
    assert first == {"trader": ALICE, "delegate": BOB, "expiry": expiry}
    assert second == {"trader": ALICE, "delegate": BOB}


def test_a_stranger_may_not_act(desk: Desk) -> None:
    with refused("NotDelegated"):
        act(desk, "openTrade", desk.wish(), 0, tens("1"))


def test_a_removed_delegate_may_not_act(desk: Desk) -> None:
    allow(desk)
    desk.on("TradingRouter", "removeDelegate", BOB, sender=ALICE)
    with refused("NotDelegated"):
        act(desk, "openTrade", desk.wish(), 0, tens("1"))


def test_a_delegate_acts_until_the_second_before_its_expiry(desk: Desk) -> None:
    # Two blocks of two seconds follow: the first starts the delegation, the second is the action.
    allow(desk, seconds=5)
    act(desk, "openTrade", desk.wish(), 0, tens("1"))
    with refused("DelegateExpired"):
        act(desk, "openTrade", desk.wish(), 0, tens("1"))


def test_a_delegate_may_not_name_delegates(desk: Desk) -> None:
    allow(desk)
    with refused("ActionNotDelegable"):
        act(desk, "setDelegate", BOB, 2**40)


def test_a_delegates_refusal_keeps_its_reason(desk: Desk) -> None:
    allow(desk)
    with refused("WrongLeverage"):
        act(desk, "openTrade", desk.wish(leverage=tens("76")), 0, tens("1"))


def test_a_delegate_trades_for_nobody_else(desk: Desk) -> None:
    allow(desk)
    with refused("NotAuthorized"):
        act(desk, "openTrade", desk.wish(trader=BOB), 0, tens("1"))


def test_after_a_delegated_action_everybody_is_themselves_again(desk: Desk) -> None:
    allow(desk)
    act(desk, "openTrade", desk.wish(), 0, tens("1"), value=5)
    desk.submit(trader=BOB)
    assert len(desk.pending(BOB)) == 1


def test_no_signed_intent_was_ever_used(desk: Desk) -> None:
    assert desk.read("TradingRouter", "nonceBitmap", ALICE, 0) == 0
