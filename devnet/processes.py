"""Children that can't outlive their parent, and what the system says of a process."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: int | IO[bytes],
    last_signal: signal.Signals = signal.SIGKILL,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process in a group of its own, without input.

    On Linux the kernel sends `last_signal` to it when we die. It watches the thread that
    spawned: call this from one that lives as long as the process, and fork with no other running.
    """
    return subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
        preexec_fn=_die_with(os.getpid(), last_signal),
    )


def _die_with(parent: int, last_signal: signal.Signals) -> Callable[[], None]:
    def before_exec() -> None:
        if LIBC is None:
            return
        LIBC.prctl(PR_SET_PDEATHSIG, int(last_signal))
        # The parent may have died before the kernel knew whom to watch.
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def stop(process: "subprocess.Popen[bytes]", *, by: signal.Signals, patience_seconds: float) -> None:
    """End a process: ask it, wait, then kill its whole group."""
    if process.poll() is not None:
        return
    process.send_signal(by)
    try:
        process.wait(timeout=patience_seconds)
    except subprocess.TimeoutExpired:
        kill_group(process)
        process.wait()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and what it started; nothing happens if all of it is gone."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def command_line(pid: int) -> str:
    """What a process was started as; empty when there is none, or none of its kind can be seen."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "" if sys.platform == "linux" else _command_line_from_ps(pid)


def _command_line_from_ps(pid: int) -> str:
    return subprocess.run(("ps", "-o", "command=", "-p", str(pid)), capture_output=True, text=True).stdout.strip()
