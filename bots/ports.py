"""What `bots` asks of the outside, in our words."""

from collections.abc import Mapping
from typing import Protocol

from bots.domain.delivery import Answer


class Postman(Protocol):
    """Who carries a message to a target."""

    def check(self, url: str, /) -> None:
        """Pass if a URL may be a target. Talks to nobody.

        Raises:
            TargetRefused: if it may not.
        """
        ...

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """What came of one POST, within PATIENCE_SECONDS of the adapter. Never raises: a refusal and a silence are answers."""
        ...
