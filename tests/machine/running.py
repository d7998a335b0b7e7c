"""Runs of the machine: the suite's own, the same each time, and long ones with a seed."""

import os

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.rules import Machine

RUNS = int(os.environ.get("MACHINE_RUNS", "40"))
STEPS = int(os.environ.get("MACHINE_STEPS", "30"))
SEED = os.environ.get("MACHINE_SEED", "")
# Shrinking replays a run hundreds of times: worth it once something is found.
PHASES = [Phase.generate, *([Phase.shrink] if os.environ.get("MACHINE_SHRINKS") else [])]


def run(*, runs: int = RUNS) -> None:
    """Let Hypothesis look for what breaks the desk.

    Raises:
        Broken: or whatever else came of it, with the steps that led there.
    """
    wanted = settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        phases=PHASES,
        derandomize=not SEED,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    machine = hypothesis.seed(int(SEED))(Machine) if SEED else Machine
    run_state_machine_as_test(machine, settings=wanted)
