import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devnet import paths, processes

PATIENCE_SECONDS = 20.0

# Says its pid, then works until it is asked to end; a step that runs is finished first.
STEADY = """
import os, signal, time
ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
os.write(1, f"pid {os.getpid()}\\n".encode())
while not ends:
    time.sleep(0.01)
time.sleep(STEP)
print("finished", time.monotonic(), flush=True)
"""
# Starts a child of its own, as a prefork worker does; both wait for ever and ignore SIGTERM.
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, f"pid {os.getpid()}\\n".encode())
while True:
    time.sleep(1)
"""
MORTAL = "import os; os.write(1, f'pid {os.getpid()}\\n'.encode()); os._exit(3)"


class Supervised:
    """A supervisor under test and what it has said."""

    def __init__(self, folder: Path, scripts: tuple[str, ...]) -> None:
        self.folder = folder
        self.output = folder / "output"
        with self.output.open("wb") as file:
            command = (sys.executable, "-m", "tests.integration.devnet.supervised", str(folder), *scripts)
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=paths.ROOT)

    def lines(self, word: str) -> list[str]:
        """What it said that contains a word."""
        return [line for line in self.output.read_text().splitlines() if word in line]

    def pids(self) -> list[int]:
        """The children that said who they are, in order."""
        return [int(line.rsplit(" ", 1)[1]) for line in self.lines(": pid ")]

    def wait(self) -> int:
        """Its exit status, once it ends by itself."""
        return self.process.wait(timeout=PATIENCE_SECONDS)


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Supervised] = []

    def start_one(*scripts: str) -> Supervised:
        started.append(Supervised(tmp_path, scripts))
        return started[-1]

    yield start_one
    for supervised in started:
        supervised.process.kill()
        supervised.process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return not processes.command_line(pid)


def script(stage: str, code: str, *, step: float = 0.0) -> str:
    return f"{stage}|{code.replace('STEP', str(step))}"


def test_a_process_that_dies_is_started_again_after_growing_pauses(start: Start) -> None:
    supervised = start(script("WORKER", MORTAL))
    until(lambda: len(supervised.pids()) == 3)

    assert supervised.lines("ended")[:2] == [
        "child0: ended (exit 3): starts again in 0.5 s",
        "child0: ended (exit 3): starts again in 1 s",
    ]


def test_a_killed_process_is_started_again_while_the_others_stay(start: Start) -> None:
    supervised = start(script("WORKER", STEADY), script("WORKER", STEADY))
    until(lambda: len(supervised.pids()) == 2)
    killed, other = supervised.pids()
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(supervised.pids()) == 3)

    assert supervised.lines("ended")[0].endswith("ended (SIGKILL): starts again in 0.5 s")
    assert not is_gone(other)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_end_lets_the_running_step_finish(start: Start, by: signal.Signals) -> None:
    supervised = start(script("WORKER", STEADY, step=0.5))
    until(lambda: len(supervised.pids()) == 1)
    supervised.process.send_signal(by)

    assert supervised.wait() == 0
    assert len(supervised.lines("finished")) == 1
    assert supervised.lines("stopped") == ["stopped"]
    assert is_gone(supervised.pids()[0])


def test_the_door_closes_before_the_workers_and_they_before_the_servers(start: Start) -> None:
    stages = ("SERVER", "WORKER", "DOOR")
    supervised = start(*(script(stage, STEADY, step=0.1) for stage in stages))
    until(lambda: len(supervised.pids()) == 3)
    supervised.process.terminate()
    supervised.wait()

    assert [line.split(":")[0] for line in supervised.lines("finished")] == ["child2", "child1", "child0"]


def test_a_second_ctrl_c_hurries_what_does_not_end(start: Start) -> None:
    supervised = start(script("WORKER", STUBBORN))
    until(lambda: len(supervised.pids()) == 2)
    begun = time.monotonic()
    supervised.process.send_signal(signal.SIGINT)
    # The same Ctrl-C can arrive twice, so a second one counts after half a second.
    until(lambda: time.monotonic() - begun > 0.7)
    supervised.process.send_signal(signal.SIGINT)

    assert supervised.wait() == 0
    assert supervised.lines("killed") == ["child0: does not end: killed"]
    assert all(is_gone(pid) for pid in supervised.pids())


def test_killing_the_supervisor_leaves_nothing_running(start: Start) -> None:
    supervised = start(script("DOOR", STEADY, step=60), script("SERVER", STEADY, step=60))
    until(lambda: len(supervised.pids()) == 2)
    supervised.process.kill()

    until(lambda: all(is_gone(pid) for pid in supervised.pids()))


def test_each_process_has_its_own_log(start: Start) -> None:
    supervised = start(script("WORKER", STEADY), script("DOOR", STEADY))
    until(lambda: len(supervised.pids()) == 2)
    supervised.process.terminate()
    supervised.wait()

    for name in ("child0", "child1"):
        text = (supervised.folder / "logs" / f"{name}.log").read_text()
        assert [line.split()[0] for line in text.splitlines()] == ["pid", "finished"]
