"""What a person wants a position guarded by: checked like an entry's stop, and told."""

from datetime import timedelta
from typing import Any

import pytest

from risk.domain.authority import ReasonMissing
from risk.services import protections
from risk.services.protections import (
    NotProtected,
    PositionNotOpen,
    RiskAboveMax,
    StopBeyondLiquidation,
    StopOnWrongSide,
    Word,
)
from tests.factories import NOW
from tests.factories.people import RISK, VIEWER, trader
from tests.factories.risk import EquityFactory, PolicyFactory
from tests.factories.trading import PositionFactory, ProtectionFactory, QuoteFactory
from trading.domain.errors import VantaError
from trading.domain.people import NotAllowed, Person
from trading.domain.position import Direction, PositionStatus
from trading.domain.protection import AtMove, AtPrice, Protection
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import AuditRow, Event, Position
from trading.models import Protection as ProtectionRow
from trading.services import audit_checks

pytestmark = pytest.mark.django_db


def by(person: Person = RISK, *, reason: str = "a drill") -> Word:
    return Word(person=person, reason=reason, at=NOW)


def stop_at(price: int | str) -> Protection:
    return Protection(stop=AtPrice(price=Price.of(price)))


def price_is(price: int | str) -> None:
    QuoteFactory(price=Price.of(price), max_age=timedelta(hours=1))


def standing() -> ProtectionRow:
    return ProtectionRow.objects.standing().get()


def test_a_position_is_guarded_by_what_a_person_wants_in_place_of_what_guarded_it() -> None:
    position = PositionFactory()
    before = ProtectionFactory(position=position)
    price_is(60_000)

    row = protections.protect(position_id=position.pk, wanted=stop_at(59_000), by=by())

    assert (row.pk, row.stop_price, row.placed_by) == (standing().pk, Price.of(59_000), "rita")
    before.refresh_from_db()
    assert (before.replaced_at, before.replaced_by) == (NOW, "rita")
    audited = AuditRow.objects.get(action="protection.set")
    assert (audited.subject, audited.reason) == (f"position:{position.pk}", "a drill")
    assert (audited.before["stop"], audited.after["stop"]) == ("57000", "59000")
    assert audit_checks.verify().is_whole
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["protection.ended", "protection.placed"]


def test_a_guard_is_taken_away() -> None:
    row = ProtectionFactory()

    protections.unprotect(position_id=row.position_id, by=by())

    assert not ProtectionRow.objects.standing().exists()
    assert AuditRow.objects.get().action == "protection.removed"
    with pytest.raises(NotProtected):
        protections.unprotect(position_id=row.position_id, by=by())


@pytest.mark.parametrize(("direction", "price", "stop"), [(Direction.LONG, 61_000, "60066"), (Direction.SHORT, 59_000, "59934")])
def test_a_stop_goes_to_where_closing_costs_nothing(direction: Direction, price: int, stop: str) -> None:
    row = ProtectionFactory(position__direction=direction)
    price_is(price)

    moved = protections.to_breakeven(position_id=row.position_id, by=by())

    assert (moved.pk, moved.stop_price, moved.stop_reason) == (row.pk, Price.of(stop), "BREAKEVEN")
    assert AuditRow.objects.get().action == "protection.breakeven"


def test_a_position_without_a_guard_gets_one_at_breakeven() -> None:
    position = PositionFactory()
    price_is(61_000)

    row = protections.to_breakeven(position_id=position.pk, by=by())

    assert (row.stop_price, standing().pk) == (Price.of(60_066), row.pk)


def test_a_stop_that_stands_closer_stays() -> None:
    row = ProtectionFactory(wanted=stop_at(60_500))
    price_is(61_000)

    assert protections.to_breakeven(position_id=row.position_id, by=by()).stop_price == Price.of(60_500)


@pytest.mark.parametrize("price", [60_066, 60_000])
def test_breakeven_waits_for_the_price(price: int) -> None:
    row = ProtectionFactory()
    price_is(price)

    with pytest.raises(StopOnWrongSide):
        protections.to_breakeven(position_id=row.position_id, by=by())
    assert standing().stop_price == Price.of(57_000)


