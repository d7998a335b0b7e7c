"""One running system for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.desk import RunningDesk, copy_of_checkout


# Down again after the last of them: at rest it takes a good part of a core from everybody else.
@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    running = RunningDesk(folder=copy_of_checkout(tmp_path_factory.mktemp("desk")))
    with running.ended_with_us():
        running.start()
        yield running
