"""What people do about differences."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from execution import conf
from execution.models import AccountLook, Difference
from execution.services import reconciliation, reconciliation_acts
from execution.services.reconciliation_acts import NothingMissing
from execution.services.warrants import Warrant
from tests.factories import NOW
from tests.factories.execution import DelegationFactory
from tests.factories.trading import TraderFactory
from tests.integration.execution.test_reconciliation import look, trader
from tests.scenario import way
from tests.scenario.world import World
from trading.domain.units import Usdc
from trading.models import AuditRow, Fill, Position, Trader

__all__ = ["trader"]


@pytest.fixture(autouse=True)
def _desk_of_its_own() -> Iterator[None]:
    conf.desk.cache_clear()
    yield
    conf.desk.cache_clear()


def by(world: World) -> Warrant:
    return Warrant(actor="ada", reason="a drill", at=world.now)


def told(*arguments: str) -> str:
    said = StringIO()
    call_command("reconcile", *arguments, stdout=said)
    return said.getvalue()


def test_an_account_is_looked_at_on_demand(world: World, trader: Trader) -> None:
    way.index(world)
    reconciliation_acts.look_now(trader_id=trader.pk, desk=world.desk, clock=world.clock, by=by(world))

    row = AuditRow.objects.order_by("-pk")[0]
    assert (row.action, row.subject, row.reason) == ("account.look", f"trader:{trader.pk}", "a drill")
    assert AccountLook.objects.get().looked_at == world.now


def test_what_is_missing_is_accepted_by_a_person(world: World, trader: Trader) -> None:
    way.fill(world)
    look(world)
    way.fill(world, side="CLOSE")
    # As if the venue had said that it paid more than it did.
    told = F("price_pnl_usdc") + Usdc.of(3).decimal
    Fill.objects.filter(kind="CLOSE").update(price_pnl_usdc=told, realised_pnl_usdc=F("realised_pnl_usdc") + Usdc.of(3).decimal)
    assert look(world, 2) == [("BALANCE", "CONFIRMED")]

    reconciliation_acts.accept(trader_id=trader.pk, by=by(world))

    assert AuditRow.objects.order_by("-pk")[0].action == "account.accept"
    assert (look(world, 2), Difference.objects.get().resolution) == ([], "accepted")
    with pytest.raises(NothingMissing):
        reconciliation_acts.accept(trader_id=trader.pk, by=by(world))


def test_the_command_compares_every_account_and_fails_while_something_differs(world: World, trader: Trader) -> None:
    way.fill(world)
    way.index(world)

    assert told().startswith("trader 123 (123): at block ")
    Position.objects.update(collateral_usdc=Usdc.of(50))
    Fill.objects.update(collateral_usdc=Usdc.of(50))
    told("--account", "123")
    world.mine()
    way.index(world)
    with pytest.raises(CommandError, match="books and venue differ"):
        told()
    with pytest.raises(CommandError, match="there is no such account"):
        told("--account", "7")


@pytest.mark.django_db
def test_only_accounts_that_we_may_trade_for_are_due_and_each_when_its_time_comes() -> None:
    TraderFactory()
    new, seen = (DelegationFactory().trader for _ in range(2))
    AccountLook.objects.create(trader=seen, next_action_at=NOW)

    assert reconciliation.due(at=NOW) == [new.pk, seen.pk]
    AccountLook.objects.update(next_action_at=NOW + reconciliation.EVERY)
    assert reconciliation.due(at=NOW) == [new.pk]
