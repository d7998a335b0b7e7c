"""What every test starts from."""

from collections.abc import Iterator

import hypothesis
import pytest

from tests.fakes import doorbell

# On a busy machine the first draw alone can take a second; what a test must not exceed, it measures itself.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True
)
hypothesis.settings.load_profile("house")


@pytest.fixture(autouse=True)
def _silent_doorbell() -> Iterator[None]:
    """No ring of another test is heard in this one."""
    doorbell.clear()
    yield
    doorbell.clear()
