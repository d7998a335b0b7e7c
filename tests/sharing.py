"""The whole suite is shared by two workers; whoever asks for a part of it waits for one process only.

A file stays whole, for its tests may share a stand, and the running desk serves all its files from one
worker. What takes longest goes first, so that no worker idles at the end.
"""

import os
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.servers import NEEDED

WORKERS = 2
DESK = "tests/e2e"
# By what a run took; all that isn't named takes less than the last.
LONGEST = (
    DESK,
    "tests/integration/execution/test_crashes.py",
    "tests/machine/test_twins.py",
    "tests/machine/test_machine.py",
    "tests/integration/vanta_site/test_roles.py",
    "tests/integration/execution/test_outages.py",
    "tests/integration/risk/test_flattening.py",
)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many run the tests; none beside this process for a part of the suite."""
    return WORKERS if _is_whole(config) and not _has_guests() else 0


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> "Longest":
    """Who hands the tests out."""
    return Longest(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a shared run, what takes longest first; otherwise the order is left alone."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


class Longest(LoadFileScheduling):  # type: ignore[misc]
    """Hands out whole files, in their order."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return _share(nodeid)


def _share(nodeid: str) -> str:
    """What must stay together: a file, or all that the running desk serves."""
    return DESK if nodeid.startswith(f"{DESK}/") else nodeid.split("::", 1)[0]


def _rank(nodeid: str) -> int:
    share = _share(nodeid)
    return LONGEST.index(share) if share in LONGEST else len(LONGEST)


def _is_whole(config: pytest.Config) -> bool:
    options = config.option
    is_chosen = options.keyword or options.markexpr or getattr(options, "lf", False) or options.collectonly
    return not is_chosen and [Path(argument) for argument in config.args] == [Path("tests")]


def _has_guests() -> bool:
    """Whether somebody else's servers are used: they are there once."""
    return any(os.environ.get(replacement) for replacement in NEEDED.values())
