from pathlib import Path

from devnet.logs import LineLog, shorten


def test_lines_come_out_whole_however_they_arrive(tmp_path: Path) -> None:
    log = LineLog(tmp_path / "worker.log")

    assert log.take(b"one\ntw") == ["one"]
    assert log.take(b"o\n\n") == ["two", ""]
    assert (tmp_path / "worker.log").read_bytes() == b"one\ntwo\n\n"


def test_a_log_that_grew_too_large_keeps_its_last_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_bytes(b"first line\nsecond line\nthird line\n")
    shorten(path, largest_bytes=20, kept_bytes=15)

    assert path.read_bytes() == b"third line\n"


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    path.write_bytes(b"first line\n")
    shorten(path, largest_bytes=11, kept_bytes=5)

    assert path.read_bytes() == b"first line\n"
