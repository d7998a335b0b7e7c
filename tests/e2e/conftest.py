"""One running system for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.desk import RunningDesk, copy_of_checkout


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    running = RunningDesk(folder=copy_of_checkout(tmp_path_factory.mktemp("desk")))
    with running.ended_with_us():
        running.start()
        yield running
