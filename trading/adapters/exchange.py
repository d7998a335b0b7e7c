"""One HTTP exchange with a price service: bounded in time and in size, its answer JSON with exact numbers."""

import json
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import NoReturn

import httpx

from trading.domain.errors import Unavailable

# From the connection to the last byte, in seconds; a single silence in between may last as long once more.
PATIENCE_SECONDS = 1.5
# Fifty times what a service says of a hundred markets.
MAX_BYTES = 1_048_576

Params = Sequence[tuple[str, str]]


class Exchange:
    """A service's door. Made for one process: its connections stay open between rounds."""

    def __init__(self, *, source: str, headers: Mapping[str, str] | None = None) -> None:
        self._source = source
        # Nothing is compressed: the bound counts what arrives.
        self._http = httpx.Client(timeout=PATIENCE_SECONDS, headers={"Accept-Encoding": "identity", **(headers or {})})

    def get(self, url: str, params: Params = ()) -> object:
        """What a GET answers.

        Raises:
            Unavailable: if it isn't JSON, isn't 200, is too long or too late.
        """
        return self._decoded(self._body("GET", url, params=params))

    def post(self, url: str, question: object) -> object:
        """What a POST of JSON answers.

        Raises:
            Unavailable: as for `get`.
        """
        return self._decoded(self._body("POST", url, question=question))

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def _body(self, method: str, url: str, *, params: Params = (), question: object = None) -> bytes:
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            with self._http.stream(method, url, params=list(params), json=question) as response:
                if response.status_code != HTTPStatus.OK:
                    raise self._trouble(f"HTTP {response.status_code}")
                return self._read(response, deadline=deadline)
        # Their texts hold the address, and an address may hold a key: only their names go on.
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._trouble(type(error).__name__) from None

    def _read(self, response: httpx.Response, *, deadline: float) -> bytes:
        body = bytearray()
        for part in response.iter_raw():
            body += part
            if len(body) > MAX_BYTES:
                raise self._trouble("too long")
            # httpx bounds each silence, not their sum: a server that drips would never end.
            if time.monotonic() > deadline:
                raise self._trouble("too slow")
        return bytes(body)

    def _decoded(self, body: bytes) -> object:
        try:
            return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise self._trouble("not JSON") from None

    def _trouble(self, error: str) -> Unavailable:
        return Unavailable("a price service doesn't answer", source=self._source, error=error)


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no prices")
