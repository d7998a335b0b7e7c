"""What the tests of the fakes start from."""

import pytest

from tests.unit.fakes.bench import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
