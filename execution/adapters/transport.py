"""One HTTP exchange of JSON-RPC: bounded in time and in size, and read by the numbers of its questions."""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, cast

import httpx
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from execution.adapters.trouble import NotSent, Throttled
from trading.domain.errors import Unavailable

Request = tuple[str, list[Any]]
Response = dict[str, Any]

# A node that doesn't even take the connection within this isn't waited for, in seconds.
_CONNECT_PATIENCE = 1.0
# Nothing is compressed: the bound counts what arrives.
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class BoundedProvider(AsyncJSONBaseProvider):
    """web3's provider with what its own HTTP lacks: one deadline for an exchange however slowly it drips, and a bound.

    Nothing is tried twice: a broadcast must be seen to fail when it failed.
    """

    def __init__(self, url: str, *, patience_seconds: float, max_bytes: int) -> None:
        super().__init__()
        self._url = url
        self._patience = patience_seconds
        self._max_bytes = max_bytes
        timeout = httpx.Timeout(patience_seconds, connect=min(_CONNECT_PATIENCE, patience_seconds))
        self._client = httpx.AsyncClient(timeout=timeout, headers=_HEADERS)

    async def make_batch_request(self, requests: Sequence[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """The answers to a batch, in its order.

        Raises:
            NotSent: if no connection came about.
            Throttled: if the endpoint turned it away for its frequency.
            Unavailable: if it doesn't answer in time, or not these questions.
        """
        asked = [self.form_request(method, params) for method, params in requests]
        body = await self._post(json.dumps(asked).encode())
        return cast(list[RPCResponse], _matched(_decoded(body), numbers=[cast(int, request["id"]) for request in asked]))

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """The answer to one request, under the same bounds."""
        (answer,) = await self.make_batch_request([(method, params)])
        return answer

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def _post(self, body: bytes) -> bytes:
        try:
            async with asyncio.timeout(self._patience), self._client.stream("POST", self._url, content=body) as response:
                _check(response.status_code)
                return await _read(response, max_bytes=self._max_bytes)
        # Their texts hold the address, and an address may hold a key: only their names go on.
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSent("an endpoint can't be reached", error=type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise Unavailable("an endpoint doesn't answer", error=type(error).__name__) from None


def _check(status: int) -> None:
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("an endpoint has had too many requests", error="HTTP 429")
    if status != HTTPStatus.OK:
        raise Unavailable("an endpoint doesn't answer", error=f"HTTP {status}")


async def _read(response: httpx.Response, *, max_bytes: int) -> bytes:
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > max_bytes:
            raise Unavailable("an endpoint answers without end", error="too long")
    return bytes(body)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unavailable("an endpoint answers nonsense", error="not JSON") from None


def _matched(answers: Any, *, numbers: Sequence[int]) -> list[Response]:
    """The answers by the numbers of their questions: the order of a batch's answers is free."""
    # One object for a whole batch says nothing about its parts: some providers answer so
    # when a single part failed, and the others were worked.
    if not isinstance(answers, list):
        raise Unavailable("an endpoint answers nonsense", error="not a batch")
    found = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and type(answer.get("id")) is int}
    if len(answers) != len(numbers) or any(number not in found for number in numbers):
        raise Unavailable("an endpoint answers other questions", error="incomplete batch")
    return [found[number] for number in numbers]
