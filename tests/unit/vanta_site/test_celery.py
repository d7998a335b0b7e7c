"""Celery is only a bell: each setting that keeps it one, and why."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery.app.task import Task
from kombu import Connection
from kombu.transport.redis import Channel

from tests.architecture.tree import PRODUCT, ROOT, modules
from vanta_site import pipeline
from vanta_site.celery import app

BROKER = app.conf.broker_transport_options
# A worker waits this long for a message before it looks elsewhere.
BLOCKING_READ_SECONDS = 1
SUPERVISOR_PATIENCE_SECONDS = 30

# The setting, its value, and what would happen otherwise.
PINNED = (
    ("task_acks_late", True, "a worker that dies takes its message along"),
    ("task_reject_on_worker_lost", True, "a child that dies takes its message along, late acknowledgement or not"),
    ("worker_prefetch_multiplier", 1, "a sleeping worker keeps messages that others could work"),
    ("task_ignore_result", True, "Redis fills with results that nobody reads"),
    ("result_backend", None, "somebody waits for a result instead of looking at the row"),
    ("task_serializer", "json", "a message may hold more than ids"),
    ("accept_content", ["json"], "who can write to Redis can run code in a worker"),
    ("task_publish_retry", False, "the door waits for a broker that is down"),
    ("task_create_missing_queues", False, "a misspelt queue swallows its messages"),
    ("worker_pool", "prefork", "threads ignore the hard limit"),
    ("worker_cancel_long_running_tasks_on_connection_loss", False, "an outage of Redis ends a drain that needs no Redis"),
    ("broker_connection_max_retries", None, "workers give up during a long outage, and stay away after it"),
    ("broker_connection_retry_on_startup", True, "a worker that starts during an outage ends"),
    ("enable_utc", True, "beat's clock jumps with the summer time"),
)


@pytest.mark.parametrize(("name", "value", "otherwise"), PINNED, ids=[name for name, *_ in PINNED])
def test_a_setting_is_what_keeps_it_a_bell(name: str, value: object, otherwise: str) -> None:
    assert getattr(app.conf, name) == value, f"otherwise {otherwise}"


def test_a_task_ends_long_before_its_message_is_given_to_another() -> None:
    assert 0 < app.conf.task_soft_time_limit < app.conf.task_time_limit
    assert app.conf.task_time_limit * 5 <= BROKER["visibility_timeout"]


def test_messages_of_the_dead_are_looked_for_each_second() -> None:
    assert BROKER["unacked_restore_interval"] * BROKER["unacked_restore_throttle"] == 1


def test_a_child_is_replaced_before_a_slow_leak_hurts() -> None:
    assert 0 < app.conf.worker_max_tasks_per_child <= 20_000


def test_a_worker_that_is_told_to_end_finishes_its_step_within_the_supervisors_patience() -> None:
    assert 0 < app.conf.worker_soft_shutdown_timeout < SUPERVISOR_PATIENCE_SECONDS


def test_a_paused_redis_costs_its_clients_seconds_at_most() -> None:
    """A read must outlast the blocking read that it may be, and by little."""
    assert 0.5 <= BROKER["socket_connect_timeout"] <= 2
    assert BLOCKING_READ_SECONDS < BROKER["socket_timeout"] <= 2
    assert BROKER["retry_on_timeout"] is False


def test_the_door_gives_up_on_redis_within_its_300_ms() -> None:
    client = pipeline._Broker().flags()
    options = client.connection_pool.connection_kwargs

    assert options["socket_timeout"] == options["socket_connect_timeout"] == 0.2
    assert client.get_retry() is None or client.get_retry().get_retries() == 0
    assert isinstance(client, redis.Redis)


@pytest.mark.parametrize("option", sorted(BROKER))
def test_the_transport_knows_every_option_that_it_is_given(option: str) -> None:
    """One that it doesn't know is ignored without a word."""
    virtual = {"queue_order_strategy"}
    assert option in {*Channel.from_transport_options, *virtual}
    assert Connection("redis://").transport_cls == "redis"


def test_no_task_changes_what_the_settings_say() -> None:
    app.loader.import_default_modules()
    ours = [task for name, task in app.tasks.items() if not name.startswith("celery.")]

    assert len(ours) == 21
    assert {(task.acks_late, task.reject_on_worker_lost, task.ignore_result) for task in ours} == {(True, True, True)}
    assert {(task.max_retries, task.autoretry_for if hasattr(task, "autoretry_for") else ()) for task in ours} == {
        (Task.max_retries, ())
    }


def waits(source: str) -> Iterator[str]:
    """Where a module leaves a wait to the broker: a retry, a countdown, an instant."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("retry", "apply_async"):
            yield f"{node.lineno}: .{node.attr}"
        if isinstance(node, ast.keyword) and node.arg in ("countdown", "eta", "autoretry_for"):
            yield f"{node.lineno}: {node.arg}="


@pytest.mark.parametrize("path", modules(*PRODUCT), ids=lambda path: str(Path(path).relative_to(ROOT)))
def test_no_wait_is_left_to_the_broker(path: Path) -> None:
    """Twenty messages with an ETA ran 180 times: waiting is a column."""
    assert list(waits(path.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "raise self.retry(exc=error)",
        "drain.apply_async(args=[1])",
        "current_app.send_task(task, countdown=5)",
        "current_app.send_task(task, eta=at)",
        "@shared_task(autoretry_for=(OSError,))\ndef drain(): ...",
    ],
)
def test_a_wait_that_is_left_to_the_broker_is_seen(line: str) -> None:
    assert len(list(waits(line))) == 1


def test_a_workers_line_in_the_procfile_asks_for_prefork_without_a_pool_of_connections() -> None:
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if " worker " in line and "celery" in line]

    assert len(lines) == 4
    assert all("--pool prefork" in line and "DB_POOL" not in line for line in lines)
