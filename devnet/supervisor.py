"""Runs a set of processes: shows their output, restarts what dies, ends all of it in order.

One thread and one loop. `pump` is a turn of it; callers that wait for something pump meanwhile.
Killing the supervisor itself leaves nothing running: the kernel ends its children.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO

from devnet import processes
from devnet.logs import LineLog, shorten
from devnet.program import LONGEST_DELAY_SECONDS, Child, Program, Stage, how_it_ended, next_delay

PATIENCE_SECONDS = 30.0
HURRIED_SECONDS = 1.0
ECHO_SECONDS = 0.5
LOG_CARE_SECONDS = 60.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopRequested(Exception):
    """A signal asked us to end while something was waited for."""


Screen = Callable[[str, str], None]
"""Where a process's lines go besides its log: its name, the line."""


class Supervisor:
    """The processes of one stack. Make it, start and pump in the main thread only: signals arrive there."""

    def __init__(self, *, logs: Path, screen: Screen) -> None:
        self._logs = logs
        self._screen = screen
        self._children: dict[str, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._requests = 0
        self._requested_at = 0.0
        self._shortened_at = 0.0
        self._is_stopping = False

    def listen_to_signals(self) -> None:
        """Take SIGTERM, SIGINT and SIGHUP as the wish to end; a second one hurries."""
        reader, writer = os.pipe()
        for end in (reader, writer):
            os.set_blocking(end, False)
        self._selector.register(reader, selectors.EVENT_READ, None)
        # Wakes the loop at once; a dead child does so too.
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._request_stop)

    def start(self, program: Program) -> None:
        """Run a program from now on; should it die, it is started again."""
        child = Child(program=program, log=LineLog(self._logs / f"{program.name}.log"))
        self._children[program.name] = child
        self._spawn(child)

    def pump(self, timeout_seconds: float) -> None:
        """One turn: pass on output, notice deaths, start again what is due.

        Raises:
            StopRequested: once, when a signal has asked for the end.
        """
        self._read(timeout_seconds)
        if not self._is_stopping and self._requests:
            raise StopRequested
        for child in self._children.values():
            self._look_after(child)

    def wait_for(self, condition: Callable[[], bool], *, timeout_seconds: float, pause_seconds: float = 0.05) -> bool:
        """Pump until the condition holds; False when it took too long."""
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.pump(pause_seconds)
        return True

    def run(self) -> None:
        """Pump until a signal asks for the end."""
        while True:
            self.pump(1.0)
            self._shorten_logs()

    def restarts(self, name: str) -> int:
        """How often a program had to be started again."""
        return self._children[name].restarts

    def pid(self, name: str) -> int | None:
        """A program's process, if it runs."""
        child = self._children[name]
        return child.process.pid if child.process is not None and child.is_running else None

    def stop_all(self) -> None:
        """End everything, stage by stage, each given time to finish its running step."""
        self._is_stopping = True
        for stage in Stage:
            self._stop_stage([child for child in self._children.values() if child.program.stage == stage])
        self._children.clear()

    def _stop_stage(self, children: list[Child]) -> None:
        for child in children:
            child.restart_at = None
            if child.process is not None and child.is_running:
                child.process.send_signal(child.program.stop_signal)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(child.is_running for child in children):
            if self._requests > 1:
                # Hurrying shortens the patience, it doesn't skip the question: servers still write their files.
                deadline = min(deadline, time.monotonic() + HURRIED_SECONDS)
            if time.monotonic() > deadline:
                self._kill(children)
            self._read(0.1)
        for child in children:
            self._close(child)

    def _kill(self, children: list[Child]) -> None:
        for child in children:
            if child.process is not None and child.is_running:
                self._screen(child.program.name, "does not end: killed")
                processes.kill_group(child.process)
                child.process.wait()

    def _spawn(self, child: Child) -> None:
        program = child.program
        program.prepare()
        # Output that nobody watches goes straight to its file: no pipe to empty while we are busy elsewhere.
        with child.log.path.open("ab") as file:
            child.process = processes.spawn(
                program.command,
                environment=program.environment,
                output=subprocess.PIPE if program.is_shown else file,
                last_signal=program.last_signal,
                folder=program.folder,
            )
        child.started_at = time.monotonic()
        child.restart_at = None
        if child.process.stdout is not None:
            self._watch(child, child.process.stdout)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and not child.is_running:
            self._bury(child, now=now)
        elif child.restart_at is not None and now >= child.restart_at:
            child.restarts += 1
            self._start_again(child, now=now)

    def _start_again(self, child: Child, *, now: float) -> None:
        try:
            self._spawn(child)
        except OSError as problem:
            # Its file may be missing for a moment, while libraries are installed.
            self._screen(child.program.name, f"can't be started: {problem}")
            child.restart_at = now + LONGEST_DELAY_SECONDS

    def _bury(self, child: Child, *, now: float) -> None:
        code = child.process.returncode if child.process is not None else 0
        self._close(child)
        child.delay_seconds = next_delay(previous_seconds=child.delay_seconds, ran_seconds=now - child.started_at)
        child.restart_at = now + child.delay_seconds
        self._screen(child.program.name, f"ended ({how_it_ended(code)}): starts again in {child.delay_seconds:g} s")

    def _close(self, child: Child) -> None:
        if child.process is None:
            return
        # What it started may have outlived it, and would hold its ports.
        processes.kill_group(child.process)
        if child.process.stdout is not None:
            self._pass_on(child)
            self._unwatch(child)
        child.process = None

    def _read(self, timeout_seconds: float) -> None:
        for key, _events in self._selector.select(timeout_seconds):
            if key.data is None:
                os.read(key.fd, 4096)
            else:
                self._pass_on(key.data)

    def _pass_on(self, child: Child) -> None:
        if child.process is None or child.process.stdout is None or child.process.stdout.closed:
            return
        output = child.process.stdout.read()
        for line in child.log.take(output or b""):
            self._screen(child.program.name, line)
        if output == b"":
            self._unwatch(child)

    def _watch(self, child: Child, stdout: IO[bytes]) -> None:
        os.set_blocking(stdout.fileno(), False)
        self._selector.register(stdout, selectors.EVENT_READ, child)

    def _unwatch(self, child: Child) -> None:
        if child.process is not None and child.process.stdout is not None and not child.process.stdout.closed:
            self._selector.unregister(child.process.stdout)
            child.process.stdout.close()

    def _shorten_logs(self) -> None:
        now = time.monotonic()
        if now - self._shortened_at > LOG_CARE_SECONDS:
            self._shortened_at = now
            for child in self._children.values():
                shorten(child.log.path)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        # One Ctrl-C can arrive twice: from the terminal, and passed on by make.
        now = time.monotonic()
        if now - self._requested_at > ECHO_SECONDS:
            self._requests += 1
        self._requested_at = now
