"""A change is killed by the tests that hold it, and survives where nothing looks at it."""

import subprocess
import sys

import pytest

from tests.mutation.areas import ROOT

MODULE = "risk/domain/lock.py"
KILLED = f"{MODULE:<36}{12:>12}{12:>12}{0:>12}{0:>12}     100.0 %"
SURVIVED = f"{MODULE:<36}{12:>12}{0:>12}{0:>12}{12:>12}       0.0 %"


def mutate(*arguments: str) -> tuple[int, list[str]]:
    """In a process of its own: it forks, and must have imported nothing of the project."""
    command = (sys.executable, "-m", "tests.mutation", "--only", MODULE, *arguments)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    return result.returncode, result.stdout.splitlines()


@pytest.mark.slow
def test_the_tests_of_a_module_kill_each_of_its_changes() -> None:
    code, lines = mutate()

    assert (code, lines[1]) == (0, KILLED)


@pytest.mark.slow
def test_what_no_test_looks_at_survives_and_is_named() -> None:
    code, lines = mutate("--against", "tests/unit/trading/domain/test_lifecycle.py")

    assert (code, lines[1]) == (1, SURVIVED)
    assert "    risk/domain/lock.py:70 outlasts  until > other -> until >= other" in lines


def test_a_name_of_nothing_is_refused() -> None:
    command = (sys.executable, "-m", "tests.mutation", "--only", "nothing")
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stderr) == (1, "nothing to mutate is named 'nothing'\n")
