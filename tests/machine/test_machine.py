"""The desk's promises, kept through everything that Hypothesis thinks of: troubles of nodes, reorganizations, deaths, people.

The suite runs the same examples each time. `MACHINE_RUNS`, `MACHINE_STEPS` and `MACHINE_SEED` make a long run of others.
"""

import pytest

from tests.machine import running


@pytest.mark.slow
def test_the_desk_keeps_its_promises(transactional_db: None) -> None:
    running.run()
