"""A client of the running desk: signs, sends, asks where a signal stands."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from devnet import environment, paths

# Open or closed for good: nothing follows these.
ENDED = frozenset({"denied", "expired", "filled", "canceled", "failed", "rejected", "set_aside"})


class DeskSilent(Exception):
    """No desk answers; the message says what to type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """Where one signal stands, as the desk told it."""

    state: str
    timeline: list[Mapping[str, Any]]
    decision: Mapping[str, Any]
    orders: list[Mapping[str, Any]]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def fills(self) -> list[Mapping[str, Any]]:
        """What the venue executed for it."""
        return [fill for order in self.orders for fill in order.get("fills") or []]


class Desk:
    """One desk at one address, spoken to as its default source."""

    def __init__(self, *, url: str, secret: str) -> None:
        self._secret = secret.encode()
        self._http = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def send(self, payload: Mapping[str, Any]) -> httpx.Response:
        """Post a signed signal; the answer as it came.

        Raises:
            DeskSilent: if nobody listens.
        """
        body = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json", "X-Signature": self.signature(body)}
        try:
            return self._http.post("/signals", content=body, headers=headers)
        except httpx.TransportError as problem:
            raise DeskSilent(f"nothing answers at {self._http.base_url} ({problem}): type `make run` first") from problem

    def journey(self, intent_key: str) -> Journey:
        """Where a signal stands."""
        path = f"/signals/{quote(intent_key, safe=':')}"
        answer = self.get(path, headers={"X-Signature": self.signature(path.encode())}).json()
        return Journey(
            state=answer["state"],
            timeline=answer.get("timeline") or [],
            decision=answer.get("decision") or {},
            orders=answer.get("orders") or [],
        )

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """One page, which must answer 200.

        Raises:
            DeskSilent: if nobody listens, or it answers something else.
        """
        try:
            return self._http.get(path, headers=headers).raise_for_status()
        except httpx.HTTPError as problem:
            raise DeskSilent(f"{path}: {problem}") from problem

    def signature(self, message: bytes) -> str:
        """The hexadecimal HMAC-SHA256 that the desk expects."""
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


def running(path: Path = paths.ENV_FILE) -> tuple[Desk, dict[str, str]]:
    """The desk of this checkout and its environment.

    Raises:
        DeskSilent: if none was ever started here.
    """
    if not path.exists():
        raise DeskSilent("nothing was ever started here: type `make run` first")
    system = environment.read(path)
    return Desk(url=system["WEB_URL"], secret=system["WEBHOOK_HMAC_SECRET"]), system
