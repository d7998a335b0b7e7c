"""The local stack: `python -m devnet.stack run|up|down|reset|status`. `make run` is the way in."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

from devnet import chain, environment, footing, paths, postgres, procfile, redis, screen, single
from devnet.assembly import Stack, StackFailed
from devnet.belonging import Mismatch
from devnet.ports import LOOPBACK, Ports
from devnet.rpc import RpcError, RpcUnavailable
from devnet.secret_store import SecretStore
from devnet.supervisor import StopRequested, Supervisor

# What goes wrong on people's machines: one line each, never a traceback.
PROBLEMS = (
    StackFailed,
    Mismatch,
    single.AlreadyRunning,
    postgres.PostgresFailed,
    redis.RedisFailed,
    chain.ChainError,
    procfile.BadProcfile,
    RpcError,
    RpcUnavailable,
    psycopg.OperationalError,
    OSError,
)
STACK_LOG = paths.LOGS / "stack.log"
UP_SECONDS = 300.0
DOWN_SECONDS = 150.0
# What `make reset` leaves: tools cost a download, and a test run may be using its own server.
KEPT = ("tools", "test", paths.LOCK_FILE.name)


def main() -> int:
    """Do what was asked; problems of the machine end in one line."""
    parser = argparse.ArgumentParser(prog="python -m devnet.stack")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--background", action="store_true", help="show the phases only (make up)")
    arguments = parser.parse_args()
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    try:
        return run(is_shown=not arguments.background) if arguments.command == "run" else COMMANDS[arguments.command]()
    except PROBLEMS as problem:
        print(f"vanta: {' '.join(str(problem).split())}", file=sys.stderr, flush=True)
        return 1


def run(*, is_shown: bool) -> int:
    """Bring the stack up and keep it up until a signal."""
    with single.held(paths.LOCK_FILE):
        store = SecretStore(paths.SECRETS_FILE)
        store.fill()
        supervisor = Supervisor(logs=paths.LOGS, screen=screen.lines_of(is_colored=screen.is_terminal()))
        supervisor.listen_to_signals()
        stack = Stack(given=os.environ, ports=chosen_ports(), store=store, supervisor=supervisor, is_shown=is_shown)
        return _serve(stack)


def _serve(stack: Stack) -> int:
    begun = time.monotonic()
    try:
        stack.bring_up()
        print(banner(stack.system, seconds=time.monotonic() - begun), flush=True)
        paths.READY_FILE.write_text(str(os.getpid()))
        stack.supervisor.run()
    except StopRequested:
        print("\n  stopping: running steps finish first (Ctrl-C again hurries)", flush=True)
    finally:
        paths.READY_FILE.unlink(missing_ok=True)
        stack.remember_chain()
        stack.supervisor.stop_all()
        print("  stopped", flush=True)
    return 0


def up() -> int:
    """The same in the background; returns when it is ready."""
    running = single.holder(paths.LOCK_FILE)
    if running is not None:
        print(f"  it is already running (pid {running}): {web_url()}/")
        return 0
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    STACK_LOG.write_text("")
    with STACK_LOG.open("ab") as log:
        process = subprocess.Popen(
            (sys.executable, "-m", "devnet.stack", "run", "--background"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=paths.ROOT,
            start_new_session=True,
        )
    try:
        return follow(process)
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        return 130


def follow(process: "subprocess.Popen[bytes]") -> int:
    """Show what the background stack says until it is ready, or over."""
    deadline = time.monotonic() + UP_SECONDS
    with STACK_LOG.open() as log:
        while time.monotonic() < deadline:
            has_ended, is_ready = process.poll() is not None, _is_marked_ready(process.pid)
            print(log.read(), end="", flush=True)
            if has_ended or is_ready:
                return 1 if has_ended else 0
            time.sleep(0.1)
    raise StackFailed(f"not ready after {UP_SECONDS:.0f} s: `make down` ends it, the logs are in .run/logs")


def _is_marked_ready(pid: int) -> bool:
    return paths.READY_FILE.exists() and paths.READY_FILE.read_text() == str(pid)


def down() -> int:
    """End the stack of this checkout, wherever it runs."""
    if single.holder(paths.LOCK_FILE) is None:
        print("  nothing runs here")
        return 0
    if not single.end_holder(paths.LOCK_FILE, patience_seconds=DOWN_SECONDS):
        raise StackFailed(f"it did not end within {DOWN_SECONDS:.0f} s; its log is .run/logs/stack.log")
    print("  stopped")
    return 0


def status() -> int:
    """Say whether a stack runs here and what it answers; exit 0 if it is ready."""
    running = single.holder(paths.LOCK_FILE)
    if running is None:
        print("  nothing runs here")
        return 3
    try:
        answer = httpx.get(f"{web_url()}/readyz", timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        print(f"  running (pid {running}), the web server doesn't answer")
        return 1
    is_ready = answer.status_code == httpx.codes.OK
    print(f"  running (pid {running}), {'ready' if is_ready else 'not ready: ' + answer.text}")
    return 0 if is_ready else 1


def reset() -> int:
    """Empty database, Redis, chain, secrets and logs; refused while a stack runs."""
    with single.held(paths.LOCK_FILE):
        for path in paths.RUN.iterdir():
            if path.name not in KEPT:
                remove(path)
        remove(footing.copy_of(paths.RUN / "postgres"))
    print("  empty: the next `make run` starts afresh")
    return 0


def remove(path: Path) -> None:
    """Delete a file or folder; nothing happens if there is none."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def chosen_ports() -> Ports:
    """The ports that the environment chose."""
    offset = os.environ.get("PORT_OFFSET", "0")
    if not offset.isdecimal() or not 0 <= int(offset) <= 20_000:
        raise StackFailed(f"PORT_OFFSET must be a number from 0 to 20000, not {offset!r}")
    return Ports(offset=int(offset))


