"""A source: how it proves that a signal is its own, and what its signals do by themselves."""

from datetime import datetime, timedelta
from enum import StrEnum

# A source's last word is noted at most this often: its row is not written with each signal.
HEARD_RESOLUTION = timedelta(seconds=10)
# When a secret was last used is noted at most this often.
USED_RESOLUTION = timedelta(minutes=1)


class Auth(StrEnum):
    """How a source proves that a body is its own."""

    SIGNATURE = "SIGNATURE"  # hex HMAC-SHA256 of the body in X-Signature
    STANDARD = "STANDARD"  # the three headers of Standard Webhooks
    TOKEN = "TOKEN"  # a random token in the path, for senders that can't sign  # noqa: S105 - a word


class SourceMode(StrEnum):
    """What becomes of a source's signals."""

    AUTO = "AUTO"  # decided at once
    APPROVE = "APPROVE"  # a person says yes first
    OBSERVE = "OBSERVE"  # decided and shown, never executed


def is_silent(*, heard_at: datetime, heartbeat_seconds: int, now: datetime) -> bool:
    """Whether a source has said nothing for longer than it may; a word that isn't noted yet is allowed for."""
    return now - heard_at > timedelta(seconds=heartbeat_seconds) + HEARD_RESOLUTION
