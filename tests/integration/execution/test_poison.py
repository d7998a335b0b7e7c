"""One bad row never stops its lane: it is tried a few times, set aside where people see it, and the others go on."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connections
from structlog.testing import capture_logs

from execution.domain.chain import Call, Log
from execution.domain.events import TradeExecuted, VenueEvent
from execution.domain.intent import IntentStatus
from execution.domain.order import OrderStatus
from execution.models import Sender, TxIntent, TxSend
from execution.ports import OpenRequest, SignedCall, UnsignedCall
from execution.services import building, offers, papering, senders, settlement, stumbles
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Mode
from trading.domain.units import Percent, Usdc
from trading.models import Event, Market, Position
from trading.services import mode
from vanta_site import sweep

# The collateral by which a test's bad row is known.
BAD = "77"
DEAD = 9


class Poisoned:
    """A venue for which one order can't be encoded."""

    def __init__(self, venue: Any, act: Callable[[], None]) -> None:
        self._venue, self._act = venue, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def open_call(self, request: OpenRequest, *, sender: str) -> Call:
        """The venue's own call, but for the bad one."""
        if request.collateral == Usdc.of(BAD):
            self._act()
        return self._venue.open_call(request, sender=sender)


class Choking:
    """A signer that raises for the call of one nonce; a cancellation of it is signed."""

    def __init__(self, signer: Any, nonce: int) -> None:
        self._signer, self._nonce = signer, nonce

    def __getattr__(self, name: str) -> Any:
        return getattr(self._signer, name)

    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signer's own bytes, but for the bad one."""
        if call.nonce == self._nonce and call.data != "0x":
            raise RuntimeError("a bug that nobody expected")
        return self._signer.sign(call)


class Garbling:
    """A venue that reads every log as it was spoiled."""

    def __init__(self, venue: Any, spoil: Callable[[Log], Log]) -> None:
        self._venue, self._spoil = venue, spoil

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def decode(self, log: Log) -> VenueEvent | None:
        """What our own reader makes of it."""
        return self._venue.decode(self._spoil(log))


def _die() -> None:
    os._exit(DEAD)


def _raise() -> None:
    raise RuntimeError("a bug that nobody expected")


def _owe_three(world: World) -> tuple[TxIntent, TxIntent, TxIntent]:
    """The bad one, between two good ones."""
    for tg_user_id in (123, 124, 125):
        world.admit(tg_user_id)
    first, bad, last = (
        way.owe(world, tg_user_id=tg_user_id, collateral_usdc=collateral)
        for tg_user_id, collateral in ((123, "50"), (124, BAD), (125, "50"))
    )
    return first, bad, last


def _work_in_a_worker(world: World) -> int:
    """Drain the sender in a process of its own, as a worker would; how it ended. A dead one's lease runs out."""
    # No connection of ours may be inherited.
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        senders.drain(sender_id=Sender.objects.get().pk, desk=world.desk, clock=world.clock)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    Sender.objects.update(leased_until=None)
    return os.waitstatus_to_exitcode(status)


def _raising_drains(world: World, error: type[Exception] = RuntimeError) -> int:
    """Drain until it no longer raises; how often it did."""
    raised = 0
    while True:
        try:
            way.drain(world)
        except error:
            raised += 1
        else:
            return raised
        way.wait(world, 1)


def _statuses(*intents: TxIntent) -> list[str]:
    return [way.fresh(intent).status for intent in intents]


def test_an_intent_that_kills_its_builders_is_set_aside_and_the_others_are_not_held_up(world: World) -> None:
    first, bad, last = _owe_three(world)
    world.desk = replace(world.desk, venue=Poisoned(world.desk.venue, _die))

    ends, others = [], []
    while way.fresh(bad).status != IntentStatus.FAILED:
        ends.append(_work_in_a_worker(world))
        others.append(_statuses(first, last))

    # All three were tried together first; from then on the bad one is alone when it kills.
    assert others[:3] == [[IntentStatus.BUILDING] * 2, [IntentStatus.SENT, IntentStatus.BUILDING], [IntentStatus.SENT] * 2]
    assert ends == [DEAD] * building.MAX_ATTEMPTS + [0]
    assert (way.fresh(bad).failure_code, way.fresh(bad).order.status) == ("BUILD_ATTEMPTS_EXHAUSTED", OrderStatus.DENIED)
    assert Event.objects.filter(kind="intent.failed", subject=f"txintent:{bad.pk}").count() == 1
    assert (way.fresh(bad).nonce, way.sender().next_nonce) == (None, 2)


