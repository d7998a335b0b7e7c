"""The log file of one process: lines go in as they come, and an old file doesn't grow for ever."""

from pathlib import Path

LARGEST_BYTES = 20 * 1024**2
KEPT_BYTES = 1024**2


class LineLog:
    """Appends a process's output to its file and cuts it into lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        shorten(path)
        self.path = path
        self._rest = b""

    def take(self, output: bytes) -> list[str]:
        """Keep some output; the lines that are complete with it."""
        with self.path.open("ab") as file:
            file.write(output)
        *lines, self._rest = (self._rest + output).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def shorten(path: Path, *, largest_bytes: int = LARGEST_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
    """Cut a log that grew too large down to its end."""
    if path.exists() and path.stat().st_size > largest_bytes:
        with path.open("rb") as file:
            file.seek(-kept_bytes, 2)
            end = file.read()
        path.write_bytes(end.partition(b"\n")[2])
