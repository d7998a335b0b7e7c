"""`make demo`: a signed signal becomes a position, and the position is closed, line by line with milliseconds."""

import sys
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from devnet.desk import Desk, DeskSilent, Journey, running

TRADER = 123
LONGEST_SECONDS = 90.0
POLL_SECONDS = 0.1
ACCEPTED = (200, 202)
HASH_LENGTH = 66


class DemoFailed(Exception):
    """The journey ended somewhere else than in a fill."""


def main() -> int:
    """Open and close one position on the running system."""
    try:
        desk, system = running()
        print(f"  {system['EXEC_MODE']} on chain {system['CHAIN_ID']}, trader {TRADER}\n")
        round_trip(desk, run_id=uuid4().hex[:8])
    except (DeskSilent, DemoFailed) as problem:
        print(f"vanta: {problem}", file=sys.stderr)
        return 1
    return 0


def round_trip(desk: Desk, *, run_id: str) -> None:
    """Open BTC-USD with 50 USDC at 3x, then close it and show what it brought."""
    opening = {"side": "LONG", "collateral_usdc": "50", "leverage_x": "3", "slippage_pct": "1"}
    opened = perform(desk, name=f"open-{run_id}", order=opening)
    print(f"  the position is open at {opened.fills[-1]['price']}\n")
    closed = perform(desk, name=f"close-{run_id}", order={"side": "CLOSE", "slippage_pct": "1"})
    print(f"  closed at {closed.fills[-1]['price']}; realised PnL {realised(closed)} USDC")


def perform(desk: Desk, *, name: str, order: Mapping[str, str]) -> Journey:
    """Send one signal and follow it until it is filled."""
    payload = {"source": "demo", "signal_id": name, "tg_user_id": TRADER, "symbol": "BTC-USD", **order}
    words = " ".join(order.values())
    begun = time.monotonic()
    answer = desk.send(payload)
    show(milliseconds(begun), f"POST /signals {answer.status_code}", f"BTC-USD {words}")
    if answer.status_code not in ACCEPTED:
        raise DemoFailed(f"the desk refused the signal: {answer.text}")
    journey = follow(desk, answer.json()["intent_key"], begun=begun)
    if journey.state != "filled":
        raise DemoFailed(f"the signal ended as {journey.state}: {reason(journey)}")
    return journey


def follow(desk: Desk, intent_key: str, *, begun: float) -> Journey:
    """Print each event of a signal's journey once, until it has ended."""
    shown = 0
    while True:
        journey = desk.journey(intent_key)
        for event in journey.timeline[shown:]:
            show(event["ms"], event["event"], detail(event.get("detail")))
        shown = len(journey.timeline)
        if journey.has_ended:
            return journey
        if time.monotonic() - begun > LONGEST_SECONDS:
            raise DemoFailed(f"still {journey.state} after {LONGEST_SECONDS:.0f} s: look at {intent_key} in the admin")
        time.sleep(POLL_SECONDS)


def realised(journey: Journey) -> str:
    """The PnL of a closing, as the desk computed it."""
    return ", ".join(str(fill["realised_pnl_usdc"]) for fill in journey.fills)


def reason(journey: Journey) -> str:
    """Why a signal was not filled, as far as its decision or orders say."""
    if journey.decision.get("message"):
        return str(journey.decision["message"])
    return ", ".join(str(order.get("status")) for order in journey.orders) or "no reason given"


def detail(value: Any) -> str:
    """An event's detail on one line."""
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {shortened(str(value[name]))}" for name in value if value[name] not in (None, ""))
    return str(value or "")


def shortened(word: str) -> str:
    """A hash by its first characters; anything else as it stands."""
    return f"{word[:10]}…" if word.startswith("0x") and len(word) == HASH_LENGTH else word


def show(since_start_ms: float, event: str, text: str) -> None:
    """One line of the journey."""
    print(f"  {since_start_ms:>7.0f} ms  {event:<22} {text}".rstrip(), flush=True)


def milliseconds(begun: float) -> float:
    """How long ago an instant of the monotonic clock was."""
    return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    sys.exit(main())
