"""The chain behind the proxy, on one connection that stays open."""

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
Call = tuple[str, Sequence[Any]]

TIMEOUT_SECONDS = 30.0
_HEADERS = {"Content-Type": "application/json"}


class UpstreamAway(Exception):
    """The chain doesn't answer."""


class Upstream:
    """A connection to the chain, for one thread at a time. httpx would cost three times as much here."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = parts.path or "/"
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """The chain's own status and answer, as they are.

        Raises:
            UpstreamAway: if there is none.
        """
        was_open = self._connection.sock is not None
        try:
            return self._posted(body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            # A connection that a restarted chain has left ends at the first word: nobody has read it.
            if was_open and isinstance(error, http.client.RemoteDisconnected | ConnectionError):
                return self._posted_afresh(body)
            raise UpstreamAway(str(error)) from None

    def answers(self, requests: Sequence[Json]) -> list[Json]:
        """The answers to a batch, in its order, without their frames: each a `result` or an `error`."""
        if not requests:
            return []
        batch = [{"jsonrpc": "2.0", **request, "id": number} for number, request in enumerate(requests)]
        _, body = self.post(json.dumps(batch).encode())
        try:
            by_id = {answer["id"]: answer for answer in json.loads(body)}
            return [_content(by_id[number]) for number in range(len(batch))]
        except (ValueError, KeyError, TypeError):
            raise UpstreamAway(f"a batch was answered with {body[:200]!r}") from None

    def ask(self, *calls: Call) -> list[Any]:
        """The results of several calls of our own; an error's place is None."""
        answers = self.answers([{"method": method, "params": list(params)} for method, params in calls])
        return [answer.get("result") for answer in answers]

    def _posted(self, body: bytes) -> tuple[int, bytes]:
        self._connection.request("POST", self._path, body=body, headers=_HEADERS)
        response = self._connection.getresponse()
        return response.status, response.read()

    def _posted_afresh(self, body: bytes) -> tuple[int, bytes]:
        try:
            return self._posted(body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise UpstreamAway(str(error)) from None


def _content(answer: Json) -> Json:
    return {name: answer[name] for name in ("result", "error") if name in answer}


def first_parameter(request: Json) -> Any:
    """A request's first parameter; None if it has none."""
    params = request.get("params")
    return params[0] if isinstance(params, list) and params else None
