"""Everything open is closed on the chain, once each, and what was lost on the way is measured."""

import pytest
from django.test import Client

from risk.domain.flatten import FlattenStatus, Progress
from risk.domain.halt import HaltScope
from risk.models import Equity, Flatten, LossDay
from risk.services import flattening, losses
from tests.factories.people import RISK
from tests.factories.trading import SourceFactory
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.mode import Book
from trading.domain.position import FillKind, PositionStatus
from trading.models import Fill, Position


@pytest.fixture(autouse=True)
def _console(world: World) -> None:
    """The source of people's closes; other tests empty its table."""
    SourceFactory(name=flattening.SOURCE, is_internal=True)


def _flatten(world: World) -> Flatten:
    """A job brought to its end, its worker coming back again and again."""
    job = flattening.start(scope=HaltScope.GLOBAL, key="", book=Book.LIVE, person=RISK, reason="the end of a drill", at=world.now)
    for _ in range(6):
        flattening.work(job_id=job.pk, at=world.now)
        world.run(rounds=2)
    job.refresh_from_db()
    return job


def test_a_flatten_closes_every_position_on_the_chain_once(world: World, client: Client) -> None:
    for tg_user_id in (123, 124):
        world.admit(tg_user_id)
        world.send(client, tg_user_id=tg_user_id)
        world.send(client, tg_user_id=tg_user_id, symbol="ETH-USD", side="SHORT")
    world.run(rounds=6)
    assert Position.objects.open().count() == 4

    job = _flatten(world)

    assert (job.status, job.progress) == (
        FlattenStatus.DONE,
        Progress(closed=4, waiting=0, failed=0, opening=0),
    )
    assert set(Position.objects.values_list("status", flat=True)) == {PositionStatus.CLOSED}
    assert Fill.objects.canonical().filter(kind=FillKind.CLOSE).count() == 4
    assert way.nonces(world) == (8, 8)


def test_what_an_account_lost_is_what_its_fills_say(world: World, client: Client) -> None:
    trader = world.admit(123)
    world.send(client)
    world.run(rounds=6)
    _flatten(world)

    losses.watch(trader_id=trader.pk, at=world.now)

    opened, closed = Fill.objects.canonical().order_by("pk")
    lost = opened.fee_usdc - closed.realised_pnl_usdc
    assert LossDay.objects.get().loss_usdc == lost
    # The wallet began with 10,000: what is gone from it is what trading lost.
    assert Equity.objects.get().equity_usdc == LossDay.objects.get().baseline_equity_usdc - lost
    assert str(LossDay.objects.get().baseline_equity_usdc) == "10000"
