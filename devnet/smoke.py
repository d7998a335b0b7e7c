"""`make smoke`: the short critical checks on a running system. Starts one, and ends it, if none runs."""

import sys
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

import psycopg

from devnet import demo, paths, single, stack
from devnet.desk import Desk, DeskSilent, running


class SmokeFailed(Exception):
    """A check did not hold; the message says what was seen."""


def main() -> int:
    """Run every check; exit 0 only if all hold."""
    was_running = single.holder(paths.LOCK_FILE) is not None
    if not was_running and stack.up() != 0:
        return 1
    try:
        desk, system = running()
        failed = [check.__name__ for check in CHECKS if not holds(check, desk, system)]
    finally:
        if not was_running:
            stack.down()
    print(f"smoke: {len(CHECKS) - len(failed)} of {len(CHECKS)} passed")
    return 1 if failed else 0


def holds(check: "Check", desk: Desk, system: Mapping[str, str]) -> bool:
    """Run one check and say how it went."""
    begun = time.monotonic()
    try:
        check(desk, system)
    except (SmokeFailed, DeskSilent, demo.DemoFailed, psycopg.OperationalError) as problem:
        print(f"smoke: {check.__name__} FAILED: {problem}")
        return False
    print(f"smoke: {check.__name__} ok, {time.monotonic() - begun:.1f} s")
    return True


def health_says_ok(desk: Desk, _system: Mapping[str, str]) -> None:
    """The health page answers 200 and calls the system ok."""
    status = desk.get("/health").json()["status"]
    if status != "ok":
        raise SmokeFailed(f"/health says {status}")


def metrics_count_no_duplicate(desk: Desk, _system: Mapping[str, str]) -> None:
    """The violations that must never happen stand at 0."""
    lines = desk.get("/metrics").text.splitlines()
    counts = [line for line in lines if line.startswith("vanta_intent_duplicate_total")]
    if not counts:
        raise SmokeFailed("/metrics does not name vanta_intent_duplicate_total")
    if any(float(line.rsplit(" ", 1)[1]) != 0 for line in counts):
        raise SmokeFailed(f"/metrics counts duplicates: {counts}")


def a_trade_opens_and_closes(desk: Desk, _system: Mapping[str, str]) -> None:
    """One round trip, as in the demo."""
    demo.round_trip(desk, run_id=f"smoke-{uuid4().hex[:8]}")


def a_repeated_signal_is_one_intent(desk: Desk, system: Mapping[str, str]) -> None:
    """The same body sent three times leaves one row in the ledger."""
    name = f"smoke-{uuid4().hex}"
    order = {"symbol": "BTC-USD", "side": "LONG", "collateral_usdc": 5, "leverage_x": 2, "slippage_pct": 1}
    payload = {"source": "smoke", "signal_id": name, "tg_user_id": demo.TRADER, **order}
    answers = [desk.send(payload) for _ in range(3)]
    codes = [answer.status_code for answer in answers]
    if codes != [202, 200, 200]:
        raise SmokeFailed(f"three equal signals were answered {codes}")
    demo.follow(desk, answers[0].json()["intent_key"], begun=time.monotonic())
    demo.perform(desk, name=f"close-{uuid4().hex}", order={"side": "CLOSE", "slippage_pct": "1"})
    if intents(system["DATABASE_URL"], signal_id=name) != 1:
        raise SmokeFailed("three equal signals did not leave exactly one intent")


def intents(database_url: str, *, signal_id: str) -> int:
    """How many on-chain effects the ledger owes for a signal."""
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        row = connection.execute("SELECT count(*) FROM tx_intents WHERE intent_key LIKE %s", [f"%{signal_id}%"]).fetchone()
    return int(row[0]) if row else 0


Check = Callable[[Desk, Mapping[str, str]], None]
CHECKS: tuple[Check, ...] = (
    health_says_ok,
    a_trade_opens_and_closes,
    a_repeated_signal_is_one_intent,
    metrics_count_no_duplicate,
)

if __name__ == "__main__":
    sys.exit(main())
