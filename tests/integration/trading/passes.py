"""Passes over what is guarded, at prices that a test sets."""

from datetime import datetime, timedelta

import pytest

from execution.selectors import Exits
from tests.factories import NOW
from tests.factories.trading import QuoteFactory, SourceFactory
from trading.domain.units import Price
from trading.models import Quote
from trading.services import firings, protecting

# The stop of a long entered at 60,000, 5 % away.
STOP = 57_000


@pytest.fixture(autouse=True)
def protection_source(db: None) -> None:
    SourceFactory(name=firings.SOURCE, is_internal=True)


def price_is(price: int | str, *, seconds: float = 0) -> None:
    Quote.objects.all().delete()
    QuoteFactory(price=Price.of(price), published_at=later(seconds), max_age=timedelta(hours=1))


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def look(price: int | str | None = None, *, seconds: float = 0) -> int:
    """One pass, at a new price if one is given; how many closes it fired."""
    if price is not None:
        price_is(price, seconds=seconds)
    return protecting.watch(exits=Exits(), at=later(seconds))
