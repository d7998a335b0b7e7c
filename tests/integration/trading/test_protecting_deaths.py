"""A firing becomes one close, wherever its worker dies and however many pass at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from execution.selectors import Exits
from tests.factories import NOW
from tests.factories.trading import ProtectionFactory
from tests.integration.trading.passes import STOP, later, look, price_is, protection_source
from trading import failpoints
from trading.models import Firing, Signal
from trading.services import firings, protecting

__all__ = ["protection_source"]

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The worker is gone: nobody catches it."""


POINTS = (
    "trading.protecting.keep before commit",
    "trading.protecting.keep committed",
    "trading.protecting.fire before commit",
    "trading.protecting.fire committed",
    "trading.signals.accept before commit",
    "trading.signals.accept committed",
    "trading.firings.link before commit",
    "trading.firings.link committed",
)


def pass_and_send(*, seconds: float) -> None:
    """What beat and the sweep do in a second."""
    look(seconds=seconds)
    for pk in list(protecting.unsent(before=later(seconds))):
        firings.send(firing_id=pk, at=later(seconds))


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_trigger_and_close_there_is_one_close(point: str) -> None:
    ProtectionFactory()
    price_is(STOP)

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    with failpoints.listening(die), pytest.raises(Killed):
        look()
    for second in (1, 2, 3):
        pass_and_send(seconds=second)

    assert Signal.objects.filter(source_name__startswith="protection:").count() == 1
    assert Firing.objects.exclude(signal=None).count() == 1


def test_without_the_row_before_the_close_a_death_would_send_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    ProtectionFactory()
    price_is(STOP)
    numbers = iter(range(100))
    monkeypatch.setattr(Firing, "__str__", lambda _: f"by the clock {next(numbers)}")

    def die(reached: str) -> None:
        if reached == "trading.firings.link before commit":
            raise Killed

    with failpoints.listening(die), pytest.raises(Killed):
        look()
    pass_and_send(seconds=1)

    assert Signal.objects.filter(source_name__startswith="protection:").count() == 2


def test_passes_at_once_fire_once() -> None:
    for _ in range(5):
        ProtectionFactory()
    price_is(STOP)

    def one(_: int) -> int:
        try:
            return protecting.watch(exits=Exits(), at=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=4) as crew:
        fired = sum(crew.map(one, range(8)))

    assert fired == 5
    assert Firing.objects.count() == Signal.objects.filter(source_name__startswith="protection:").count() == 5
