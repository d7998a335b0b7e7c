"""JSON-RPC to a node, synchronous and small."""

import itertools
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

Call = tuple[str, Sequence[Any]]


class RpcUnavailable(Exception):
    """The node didn't answer, or not in JSON-RPC: nothing is known."""


class RpcError(Exception):
    """The node answered with an error."""

    def __init__(self, *, method: str, code: int, message: str, data: object = None) -> None:
        super().__init__(f"{method}: {message} ({code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class Rpc:
    """A connection to one node. `call` and `batch` raise RpcUnavailable when it doesn't answer."""

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        self._url = url
        # A node is on this machine: a proxy of the environment has no business here.
        self._http = httpx.Client(timeout=timeout_seconds, trust_env=False)
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, method: str, *params: Any) -> Any:
        """One call's result.

        Raises:
            RpcError: if the node refuses it.
        """
        result = _result(method, self._post(self._request(method, params)))
        if isinstance(result, RpcError):
            raise result
        return result

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The results of several calls, in order. A refused one is an RpcError in its place, not raised."""
        if not calls:
            return []
        requests = [self._request(method, params) for method, params in calls]
        answers = self._post(requests)
        if not isinstance(answers, list):
            raise RpcUnavailable(f"a batch was answered with {str(answers)[:200]}")
        by_id = {answer.get("id"): answer for answer in answers}
        return [_result(request["method"], by_id.get(request["id"], {})) for request in requests]

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, body: object) -> Any:
        try:
            answer = self._http.post(self._url, json=body)
            return answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise RpcUnavailable(f"{self._url}: {error}") from error


def _result(method: str, answer: Any) -> Any:
    if "error" in answer:
        error = answer["error"]
        return RpcError(method=method, code=error["code"], message=error["message"], data=error.get("data"))
    if "result" not in answer:
        raise RpcUnavailable(f"{method} has no answer")
    return answer["result"]
