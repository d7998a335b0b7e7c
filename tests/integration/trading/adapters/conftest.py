"""A price service for each test of an adapter."""

from collections.abc import Iterator

import pytest

from tests.fakes import price_service
from tests.fakes.price_service import PriceService


@pytest.fixture
def service() -> Iterator[PriceService]:
    with price_service.running() as running:
        yield running
