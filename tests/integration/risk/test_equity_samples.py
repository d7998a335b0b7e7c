"""The curve of an account: a point each quarter of an hour while something is open, and one when it is flat."""

import pytest

from risk.models import EquitySample
from tests.integration.risk.holdings import close, holding, later, price_is, watch
from trading.domain.units import Usdc
from trading.models import Trader

pytestmark = pytest.mark.django_db


def measured(account: Trader, price: int, *, minute: float) -> None:
    price_is(price, at=later(minute))
    watch(account, at=later(minute))


def points() -> list[tuple[object, Usdc]]:
    return list(EquitySample.objects.order_by("at").values_list("at", "earned_usdc"))


def test_a_point_is_kept_each_quarter_of_an_hour() -> None:
    account = holding()
    for minute, price in ((0, 60_000), (5, 60_300), (14.9, 59_700), (15, 60_600), (29.9, 59_400), (30, 60_000)):
        measured(account, price, minute=minute)

    assert points() == [(later(0), Usdc.of(0)), (later(15), Usdc.of(400)), (later(30), Usdc.of(0))]


def test_what_is_left_when_nothing_is_open_is_a_point_too() -> None:
    account = holding()
    measured(account, 60_000, minute=0)
    close(account, profit="0", at=later(1))
    measured(account, 60_000, minute=1)

    assert [at for at, _ in points()] == [later(0), later(1)]


def test_two_measurements_of_one_instant_are_one_point() -> None:
    account = holding()
    measured(account, 60_000, minute=0)
    close(account, profit="0", at=later(0))
    measured(account, 60_000, minute=0)

    assert len(points()) == 1