def test_what_comes_later_overtakes_an_intent_that_kills_its_builders(world: World) -> None:
    _, bad, _ = _owe_three(world)
    world.desk = replace(world.desk, venue=Poisoned(world.desk.venue, _die))
    for _ in range(3):
        _work_in_a_worker(world)

    later = way.owe(world, tg_user_id=124)
    end = _work_in_a_worker(world)

    assert (end, _statuses(later, bad)) == (DEAD, [IntentStatus.SENT, IntentStatus.BUILDING])


def test_if_what_was_tried_went_first_what_comes_later_would_wait_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, bad, _ = _owe_three(world)
    untried = building._untried
    monkeypatch.setattr(building, "_untried", lambda lease, at: building._suspect(lease, at) or untried(lease, at))
    world.desk = replace(world.desk, venue=Poisoned(world.desk.venue, _die))
    for _ in range(3):
        _work_in_a_worker(world)

    later = way.owe(world, tg_user_id=124)
    end = _work_in_a_worker(world)

    assert (end, _statuses(later, bad)) == (DEAD, [IntentStatus.CREATED, IntentStatus.BUILDING])


def test_an_intent_whose_building_raises_is_set_aside_and_said_out_loud(world: World) -> None:
    first, bad, last = _owe_three(world)
    world.desk = replace(world.desk, venue=Poisoned(world.desk.venue, _raise))

    with capture_logs() as said:
        raised = _raising_drains(world)

    assert raised == building.MAX_ATTEMPTS
    assert _statuses(first, bad, last) == [IntentStatus.SENT, IntentStatus.FAILED, IntentStatus.SENT]
    errors = [(line["event"], line["intent"]) for line in said if line["log_level"] == "error"]
    assert errors == [("intent.set_aside", bad.pk)]


def test_a_nonce_that_cannot_be_signed_is_canceled_and_the_others_arrive(world: World) -> None:
    first, bad, last = _owe_three(world)
    sane = world.desk.signer
    world.desk = replace(world.desk, signer=Choking(sane, nonce=1))

    with capture_logs() as said:
        raised = _raising_drains(world)
    world.run(rounds=5)

    assert raised == offers.MAX_ATTEMPTS
    assert _statuses(first, bad, last) == [IntentStatus.FINAL, IntentStatus.CANCELED, IntentStatus.FINAL]
    assert way.fresh(bad).failure_code == "SIGNING_ATTEMPTS_EXHAUSTED"
    assert [way.fresh(each).order.status for each in (first, last)] == [OrderStatus.FILLED] * 2
    assert (way.nonces(world), TxSend.objects.count()) == ((3, 3), 3)
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["intent.set_aside"]


def test_a_paper_order_that_raises_holds_up_neither_paper_nor_live(world: World) -> None:
    for tg_user_id in (123, 124):
        world.admit(tg_user_id)
    mode.switch_to(mode=Mode.DRY, switch=world.switch, actor="test", reason="", at=world.now)
    bad, good = (way.owe(world, tg_user_id=123, symbol=symbol) for symbol in ("SOL-USD", "BTC-USD"))
    mode.switch_to(mode=Mode.LIVE, switch=world.switch, actor="test", reason="", at=world.now)
    live = way.owe(world, tg_user_id=124)
    # Its fee is more than what is put up: no position can hold what is left.
    Market.objects.filter(symbol="SOL-USD").update(open_fee_pct=Percent.of(50))

    raised = _raising_drains(world, IntegrityError)

    assert raised == papering.MAX_ATTEMPTS
    assert _statuses(bad, good, live) == [IntentStatus.FAILED, IntentStatus.SIMULATED, IntentStatus.SENT]
    assert way.fresh(bad).failure_code == "PAPER_ATTEMPTS_EXHAUSTED"


@pytest.mark.parametrize("spoil", [lambda log: replace(log, data=log.data[:100]), lambda log: replace(log, data="0x")])
def test_a_log_that_cannot_be_read_is_noted_and_the_stream_goes_on(world: World, spoil: Callable[[Log], Log]) -> None:
    world.admit(123)
    world.admit(124)
    way.accept(world, tg_user_id=123)
    way.keep(world)
    sane = world.desk.venue
    world.desk = replace(world.desk, venue=Garbling(sane, spoil))
    with capture_logs() as said:
        way.index(world)
    world.desk = replace(world.desk, venue=sane)

    way.fill(world, tg_user_id=124)

    assert Position.objects.filter(trader__tg_user_id=124).count() == 1
    assert Event.objects.filter(kind="venue.event_unknown").count() > 0
    assert {line["event"] for line in said if line["log_level"] == "error"} == {"venue.event_unknown"}


