import os
import signal
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from devnet import processes
from devnet.ports import pick_free
from devnet.redis import Redis


def make(folder: Path, *, is_durable: bool) -> Redis:
    return Redis(folder=folder, port=pick_free(1)[0], password="word", is_durable=is_durable)


def test_it_asks_for_the_password_and_never_evicts(tmp_path: Path) -> None:
    server = make(tmp_path / "redis", is_durable=False)
    server.start(log_path=tmp_path / "redis.log")
    try:
        with redis.Redis.from_url(server.url) as client, redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            with pytest.raises(redis.AuthenticationError):
                stranger.ping()
    finally:
        server.stop()


def test_its_password_stands_in_a_private_file_and_not_among_its_arguments(tmp_path: Path) -> None:
    server = make(tmp_path / "redis", is_durable=False)
    server.start(log_path=tmp_path / "redis.log")
    try:
        assert server.pid is not None
        assert "word" not in processes.command_line(server.pid)
        assert (tmp_path / "redis" / "redis.conf").stat().st_mode & 0o777 == 0o600
    finally:
        server.stop()


@pytest.mark.parametrize(("is_durable", "kept"), [(True, b"1"), (False, None)])
def test_only_a_durable_server_remembers_when_killed(tmp_path: Path, is_durable: bool, kept: bytes | None) -> None:
    server = make(tmp_path / "redis", is_durable=is_durable)
    server.start(log_path=tmp_path / "redis.log")
    with redis.Redis.from_url(server.url) as client:
        client.set("key", 1)
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.start(log_path=tmp_path / "redis.log")
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.get("key") == kept
    finally:
        server.stop()
