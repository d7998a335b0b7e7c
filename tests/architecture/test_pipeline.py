"""Every ring has a follower, every follower is a task, every task's queue has a worker."""

from fnmatch import fnmatch

import pytest

from tests.architecture.tree import PRODUCT, ROOT, modules, rings
from vanta_site.celery import app
from vanta_site.pipeline import BEAT, FOLLOWS, TASK_QUEUES
from vanta_site.sweep import OUTBOX, STAGES

RUNG = [event for path in modules(*PRODUCT) for event in rings(path.read_text())]
BY_BEAT = {entry["task"] for entry in BEAT.values()}
NAMED = set(FOLLOWS.values()) | BY_BEAT | {stage.task for stage in (*STAGES, *OUTBOX)}


def queue_of(task: str) -> str | None:
    return next((queue for pattern, queue in TASK_QUEUES.items() if fnmatch(task, pattern)), None)


def consumed(procfile: str) -> set[str]:
    """The queues that some worker of a Procfile is told to take from."""
    words = [line.split() for line in procfile.splitlines() if " worker " in f"{line} " and "celery" in line]
    return {queue for line in words if "-Q" in line for queue in line[line.index("-Q") + 1].split(",")}


@pytest.fixture(scope="module")
def registered() -> set[str]:
    app.loader.import_default_modules()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_ring_has_a_follower_and_every_follower_a_ring() -> None:
    assert set(RUNG) == set(FOLLOWS)


def test_every_task_that_is_named_exists(registered: set[str]) -> None:
    assert NAMED - registered == set()


def test_every_task_that_exists_is_woken_by_something(registered: set[str]) -> None:
    assert registered - NAMED == set()


def test_every_follower_of_a_ring_has_a_sweep() -> None:
    """So that a lost ring costs one sweep."""
    assert set(FOLLOWS.values()) - {stage.task for stage in (*STAGES, *OUTBOX)} == set()


def test_every_task_has_a_queue_and_every_queue_a_worker(registered: set[str]) -> None:
    queues = {queue_of(task) for task in registered}
    assert None not in queues
    assert queues - consumed((ROOT / "Procfile").read_text()) == set()


def test_the_routes_are_those_of_celery(registered: set[str]) -> None:
    assert {task: app.amqp.router.route({}, task)["queue"].name for task in registered} == {
        task: queue_of(task) for task in registered
    }


def test_beats_messages_expire_before_the_next_one() -> None:
    assert [name for name, entry in BEAT.items() if entry["options"]["expires"] > entry["schedule"]] == []


def test_a_ring_without_a_follower_is_seen() -> None:
    calls = ('doorbell.ring("nobody.follows", key=key)', "doorbell.ring(event, key=key)", 'bell.ring("other", key=1)')
    source = "\n".join(calls)
    assert rings(source) == ["nobody.follows", "?"]
    assert set(rings(source)) - set(FOLLOWS) == {"nobody.follows", "?"}


def test_a_queue_without_a_worker_is_seen() -> None:
    procfile = (
        "web: gunicorn x\nworker: celery -A vanta_site worker -Q risk,execution -c 2\nbeat: celery -A vanta_site beat -Q tpsl\n"
    )
    assert consumed(procfile) == {"risk", "execution"}
    assert set(TASK_QUEUES.values()) - consumed(procfile) == {"indexer", "outbox", "tpsl"}
