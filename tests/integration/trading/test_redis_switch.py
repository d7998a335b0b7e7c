"""The switch in a real Redis: as operators set it, and as it fails."""

import json
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from devnet.ports import pick_free
from trading.adapters.redis_switch import KEY, REST_SECONDS, STREAK_SPACING_SECONDS, RedisSwitch
from trading.domain.mode import Mode, SwitchReading


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as connected:
        connected.delete(KEY)
        yield connected
        connected.delete(KEY)


def write(switch: RedisSwitch) -> None:
    """LIVE, whatever it said."""
    assert switch.replace(switch.read(), mode=Mode.LIVE, stop=False)


def test_an_operators_value_is_read(client: redis.Redis) -> None:
    client.set(KEY, '{"mode": "LIVE", "emergency_stop": true, "updated_at": 1767323045}')
    assert RedisSwitch().read() == SwitchReading(is_healthy=True, mode=Mode.LIVE, stop=True, is_own=False, streak=1)


def test_our_own_value_is_json_with_its_author(client: redis.Redis) -> None:
    write(RedisSwitch())
    value = json.loads(client.get(KEY) or b"")
    assert abs(value.pop("updated_at") - time.time()) < 5
    assert value == {"mode": "LIVE", "emergency_stop": False, "author": "vanta"}


@pytest.mark.parametrize(
    "value",
    ["", "LIVE", "null", "[]", "{}", '"LIVE"', '{"mode": "live"}', '{"mode": "TURBO"}', '{"mode": null}', '{"mode": ["LIVE"]}',
     '{"mode": "LIVE"', '{"mode": "LIVE", "emergency_stop": "true"}', '{"mode": "LIVE", "emergency_stop": 1}',
     '{"mode": "LIVE", "emergency_stop": 0}', '{"mode": "LIVE", "emergency_stop": {}}', b"\xff\xfe", "[" * 100_000,
     '{"mode": "LIVE", "emergency_stop": false, "note": "' + "x" * 4_096 + '"}', b"\x00" * 5_000_000],
)  # fmt: skip
def test_a_value_that_makes_no_sense_is_dry(client: redis.Redis, value: str | bytes) -> None:
    client.set(KEY, value)
    assert RedisSwitch().read() == SwitchReading(is_healthy=False, mode=Mode.DRY, problem="malformed")


def test_a_key_of_another_kind_is_dry(client: redis.Redis) -> None:
    client.lpush(KEY, "LIVE")
    assert RedisSwitch().read() == SwitchReading(is_healthy=False, mode=Mode.DRY, problem="ResponseError")


def seconds_until(switch: RedisSwitch, *, streak: int) -> float:
    started = time.monotonic()
    while switch.read().streak < streak:
        assert time.monotonic() - started < 5
    return time.monotonic() - started


def test_reads_in_one_moment_count_once(client: redis.Redis) -> None:
    switch = RedisSwitch()
    write(switch)
    assert [switch.read().streak for _ in range(5)] == [1] * 5
    assert STREAK_SPACING_SECONDS == 1.0
    assert 0.9 < seconds_until(switch, streak=2) < 1.5


@pytest.mark.parametrize("value", [None, "nonsense"])
def test_trouble_ends_the_streak(client: redis.Redis, value: str | None) -> None:
    switch = RedisSwitch()
    write(switch)
    seconds_until(switch, streak=2)
    client.set(KEY, value) if value else client.delete(KEY)
    assert switch.read().streak == 0
    write(switch)
    assert switch.read().streak == 1


def test_garbage_is_replaced_like_any_other_value(client: redis.Redis) -> None:
    for put in (lambda: client.set(KEY, b"\xff" * 100_000), lambda: client.rpush(KEY, "LIVE")):
        client.delete(KEY)
        put()
        write(RedisSwitch())
        assert json.loads(client.get(KEY) or b"")["mode"] == "LIVE"


def test_a_redis_that_does_not_answer_costs_its_timeout_once_a_second(client: redis.Redis) -> None:
    switch = RedisSwitch()
    write(switch)
    client.client_pause(700)
    waits = []
    for _ in range(20):
        started = time.monotonic()
        assert switch.read().problem == "TimeoutError"
        waits.append(time.monotonic() - started)

    assert max(waits) < 0.4
    assert sum(wait > 0.1 for wait in waits) == 1
    time.sleep(REST_SECONDS)
    assert switch.read() == SwitchReading(is_healthy=True, mode=Mode.LIVE, stop=False, is_own=True, streak=1)


def test_a_closed_port_is_dry_within_the_timeout() -> None:
    (closed,) = pick_free(1)
    switch = RedisSwitch(f"redis://127.0.0.1:{closed}/0")
    started = time.monotonic()
    reading = switch.read()
    assert time.monotonic() - started < 0.5
    assert reading == SwitchReading(is_healthy=False, mode=Mode.DRY, problem="ConnectionError")


def test_each_process_has_a_streak_of_its_own(client: redis.Redis) -> None:
    first, second = RedisSwitch(), RedisSwitch()
    write(first)
    assert (first.read().streak, second.read().streak) == (1, 1)