def web_url() -> str:
    """Where the running stack's web server is."""
    if paths.ENV_FILE.exists():
        return environment.read(paths.ENV_FILE)["WEB_URL"]
    return f"http://{LOOPBACK}:{chosen_ports().web}"


def banner(system: dict[str, str], *, seconds: float) -> str:
    """Where to look, and what to type next."""
    web, offset = system["WEB_URL"], int(system["PORT_OFFSET"])
    password = system["OPERATOR_PASSWORD"] or "as set before"
    user, _, flower_password = system["FLOWER_BASIC_AUTH"].partition(":")
    return f"""
  Ready after {seconds:.1f} s. {system["EXEC_MODE"]} on chain {system["CHAIN_ID"]}.

    admin     {web}/admin/         operator / {password}
    queues    http://{LOOPBACK}:{Ports(offset=offset).flower}/               {user} / {flower_password}
    API       {web}/api/docs/
    health    {web}/health
    metrics   {web}/metrics

  Now, in another terminal:

    make demo                  a signed signal becomes a position, and is closed again
    . .run/env                 addresses and secrets for your shell; then, for example

    vanta signal send --symbol BTC-USD --side LONG --account 123 --collateral 50 --leverage 3

    payload='{{"source":"drill","signal_id":"test-001","tg_user_id":123,"symbol":"BTC-USD","side":"LONG","collateral_usdc":5,"leverage_x":2}}'
    sig=$(echo -n "$payload" | openssl dgst -sha256 -hmac "$WEBHOOK_HMAC_SECRET" -r | cut -d' ' -f1)
    curl -X POST "$WEB_URL/signals" -H "Content-Type: application/json" -H "X-Signature: $sig" -d "$payload"
"""


COMMANDS: dict[str, Callable[[], int]] = {
    "run": lambda: run(is_shown=True),
    "up": up,
    "down": down,
    "reset": reset,
    "status": status,
}

if __name__ == "__main__":
    sys.exit(main())