class Sour:
    """A venue whose executions for one trader can't be settled."""

    def __init__(self, venue: Any, trader: str) -> None:
        self._venue, self._trader = venue, trader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def decode(self, log: Log) -> VenueEvent | None:
        """The venue's own event; the amounts of the one trader's are no amounts."""
        event = self._venue.decode(log)
        is_sour = isinstance(event, TradeExecuted) and event.trader == self._trader
        return replace(event, collateral=None) if is_sour else event


def _read_until_it_passes(world: World) -> int:
    """How often reading raised before it didn't."""
    for raised in range(50):
        try:
            way.index(world)
        except TypeError:
            continue
        return raised
    raise AssertionError("the stream never went on")


def _one_sour_fill(world: World) -> None:
    sour, _ = world.admit(123), world.admit(124)
    for account in (123, 124):
        way.accept(world, tg_user_id=account)
    way.keep(world)
    world.desk = replace(world.desk, venue=Sour(world.desk.venue, sour.address))


def test_an_event_that_cannot_be_settled_is_left_out_and_the_stream_goes_on(world: World) -> None:
    _one_sour_fill(world)

    with capture_logs() as said:
        raised = _read_until_it_passes(world)

    assert raised == stumbles.SLOW + stumbles.MAX_TRIES
    assert [position.trader.tg_user_id for position in Position.objects.all()] == [124]
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["venue.event_unsettled"]
    assert Event.objects.get(kind="venue.event_unsettled").facts["what"] == "TradeExecuted"
    way.fill(world, tg_user_id=124)
    assert Position.objects.filter(trader__tg_user_id=124).count() == 2


def test_a_database_that_does_not_answer_is_no_events_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.admit(123)
    way.accept(world, tg_user_id=123)
    way.keep(world)
    settle = settlement.settle

    def silent(_: object) -> None:
        raise OperationalError("no answer")

    monkeypatch.setattr(settlement, "settle", silent)
    for _ in range(2 * stumbles.MAX_TRIES):
        with pytest.raises(OperationalError):
            way.index(world)
    monkeypatch.setattr(settlement, "settle", settle)
    way.index(world)

    assert Position.objects.count() == 1
    assert not Event.objects.filter(kind="venue.event_unsettled").exists()


def test_if_failures_were_not_counted_the_stream_would_stop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    monkeypatch.setattr(stumbles, "SLOW", 10**6)
    _one_sour_fill(world)

    with pytest.raises(AssertionError, match="never went on"):
        _read_until_it_passes(world)


def test_a_fill_on_a_market_that_we_do_not_know_is_noted_and_the_stream_goes_on(world: World) -> None:
    world.admit(123)
    world.admit(124)
    way.accept(world, tg_user_id=123, symbol="SOL-USD")
    way.accept(world, tg_user_id=124)
    Market.objects.filter(symbol="SOL-USD").update(pair_index=99)
    way.keep(world)

    with capture_logs() as said:
        way.index(world)

    assert [position.trader.tg_user_id for position in Position.objects.all()] == [124]
    assert Event.objects.filter(kind="venue.position_unknown").count() == 1
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["venue.position_unknown"]


def test_a_lane_that_throws_keeps_the_sweeper_from_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _, last = _owe_three(world)
    thrown: list[int] = []

    def throw(key: int) -> None:
        thrown.append(key)
        raise RuntimeError("a bug that nobody expected")

    # The last stage is worked first.
    draining = next(stage for stage in sweep.STAGES if stage.task == "execution.drain")
    stages = (replace(draining, work=lambda key: way.drain(world)), replace(draining, work=throw))
    monkeypatch.setattr(sweep, "STAGES", stages)

    with capture_logs() as said:
        worked = sweep.work_overdue(at=world.now + sweep.OVERDUE)

    assert (worked, thrown) == (2, [way.sender().pk])
    assert _statuses(first, last) == [IntentStatus.SENT] * 2
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["sweep.lane_failed"]


def test_if_the_sweeper_let_a_lane_throw_the_others_would_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _, last = _owe_three(world)

    def throw(_: int) -> None:
        raise RuntimeError("a bug that nobody expected")

    draining = next(stage for stage in sweep.STAGES if stage.task == "execution.drain")
    stages = (replace(draining, work=lambda key: way.drain(world)), replace(draining, work=throw))
    monkeypatch.setattr(sweep, "STAGES", stages)
    monkeypatch.setattr(sweep, "_work", lambda stage, key: stage.work(key))

    with pytest.raises(RuntimeError):
        sweep.work_overdue(at=world.now + sweep.OVERDUE)

    assert _statuses(first, last) == [IntentStatus.CREATED] * 2