# At 10x a long entered at 60,000 is liquidated at 54,900; with 5 % of the way kept, its stop lies at 55,155 at most.
REFUSED: list[tuple[Protection, type[VantaError]]] = [
    (stop_at(60_000), StopOnWrongSide),
    (stop_at(60_001), StopOnWrongSide),
    (stop_at("55154.9999999999"), StopBeyondLiquidation),
    # 8 % of 500 dollars at the stop, and the way in and out: more than 40.
    (Protection(stop=AtMove(share=Percent.of(8))), RiskAboveMax),
    (Protection(), RiskAboveMax),
]


def held() -> ProtectionRow:
    """50 dollars at 10x, a stop 5 % away, of an account of 400 dollars of which a tenth may be risked."""
    PolicyFactory(liquidation_buffer_pct=Percent.of(5), max_account_risk_pct=Percent.of(10))
    row = ProtectionFactory(position__leverage_x=Leverage.of(10))
    EquityFactory(trader=row.position.trader, book=row.position.book, equity_usdc=Usdc.of(400))
    price_is(60_000)
    return row


@pytest.mark.parametrize(("wanted", "error"), REFUSED)
def test_a_stop_that_an_entry_could_not_have_is_refused(wanted: Protection, error: type[VantaError]) -> None:
    row = held()

    with pytest.raises(error):
        protections.protect(position_id=row.position_id, wanted=wanted, by=by())

    assert (standing().pk, AuditRow.objects.count()) == (row.pk, 0)


def test_taking_a_stop_away_is_moving_it_as_far_as_it_goes() -> None:
    row = held()

    with pytest.raises(RiskAboveMax):
        protections.unprotect(position_id=row.position_id, by=by())


@pytest.mark.parametrize("stop", [58_000, 57_000])
def test_a_stop_that_is_no_further_away_is_never_refused_for_the_risk(stop: int) -> None:
    row = held()
    row.position.trader.equities.update(equity_usdc=Usdc.of(1))

    assert protections.protect(position_id=row.position_id, wanted=stop_at(stop), by=by()).stop_price == Price.of(stop)


@pytest.mark.parametrize("wanted", [stop_at(55_155), stop_at("55200")])
def test_within_the_limits_a_stop_may_be_further_away(wanted: Protection) -> None:
    row = held()
    row.position.trader.equities.update(equity_usdc=Usdc.of(4_000))

    assert protections.protect(position_id=row.position_id, wanted=wanted, by=by()).pk == standing().pk


@pytest.mark.parametrize(("person", "reason", "error"), [(VIEWER, "why", NotAllowed), (RISK, " ", ReasonMissing)])
def test_who_may_not_or_says_no_reason_changes_nothing(person: Person, reason: str, error: type[VantaError]) -> None:
    row = ProtectionFactory()

    calls: list[Any] = [protections.unprotect, protections.to_breakeven]
    for act in calls:
        with pytest.raises(error):
            act(position_id=row.position_id, by=by(person, reason=reason))
    with pytest.raises(error):
        protections.protect(position_id=row.position_id, wanted=Protection(), by=by(person, reason=reason))

    assert standing().pk == row.pk


def test_a_trader_guards_what_is_his_own() -> None:
    row = ProtectionFactory()
    price_is(61_000)

    own = trader(row.position.trader.tg_user_id)

    assert protections.to_breakeven(position_id=row.position_id, by=by(own)).stop_reason == "BREAKEVEN"
    with pytest.raises(NotAllowed):
        protections.to_breakeven(position_id=row.position_id, by=by(trader(1)))


def test_what_is_closed_needs_no_guard() -> None:
    position = PositionFactory()
    Position.objects.update(status=PositionStatus.CLOSED, closed_at=NOW, collateral_usdc=Usdc.zero())

    with pytest.raises(PositionNotOpen):
        protections.protect(position_id=position.pk, wanted=Protection(), by=by())
