"""An account whose signals are decided on a desk that is LIVE, and what its decisions say."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from risk.models import Decision
from risk.services import decisions
from tests.factories import NOW
from tests.factories.trading import QuoteFactory, TraderFactory
from tests.fakes.accounts import Accounts
from tests.fakes.switch import UNTROUBLED, Switch
from trading.models import ModeState, Signal, Trader

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def trader(settings: Any) -> Trader:
    settings.EXEC_MODE, settings.COPY_IS_SET, settings.EMERGENCY_STOP = "LIVE", False, False
    ModeState.objects.update(configured="LIVE", **UNTROUBLED)
    QuoteFactory()
    return TraderFactory(tg_user_id=123)


def drain(trader: Trader, *, accounts: Accounts | None = None, at: datetime = NOW) -> None:
    decisions.drain(trader_id=trader.pk, switch=Switch(), accounts=accounts or Accounts(), clock=lambda: at)


def check_of(signal: Signal, code: str) -> tuple[str, str, bool] | None:
    """What a rule measured, held it against, and said."""
    checks = Decision.objects.get(signal=signal).checks
    return next(((each["value"], each["limit"], each["passed"]) for each in checks if each["code"] == code), None)


def codes(trader: Trader) -> list[str]:
    return list(Decision.objects.filter(trader=trader).order_by("signal_id").values_list("code", flat=True))
