"""Whoever decides an account's signals, and however many at once: no more of a position is promised than is held."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from risk.domain.decision import Verdict
from risk.models import Decision, Leg
from risk.services import decisions, portfolios
from tests.factories import NOW
from tests.factories.trading import CloseSignalFactory, PositionFactory, TraderFactory
from tests.fakes.accounts import Accounts
from tests.fakes.switch import Switch
from trading.domain.units import Usdc
from trading.models import Trader

HELD = 50


def closing(amounts: Sequence[int]) -> Trader:
    """A trader who holds 50 USDC and wants so much of them closed, one signal after the other."""
    trader = TraderFactory()
    PositionFactory(trader=trader, collateral_usdc=Usdc.of(HELD))
    for amount in amounts:
        CloseSignalFactory(trader=trader, reduce_usdc=Usdc.of(amount))
    return trader


def drain(trader: Trader) -> None:
    try:
        decisions.drain(trader_id=trader.pk, switch=Switch(), accounts=Accounts(), clock=lambda: NOW)
    finally:
        connection.close()


def promised(trader: Trader) -> list[int]:
    legs = Leg.objects.filter(trader=trader).order_by("decision__signal_id")
    return [leg.collateral_usdc.raw // Usdc.of(1).raw for leg in legs]


def allowed(amounts: Sequence[int]) -> list[int]:
    """What fits, in the order received; a close up to 2 % above what is left takes all of it."""
    taken: list[int] = []
    for amount in amounts:
        left = HELD - sum(taken)
        if left and amount * 100 <= left * 102:
            taken.append(min(amount, left))
    return taken


@settings(max_examples=20, database=None, suppress_health_check=list(HealthCheck))
@given(amounts=st.lists(st.integers(5, 50), min_size=2, max_size=6), workers=st.integers(2, 6))
def test_workers_at_once_promise_what_one_would(committed: None, amounts: list[int], workers: int) -> None:
    trader = closing(amounts)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(drain, [trader] * workers))

    assert promised(trader) == allowed(amounts)
    assert Decision.objects.filter(trader=trader).count() == len(amounts)
    assert Decision.objects.filter(trader=trader, verdict=Verdict.APPROVED).count() == len(allowed(amounts))


def test_without_counting_what_is_promised_more_would_be_closed_than_is_held(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portfolios, "_closing", lambda _: {})
    trader = closing([40])
    drain(trader)
    CloseSignalFactory(trader=trader, reduce_usdc=Usdc.of(40))
    drain(trader)

    assert promised(trader) == [40, 40]
