"""From a bare machine to a running command: `python3 devnet/bootstrap.py run`.

Runs under the system's Python with the standard library only. It installs uv into
`.run/tools`, makes `.venv` from the hash locks, and hands over to the tool that was asked for.
The second time it finds everything in place and costs a fraction of a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".run" / "tools"
UV = TOOLS / "uv" / "bin" / "uv"
UV_LOCK = ROOT / "devnet" / "uv.txt"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".locks-sha256"
LOCKS = ("requirements.txt", "devnet/requirements.txt", "tests/requirements.txt")

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 18
# What a first setup writes: libraries, the chain's binary, a database.
FREE_BYTES_TO_SET_UP = 2 * 1024**3

STACK_COMMANDS = ("run", "up", "down", "reset", "status")
MODULES = {
    "demo": "devnet.demo",
    "smoke": "devnet.smoke",
    "test": "pytest",
    "chaos": "tests.chaos",
    "bench": "tests.bench",
    "mutate": "tests.mutation",
    **dict.fromkeys(STACK_COMMANDS, "devnet.stack"),
}
NEEDS_CHAIN = ("run", "up", "smoke", "test", "chaos", "bench")

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "."),
    ("lint-imports",),
    ("python", "manage.py", "makemigrations", "--check", "--dry-run"),
    ("python", "manage.py", "check"),
)
# The checks import the settings; these need no server and no secret.
CHECK_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "vanta_site.settings.testing",
    "DB_POOL": "0",
    # makemigrations would like to compare with a database; there is none here.
    "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration",
}

COMPILE = ("pip", "compile", "--universal", "--generate-hashes", "--python-version", "3.11", "--no-header", "--quiet")
LOCK_COMMANDS = (
    ("pyproject.toml", "-o", "requirements.txt"),
    ("--group", "local", "-c", "requirements.txt", "-o", "devnet/requirements.txt"),
    ("--group", "dev", "-c", "requirements.txt", "-o", "tests/requirements.txt"),
)


class Unprepared(Exception):
    """This machine lacks something; the message is one line and says what to do."""


def main(arguments: list[str]) -> int:
    """Set up what the command needs, then become it."""
    command, *rest = arguments or ["run"]
    os.chdir(ROOT)
    try:
        return perform(command, rest)
    except Unprepared as problem:
        print(f"vanta: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def perform(command: str, rest: list[str]) -> int:
    """Set up, then run the command."""
    check_python(sys.version_info[:2])
    if command == "lock":
        install_uv()
        return write_locks()
    if command != "check" and command not in MODULES:
        raise Unprepared(f"unknown command {command!r}; `make help` lists them")
    install_uv()
    install_libraries()
    if command in NEEDS_CHAIN:
        install_chain()
    return run_checks() if command == "check" else become(command, rest)


def check_python(version: tuple[int, ...]) -> None:
    """Pass if the interpreter is new enough."""
    if version < OLDEST_PYTHON:
        raise Unprepared(f"Python {version[0]}.{version[1]} is too old: Vanta needs 3.11 or newer as `python3`")


def install_uv() -> None:
    """Put uv beside the project, unless it is there in the pinned version."""
    pinned = UV_LOCK.read_text().split()[0].replace("==", "-")
    if UV.exists() and (UV.parents[1] / f"{pinned}.dist-info").exists():
        return
    check_pip()
    check_disk(shutil.disk_usage(ROOT).free)
    shutil.rmtree(UV.parents[1], ignore_errors=True)
    # --target keeps clear of the system's packages, which Debian marks as externally managed.
    quiet_pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    from_lock = ("--require-hashes", "--no-deps", "--target", str(UV.parents[1]), "-r", str(UV_LOCK))
    phase(f"{pinned} into .run/tools", (*quiet_pip, *from_lock))


def check_pip() -> None:
    """Pass if pip can be run."""
    if importlib.util.find_spec("pip") is None:
        raise Unprepared("Python has no pip: install it first (on Debian: apt-get install python3-pip)")


def check_disk(free_bytes: int) -> None:
    """Pass if a first setup fits."""
    if free_bytes < FREE_BYTES_TO_SET_UP:
        raise Unprepared(f"the disk is nearly full: {free_bytes // 1024**2} MiB free, setting up needs 2048 MiB")


def install_libraries() -> None:
    """Bring `.venv` to what the locks say, unless it is there."""
    wanted = locks_digest()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted:
        return
    check_disk(shutil.disk_usage(ROOT).free)
    if not PYTHON.exists():
        phase("a virtualenv in .venv", (str(UV), "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)))
    # Compiled here once, on every core, instead of by nine processes at their first start.
    sync = (str(UV), "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON))
    phase("the locked libraries", (*sync, *LOCKS))
    # So that .venv/bin/pytest and .venv/bin/celery find the project, from whichever folder.
    next(VENV.glob("lib/python*/site-packages")).joinpath("vanta.pth").write_text(f"{ROOT}\n")
    STAMP.write_text(wanted)


def locks_digest() -> str:
    """The state of the locks: equal digests mean equal libraries."""
    digest = hashlib.sha256()
    for lock in LOCKS:
        digest.update((ROOT / lock).read_bytes())
    return digest.hexdigest()


def install_chain() -> None:
    """Put the chain's binary beside the project, unless it is there or another chain is given."""
    if os.environ.get("BASE_RPC_URL") or any(TOOLS.glob("anvil/node_modules/@foundry-rs/anvil-*/bin/anvil")):
        return
    check_node(tool_version("node"), tool_version("npm"))
    phase("the chain (anvil, from npm)", (str(PYTHON), "-c", "from devnet.chain import install; install()"))


