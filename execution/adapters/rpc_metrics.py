"""What Prometheus is told of the chain's endpoints: by their place in the list, never by their address."""

from collections import Counter as Tally
from collections.abc import Sequence
from enum import StrEnum

from prometheus_client import Counter, Gauge, Histogram

METHODS = (
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_getBalance",
    "eth_getBlockByHash",
    "eth_getBlockByNumber",
    "eth_getBlockReceipts",
    "eth_getCode",
    "eth_getLogs",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_sendRawTransaction",
)


class Outcome(StrEnum):
    """How an exchange ended."""

    ANSWERED = "answered"
    THROTTLED = "throttled"
    SILENT = "silent"


_requests = Counter("vanta_rpc_requests", "Requests to the chain's endpoints.", ["endpoint", "method", "outcome"])
_seconds = Histogram("vanta_rpc_seconds", "Length of an exchange with an endpoint.", ["endpoint"])
_healthy = Gauge("vanta_rpc_healthy", "Whether an endpoint is read from, as this process sees it.", ["endpoint"])
_unknown = Counter("vanta_node_answers_unknown", "Nodes' words about our bytes that no table has.")


def prepare(endpoints: int) -> None:
    """Let every label set stand at 0: a counter that is born at 1 never alerts."""
    for endpoint in map(str, range(endpoints)):
        _seconds.labels(endpoint)
        _healthy.labels(endpoint)
        for method in METHODS:
            for outcome in Outcome:
                _requests.labels(endpoint, method, outcome)


def note_exchange(endpoint: int, methods: Sequence[str], outcome: Outcome, *, seconds: float) -> None:
    """Count an exchange."""
    for method, times in Tally(methods).items():
        _requests.labels(str(endpoint), method, outcome).inc(times)
    _seconds.labels(str(endpoint)).observe(seconds)


def note_health(endpoint: int, *, is_healthy: bool) -> None:
    """Say how an endpoint is now."""
    _healthy.labels(str(endpoint)).set(is_healthy)


def note_unknown_words() -> None:
    """Count an answer to a broadcast whose words the table should have."""
    _unknown.inc()
