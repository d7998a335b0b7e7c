"""What `trading.ports.ModeSwitch` promises, held against the switch in Redis and its fake."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import transaction

from devnet.ports import pick_free
from tests.factories import NOW
from tests.fakes.switch import Switch
from trading.adapters.redis_switch import KEY, RedisSwitch
from trading.domain.errors import Unavailable
from trading.domain.mode import Mode, SwitchReading
from trading.kinds import WrongKind
from trading.ports import ModeSwitch

UNSEEN = SwitchReading(is_healthy=False, mode=Mode.DRY)


@dataclass
class Stand:
    """A switch and the hands that reach it from outside."""

    switch: ModeSwitch
    set_from_outside: Callable[..., None]
    empty: Callable[[], None]
    cut_off: Callable[[], None]

    def write(self, *, mode: Mode, stop: bool) -> None:
        """Set it, whatever it says."""
        assert self.switch.replace(self.switch.read(), mode=mode, stop=stop)


def fake() -> Iterator[Stand]:
    switch = Switch(streak=0)
    switch.empty()

    def cut_off() -> None:
        switch.is_down = True

    yield Stand(switch=switch, set_from_outside=switch.set_from_outside, empty=switch.empty, cut_off=cut_off)


def real() -> Iterator[Stand]:
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.delete(KEY)
    switch = RedisSwitch()

    def set_from_outside(*, mode: Mode, stop: bool | None = None) -> None:
        said = {"mode": mode} | ({} if stop is None else {"emergency_stop": stop})
        client.set(KEY, json.dumps(said))

    def cut_off() -> None:
        (closed,) = pick_free(1)
        switch._redis = RedisSwitch(f"redis://127.0.0.1:{closed}/0")._redis

    yield Stand(switch=switch, set_from_outside=set_from_outside, empty=lambda: client.delete(KEY), cut_off=cut_off)
    client.delete(KEY)
    client.close()


@pytest.fixture(params=[fake, real], ids=["fake", "redis"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    yield from request.param()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stop", [True, False])
def test_what_is_written_is_read_as_our_own(stand: Stand, mode: Mode, stop: bool) -> None:
    stand.write(mode=mode, stop=stop)
    assert stand.switch.read() == SwitchReading(is_healthy=True, mode=mode, stop=stop, is_own=True, streak=1)


@pytest.mark.parametrize("stop", [True, False, None])
def test_what_was_set_from_outside_is_told_apart(stand: Stand, stop: bool | None) -> None:
    stand.write(mode=Mode.DRY, stop=False)
    stand.set_from_outside(mode=Mode.LIVE, stop=stop)
    assert stand.switch.read() == SwitchReading(is_healthy=True, mode=Mode.LIVE, stop=stop, is_own=False, streak=1)


def test_an_empty_switch_is_unhealthy_and_dry(stand: Stand) -> None:
    stand.empty()
    assert stand.switch.read() == SwitchReading(is_healthy=False, mode=Mode.DRY, stop=None, streak=0, problem="no such key")


def test_a_switch_out_of_reach_is_unhealthy_and_dry_and_never_raises(stand: Stand) -> None:
    stand.write(mode=Mode.LIVE, stop=False)
    stand.cut_off()
    reading = stand.switch.read()
    assert (reading.is_healthy, reading.mode, reading.stop, reading.streak) == (False, Mode.DRY, None, 0)
    assert reading.problem


def test_a_switch_out_of_reach_can_not_be_set(stand: Stand) -> None:
    seen = stand.switch.read()
    stand.cut_off()
    with pytest.raises(Unavailable):
        stand.switch.replace(seen, mode=Mode.LIVE, stop=False)


@pytest.mark.parametrize("is_emptied", [True, False])
def test_only_the_value_that_was_seen_is_replaced(stand: Stand, is_emptied: bool) -> None:
    stand.write(mode=Mode.LIVE, stop=False)
    seen = stand.switch.read()
    stand.empty() if is_emptied else stand.set_from_outside(mode=Mode.DRY, stop=True)
    changed = stand.switch.read()

    assert stand.switch.replace(seen, mode=Mode.LIVE, stop=False) is False
    assert stand.switch.read().version == changed.version
    assert stand.switch.replace(changed, mode=Mode.LIVE, stop=True) is True
    assert stand.switch.read().stop is True


def test_an_emptied_switch_is_filled_only_while_it_is_empty(stand: Stand) -> None:
    stand.empty()
    seen = stand.switch.read()
    stand.set_from_outside(mode=Mode.LIVE, stop=True)

    assert seen.is_empty
    assert stand.switch.replace(seen, mode=Mode.DRY, stop=False) is False
    assert (stand.switch.read().mode, stand.switch.read().stop) == (Mode.LIVE, True)


def test_a_doubt_that_is_news_ends_the_streak_and_an_old_one_does_not(stand: Stand) -> None:
    stand.write(mode=Mode.LIVE, stop=False)
    first = stand.switch.read().streak
    news, later = NOW, NOW + timedelta(seconds=1)

    assert first == stand.switch.read(doubted_until=news).streak == stand.switch.read(doubted_until=later).streak == 1


def test_a_failure_ends_the_streak_and_the_next_healthy_read_starts_one(stand: Stand) -> None:
    stand.write(mode=Mode.LIVE, stop=False)
    assert stand.switch.read().streak == 1
    stand.empty()
    assert stand.switch.read().streak == 0
    stand.write(mode=Mode.LIVE, stop=False)
    assert stand.switch.read().streak == 1


@pytest.mark.django_db(transaction=True)
def test_the_switch_is_never_asked_with_a_transaction_open(stand: Stand) -> None:
    with transaction.atomic():
        with pytest.raises(WrongKind):
            stand.switch.read()
        with pytest.raises(WrongKind):
            stand.switch.replace(UNSEEN, mode=Mode.DRY, stop=True)
