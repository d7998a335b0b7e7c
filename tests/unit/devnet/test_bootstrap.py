import subprocess
import sys

import pytest

from devnet import bootstrap
from devnet.bootstrap import Unprepared


def test_an_old_python_is_told_so() -> None:
    with pytest.raises(Unprepared, match=r"^Python 3\.10 is too old: Vanta needs 3\.11 or newer as `python3`$"):
        bootstrap.check_python((3, 10))


def test_this_python_is_new_enough() -> None:
    bootstrap.check_python((3, 11))


@pytest.mark.parametrize(
    ("node", "npm", "line"),
    [
        (None, None, "Node.js is missing: the local chain needs Node.js 18 or newer with npm"),
        ("v20.1.0", None, "npm is missing: the local chain needs Node.js 18 or newer with npm"),
        ("v16.20.2", "8.0.0", "Node.js v16.20.2 is too old: the local chain needs 18 or newer"),
    ],
)
def test_a_machine_without_node_gets_one_line(node: str | None, npm: str | None, line: str) -> None:
    with pytest.raises(Unprepared) as refusal:
        bootstrap.check_node(node, npm)
    assert str(refusal.value) == line


def test_a_node_that_is_new_enough_passes() -> None:
    bootstrap.check_node("v18.0.0", "9.0.0")


def test_a_full_disk_gets_one_line() -> None:
    with pytest.raises(Unprepared) as refusal:
        bootstrap.check_disk(300 * 1024**2)
    assert str(refusal.value) == "the disk is nearly full: 300 MiB free, setting up needs 2048 MiB"


def test_a_tool_that_is_not_there_has_no_version() -> None:
    assert bootstrap.tool_version("no-such-tool-of-any-machine") is None


def test_a_problem_is_one_line_and_no_traceback() -> None:
    command = (sys.executable, "devnet/bootstrap.py", "no-such-command")
    result = subprocess.run(command, cwd=bootstrap.ROOT, capture_output=True, text=True, check=False)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "vanta: unknown command 'no-such-command'; `make help` lists them\n"


def test_it_needs_nothing_but_the_standard_library() -> None:
    # -I -S: no site-packages, no current folder, as on a machine where nothing is installed.
    isolated = "import runpy, sys; runpy.run_path('devnet/bootstrap.py'); print(sorted(set(sys.modules) & {'httpx', 'devnet'}))"
    command = (sys.executable, "-I", "-S", "-c", isolated)
    result = subprocess.run(command, cwd=bootstrap.ROOT, capture_output=True, text=True, check=True)

    assert result.stdout == "[]\n"


def test_uv_is_pinned_with_its_hashes() -> None:
    lock = bootstrap.UV_LOCK.read_text()

    assert lock.startswith("uv==0.13.8 ")
    assert lock.count("--hash=sha256:") > 10


def test_every_target_of_the_makefile_that_sets_up_is_known() -> None:
    makefile = (bootstrap.ROOT / "Makefile").read_text()
    called = {line.split("bootstrap.py ")[1].split()[0] for line in makefile.splitlines() if "bootstrap.py " in line}

    assert called == {*bootstrap.MODULES, "check", "lock"}
