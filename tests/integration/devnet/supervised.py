"""A supervisor in a process of its own: `python -m tests.integration.devnet.supervised FOLDER SCRIPT...`.

Each script is `STAGE|CODE`, Python run as a child. Signals and `kill -9` are then real ones.
"""

import os
import sys
from pathlib import Path

from devnet.program import Program, Stage
from devnet.supervisor import StopRequested, Supervisor


def say(line: str) -> None:
    """One line, at once and whole."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def main(folder: Path, scripts: list[str]) -> None:
    supervisor = Supervisor(logs=folder / "logs", screen=lambda name, line: say(f"{name}: {line}"))
    supervisor.listen_to_signals()
    for number, script in enumerate(scripts):
        stage, _, code = script.partition("|")
        command = (sys.executable, "-c", code)
        program = Program(name=f"child{number}", command=command, environment=os.environ, stage=Stage[stage])
        supervisor.start(program)
    try:
        supervisor.run()
    except StopRequested:
        supervisor.stop_all()
        say("stopped")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
