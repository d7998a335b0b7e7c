"""API tokens: how one is written, and what its scopes cover."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trading.domain.people import Act

# The public half finds the row; the secret half, 256 bits of chance, proves it. A search for the prefix finds leaked ones.
_WRITTEN = re.compile(r"vanta_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)


class Scope(StrEnum):
    """What a token is for; it covers acts, of which its person's roles may allow fewer."""

    READ = "READ"  # looks
    TRADE = "TRADE"  # sends signals and closes
    LIMIT = "LIMIT"  # makes the desk more cautious: stops, halts, pauses, locks, flattens, lowers
    OPERATE = "OPERATE"  # keeps the desk going: senders, intents, switches, and ending what LIMIT began
    ADMIN = "ADMIN"  # lets more happen: limits, senders, the mode, people


ACTS: dict[Scope, frozenset[Act]] = {
    Scope.READ: frozenset({Act.SEE, Act.REVIEW}),
    Scope.TRADE: frozenset({Act.TRADE}),
    Scope.LIMIT: frozenset({Act.STOP, Act.LOWER_LIMITS, Act.PAUSE, Act.LOCK, Act.GO_DRY, Act.HALT, Act.FLATTEN}),
    Scope.OPERATE: frozenset({Act.MAINTAIN, Act.RESUME, Act.UNLOCK, Act.OPERATE}),
    Scope.ADMIN: frozenset(
        {Act.EMPOWER, Act.MANAGE_SOURCES, Act.MANAGE_CHANNELS, Act.RAISE_LIMITS, Act.LIFT_STOP, Act.GO_LIVE, Act.ADMIT}
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Halves:
    """A token's public half and its secret one."""

    public_id: str
    secret: str

    def __str__(self) -> str:
        return f"vanta_{self.public_id}_{self.secret}"

    @property
    def digest(self) -> str:
        """What is kept of the secret: sha256, enough for 256 bits of chance."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def halves(text: str) -> Halves | None:
    """The halves of a token as a caller sent it; None if it isn't written like one."""
    found = _WRITTEN.fullmatch(text)
    return Halves(public_id=found[1], secret=found[2]) if found else None


def covered(scopes: Iterable[str]) -> frozenset[Act]:
    """The acts of some scopes together."""
    return frozenset().union(*(ACTS[Scope(scope)] for scope in scopes))