def tool_version(tool: str) -> str | None:
    """What `tool --version` prints; None when it can't be run."""
    try:
        return subprocess.run((tool, "--version"), capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def check_node(node: str | None, npm: str | None) -> None:
    """Pass if Node.js and npm are there and new enough."""
    if node is None or npm is None:
        missing = "Node.js" if node is None else "npm"
        raise Unprepared(f"{missing} is missing: the local chain needs Node.js {OLDEST_NODE} or newer with npm")
    if int(node.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Unprepared(f"Node.js {node} is too old: the local chain needs {OLDEST_NODE} or newer")


def phase(what: str, command: tuple[str, ...]) -> None:
    """Run one step of the setup and print how long it took; its own output only if it fails."""
    print(f"  setup  {what} ...", end=" ", flush=True)
    begun = time.monotonic()
    # uv ignores the system's certificates otherwise, and fails behind a TLS proxy.
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1"}
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"{time.monotonic() - begun:.1f} s" if result.returncode == 0 else "failed", flush=True)
    if result.returncode != 0:
        raise Unprepared(f"{what} could not be installed:\n{result.stdout.strip()}")


def run_checks() -> int:
    """Run every check, name those that failed."""
    failed = [" ".join(check) for check in CHECKS if not passes(check)]
    print(f"check: {len(CHECKS) - len(failed)} of {len(CHECKS)} passed" + "".join(f"\n  failed: {name}" for name in failed))
    return 1 if failed else 0


def passes(check: tuple[str, ...]) -> bool:
    """Run one check from the virtualenv."""
    print(f"check: {' '.join(check)}", flush=True)
    tool, *arguments = check
    environment = {**environment_of_tools(), **CHECK_ENVIRONMENT}
    return subprocess.run((str(VENV / "bin" / tool), *arguments), env=environment).returncode == 0


def write_locks() -> int:
    """Resolve pyproject.toml again into the three locks."""
    for arguments in LOCK_COMMANDS:
        phase(arguments[-1], (str(UV), *COMPILE, *arguments))
    return 0


def become(command: str, rest: list[str]) -> int:
    """Replace this process by the command's."""
    module = MODULES[command]
    arguments = (command, *rest) if module == "devnet.stack" else rest
    os.execve(PYTHON, (str(PYTHON), "-m", module, *arguments), environment_of_tools())


def environment_of_tools() -> dict[str, str]:
    """The environment in which the virtualenv's own commands come first."""
    return {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
