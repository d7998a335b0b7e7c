"""Every error that we raise on purpose.

VantaError
 ├─ Invalid       the caller must change what it asks
 ├─ Conflict      the caller must look again: things stand otherwise
 ├─ Denied        the caller may not, or not now
 └─ Unavailable   nobody's fault here: the same call may go through later

A module that raises one declares it beside the function, with its own stable `code`.
"""

from typing import ClassVar


class VantaError(Exception):
    """A broken promise with a stable code; `facts` are safe to log and to show."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Invalid(VantaError):
    """The request itself is wrong; sending it again can't help."""

    code = "INVALID"


class Conflict(VantaError):
    """What was asked doesn't fit how things stand now."""

    code = "CONFLICT"


class Denied(VantaError):
    """The caller isn't allowed to."""

    code = "DENIED"


class Unavailable(VantaError):
    """Something outside didn't answer; the row stays due and is tried again."""

    code = "UNAVAILABLE"
