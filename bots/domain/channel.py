"""A channel: somebody outside who is told of events, and which of them he wants."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from trading.domain.lifecycle import Lifecycle


class ChannelKind(StrEnum):
    """How a channel is reached."""

    WEBHOOK = "WEBHOOK"  # an HTTPS address that takes a signed POST


class ChannelStatus(StrEnum):
    """Whether a channel is told anything."""

    ACTIVE = "ACTIVE"  # told, as fast as it takes it
    PAUSED = "PAUSED"  # told nothing for now; what happens meanwhile is kept for it
    DISABLED = "DISABLED"  # gone, or failing for days: nothing new is kept for it


_S = ChannelStatus

LIFECYCLE = Lifecycle(
    name="channel",
    initial=(_S.ACTIVE,),
    moves={
        _S.ACTIVE: (_S.PAUSED, _S.DISABLED),
        _S.PAUSED: (_S.ACTIVE, _S.DISABLED),
        # What happened while it was disabled stays untold.
        _S.DISABLED: (_S.ACTIVE,),
    },
)

# How long the secret before the newest one signs too.
ROTATION = timedelta(days=1)
# Without one delivery for as long, a channel is given up.
PATIENCE = timedelta(days=5)
_FIRST_REST, _LONGEST_REST = timedelta(seconds=5), timedelta(minutes=10)
_DOUBLINGS = 7


def wants(patterns: Iterable[str], kind: str) -> bool:
    """Whether one of a channel's patterns names an event: `order.*`, `position.filled`, `*`."""
    return any(fnmatchcase(kind, pattern) for pattern in patterns)


def rest(failures: int) -> timedelta:
    """How long a channel is left alone after so many rounds in a row in which nothing came through.

    What else is owed to it waits too: a target that is down is asked by one message at a time, not by all of them.
    """
    doubled: int = 2 ** min(failures - 1, _DOUBLINGS)
    return min(_FIRST_REST * doubled, _LONGEST_REST)
