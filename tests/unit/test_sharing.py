"""Two workers share the whole suite, each file stays whole, and what fails in either of them fails the run by its name."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devnet import paths
from tests import sharing
from tests.servers import NEEDED, WORKER, WORKERS
from tests.sharing import DESK, LONGEST

LONG = LONGEST[-1]
FILES = (*(f"tests/test_{number}.py" for number in range(3)), *(f"{DESK}/test_{number}_of_desk.py" for number in range(2)), LONG)
TESTS = "def test_first():\n    assert False\n\n\ndef test_second():\n    pass\n"
# Nothing of the suite but who runs what: neither servers nor Django.
BARE = ("-o", "addopts=", "-p", "no:django", "-p", "tests.sharing", "--numprocesses", "auto", "-v")


def run(suite: Path, *arguments: str) -> tuple[int, str]:
    """Run a suite in which the first test of each file fails."""
    (suite / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    for name in FILES:
        (suite / name).parent.mkdir(parents=True, exist_ok=True)
        (suite / name).write_text(TESTS)
    # As from outside: this test may itself run in a worker.
    kept = {name: value for name, value in os.environ.items() if name not in (WORKER, WORKERS)}
    command = (sys.executable, "-m", "pytest", *BARE, *arguments)
    environment = {**kept, "PYTHONPATH": str(paths.ROOT)}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_what_fails_in_either_worker_fails_the_run_with_its_name(tmp_path: Path) -> None:
    code, printed = run(tmp_path)

    ran = re.findall(r"^\[(gw\d)\] .*(?:PASSED|FAILED) (\S+?)::", printed, re.MULTILINE)
    workers_of = {name: {worker for worker, file in ran if file == name} for name in FILES}
    assert code == 1
    assert sorted(re.findall(r"^FAILED (\S+)", printed, re.MULTILINE)) == sorted(f"{name}::test_first" for name in FILES)
    # Each file stays whole, the desk's are together, and both workers have something to do.
    assert {name: len(workers) for name, workers in workers_of.items()} == dict.fromkeys(FILES, 1)
    assert len(set.union(*(workers for name, workers in workers_of.items() if name.startswith(DESK)))) == 1
    assert set.union(*workers_of.values()) == {"gw0", "gw1"}


def test_what_takes_longest_goes_first(tmp_path: Path) -> None:
    _, printed = run(tmp_path, "--numprocesses", "1")

    order = list(dict.fromkeys(re.findall(r"FAILED (\S+?)::test_first", printed.partition("= FAILURES")[0])))
    assert order == [*(name for name in FILES if name.startswith(DESK)), LONG, *FILES[:3]]


def test_one_file_runs_in_this_process(tmp_path: Path) -> None:
    code, printed = run(tmp_path, FILES[0])

    assert (code, "workers" in printed) == (1, False)


def workers(*arguments: str, **chosen: object) -> int:
    """How many run what was asked for."""
    options = {"keyword": "", "markexpr": "", "lf": False, "collectonly": False} | chosen
    config: Any = SimpleNamespace(option=SimpleNamespace(**options), args=arguments)
    return sharing.pytest_xdist_auto_num_workers(config)


@pytest.mark.parametrize("whole", ["tests", "tests/"])
def test_the_whole_suite_is_shared_by_two(whole: str) -> None:
    assert workers(whole) == 2


@pytest.mark.parametrize("chosen", [{"keyword": "nonce"}, {"markexpr": "not slow"}, {"lf": True}, {"collectonly": True}], ids=str)
def test_a_part_of_the_suite_is_not(chosen: dict[str, object]) -> None:
    assert workers("tests", **chosen) == 0


@pytest.mark.parametrize("arguments", [("tests/unit",), ("tests/unit/test_sharing.py",), ("tests", "tests/unit")], ids=str)
def test_what_is_named_is_not(arguments: tuple[str, ...]) -> None:
    assert workers(*arguments) == 0


@pytest.mark.parametrize("name", NEEDED.values())
def test_a_server_of_somebody_else_is_not_shared(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "there")

    assert workers("tests") == 0


@pytest.mark.parametrize("name", LONGEST)
def test_what_takes_longest_is_there(name: str) -> None:
    assert (paths.ROOT / name).exists()
