"""The desk behind its API: each method is one request, or a few of the same."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

from vanta import problems
from vanta.answers import Acceptance, Event, Journey, Mode, Page, Position, Protection
from vanta.copying import Amount, Copying
from vanta.problems import Silent, Unrecognized

TIMEOUT_SECONDS = 10.0
# What may be sent again is, so often and after so long: the ids in it make sure that it is done once.
TRIES, PAUSE_SECONDS = 4, 0.5
POLL_SECONDS = 0.25

# What a header can hold; whether it is a good one, the desk says.
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Desk(Copying):
    """One desk at one address, spoken to with one token. Methods raise `vanta.Problem`."""

    def __init__(
        self,
        *,
        url: str,
        token: str,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not _TOKEN.fullmatch(token):
            raise Unrecognized("this is no token", code="TOKEN_INVALID")
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT_SECONDS,
            # Neither a proxy nor a redirect gets to see the token.
            trust_env=False,
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    # --- signals

    def send_signal(
        self,
        *,
        symbol: str,
        side: str,
        tg_user_id: int,
        signal_id: str = "",
        collateral_usdc: Amount | None = None,
        leverage_x: Amount | None = None,
        reduce_usdc: Amount | None = None,
        reduce_pct: Amount | None = None,
        slippage_pct: Amount | None = None,
        price: Amount | None = None,
        take_profit: Amount | None = None,
        stop_loss: Amount | None = None,
        at: datetime | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> Acceptance:
        """Send a signal once, however often the network loses the answer. `signal_id`: empty makes one."""
        amounts = {
            "collateral_usdc": collateral_usdc,
            "leverage_x": leverage_x,
            "reduce_usdc": reduce_usdc,
            "reduce_pct": reduce_pct,
            "slippage_pct": slippage_pct,
            "price": price,
            "take_profit": take_profit,
            "stop_loss": stop_loss,
        }
        said: dict[str, Any] = {"signal_id": signal_id or uuid4().hex, "tg_user_id": tg_user_id, "symbol": symbol, "side": side}
        said |= {name: str(amount) for name, amount in amounts.items() if amount is not None}
        said |= {} if at is None else {"ts": at.isoformat()}
        said |= {} if meta is None else {"meta": meta}
        return Acceptance.of(self._post("signals", said))

    def journey(self, signal: int) -> Journey:
        """Where a signal stands, by its number."""
        return Journey.of(self._get(f"signals/{signal}/journey"))

    def follow(self, signal: int, *, seconds: float = 120.0) -> Iterator[Journey]:
        """A signal's journey each time that something happened, until it has ended.

        Raises:
            Silent: if it hasn't ended after so many seconds; it goes on all the same.
        """
        ends_at, told = time.monotonic() + seconds, -1
        while True:
            journey = self.journey(signal)
            if len(journey.timeline) > told:
                told = len(journey.timeline)
                yield journey
            if journey.has_ended:
                return
            if time.monotonic() > ends_at:
                raise Silent(f"still {journey.state} after {seconds:.0f} s; it goes on", code="STILL_ON_ITS_WAY")
            self._sleep(POLL_SECONDS)

    def find_signal(self, intent_key: str) -> int:
        """A signal's number, by the key that the door answered with.

        Raises:
            Unknown: if there is none that this token sees.
        """
        found = self._get("signals", intent_key=intent_key)["results"]
        if not found:
            raise problems.Unknown("there is no such signal", code="NOT_FOUND", status=404)
        return int(found[0]["id"])

    # --- what trading made

    def results(self, **asked: str | int) -> list[dict[str, Any]]:
        """What each day, week, month or market (`by`) of an account (`tg_user_id`) brought in one `book`, after all costs."""
        rows: list[dict[str, Any]] = self._get("results", **asked)["results"]
        return rows

    # --- positions

    def positions(self, *, cursor: str | None = None, **narrowed_by: str | int) -> Page[Position]:
        """Positions, the newest first, narrowed by status, book, direction, symbol or tg_user_id."""
        page = self._get("positions", **narrowed_by, **({"cursor": cursor} if cursor else {}))
        return Page(results=tuple(Position.of(each) for each in page["results"]), next=page["next"])

    def all_positions(self, **narrowed_by: str | int) -> Iterator[Position]:
        """The same, page after page."""
        cursor: str | None = None
        while True:
            page = self.positions(cursor=cursor, **narrowed_by)
            yield from page.results
            if page.next is None:
                return
            cursor = page.next

    def close_position(self, position: int, *, reduce_pct: Amount | None = None, key: str = "") -> Acceptance:
        """Close a position, or a share of it. `key` names the request: the same key closes once; empty makes one."""
        said = {} if reduce_pct is None else {"reduce_pct": str(reduce_pct)}
        return Acceptance.of(self._post(f"positions/{position}/close", said, key=key or uuid4().hex))

    def protection(self, position: int) -> Protection:
        """What guards a position.

        Raises:
            Unknown: if nothing does.
        """
        return Protection.of(self._get(f"positions/{position}/protection"))

    def protect(self, position: int, guard: Mapping[str, Any], *, reason: str) -> Protection:
        """Guard a position by this from now on, in place of what guards it."""
        return Protection.of(self._ask("PUT", f"positions/{position}/protection", json={**guard, "reason": reason}))

    def unprotect(self, position: int) -> Protection:
        """Take away what guards a position; what is answered is what did."""
        return Protection.of(self._ask("DELETE", f"positions/{position}/protection"))

    def breakeven(self, position: int, *, reason: str) -> Protection:
        """Move a position's stop to where closing it costs nothing."""
        return Protection.of(self._post(f"positions/{position}/breakeven", {"reason": reason}))

    # --- the desk

    def mode(self) -> Mode:
        """What holds now, and why."""
        return Mode.of(self._get("mode"))

    def switch_mode(self, mode: str, *, reason: str, confirmation: str = "") -> Mode:
        """Say which mode is wanted; LIVE is confirmed by typing it."""
        said = {"mode": mode, "reason": reason} | ({"confirmation": confirmation} if confirmation else {})
        return Mode.of(self._post("mode/switch", said))

    def emergency_stop(self, *, reason: str = "") -> Mode:
        """Let nothing new be signed from now on."""
        return Mode.of(self._post("emergency-stop", {"reason": reason} if reason else {}))

    def events(self, *, after: str = "", limit: int = 200, trace_id: str = "") -> tuple[tuple[Event, ...], str]:
        """What happened after a place, and the place to go on from. `after`: empty from the beginning, `latest` from now."""
        asked = {"limit": limit} | {name: value for name, value in (("after", after), ("trace_id", trace_id)) if value}
        page = self._get("events", **asked)
        return tuple(Event.of(each) for each in page["results"]), page["next"]

    def tail(self, *, after: str = "latest") -> Iterator[Event]:
        """Everything that happens from a place on, in the order of the commits, without an end."""
        while True:
            found, after = self.events(after=after)
            yield from found
            if not found:
                self._sleep(POLL_SECONDS)

    # --- the wire

    def _get(self, path: str, **asked: str | int) -> dict[str, Any]:
        return self._ask("GET", path, params=asked)

    def _post(self, path: str, said: Mapping[str, Any], *, key: str = "") -> dict[str, Any]:
        return self._ask("POST", path, json=said, headers={"Idempotency-Key": key} if key else {})

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        for left in reversed(range(TRIES)):
            try:
                return self._once(method, path, **more)
            except Silent as problem:
                # Everything that changes something is named: by its signal id, by its key, or by what it wants.
                if not left or problem.code in _FINAL:
                    raise
                self._sleep(PAUSE_SECONDS)
        raise AssertionError("the last try raises or returns")

    def _once(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Silent(f"nothing answers at {self._http.base_url}: {type(error).__name__}", code="NO_ANSWER") from error
        document = _document(answer)
        if not answer.is_success:
            raise problems.of_answer(answer.status_code, document)
        return document


# Too many calls: sending at once again is what was too much.
_FINAL = frozenset({"TOO_MANY_REQUESTS"})


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Silent("what answers there isn't a desk", code="NO_DESK", status=answer.status_code)
    return document
