"""What the node and the database can do at most, measured on the machine and in the run that everything else is measured in."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from devnet.rpc import Rpc
from execution.adapters.local_signer import LocalSigner
from execution.domain.fees import Offer
from execution.ports import UnsignedCall
from trading.domain.units import Wei

BATCH = 100
GAS = 21_000
CAP = Offer(fee_cap=Wei(20 * 10**9), tip_cap=Wei(10**9))


class Unbound(LocalSigner):
    """Our own signer without its policy, which knows the venue's calls only."""

    def check(self, call: UnsignedCall) -> None:
        """Pass."""


def presigned(signer: LocalSigner, count: int, *, chain_id: int) -> list[str]:
    """Signed transfers of nothing to itself, from the first nonce on."""
    return [signer.sign(_transfer(signer, nonce, chain_id=chain_id)).raw for nonce in range(count)]


def _transfer(signer: LocalSigner, nonce: int, *, chain_id: int) -> UnsignedCall:
    nothing = Wei.zero()
    return UnsignedCall(chain_id=chain_id, nonce=nonce, target=signer.address, data="0x", value=nothing, gas_limit=GAS, offer=CAP)


def node_singles(rpc: Rpc, raws: list[str]) -> float:
    """Transactions a second that the node takes one by one."""
    begun = time.monotonic()
    for raw in raws:
        rpc.call("eth_sendRawTransaction", raw)
    return len(raws) / (time.monotonic() - begun)


def node_batches(rpc: Rpc, raws: list[str]) -> float:
    """Transactions a second that the node takes in batches of a hundred."""
    begun = time.monotonic()
    for start in range(0, len(raws), BATCH):
        rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in raws[start : start + BATCH]])
    return len(raws) / (time.monotonic() - begun)


def commits(url: str, *, connections: int, seconds: float) -> float:
    """Durable commits of one row each, a second, over some connections."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS bench_rows (id bigserial PRIMARY KEY, at timestamptz NOT NULL)")
    with ThreadPoolExecutor(connections) as writers:
        counted = list(writers.map(lambda _: _commit(url, seconds), range(connections)))
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP TABLE bench_rows")
    return sum(counted) / seconds


def _commit(url: str, seconds: float) -> int:
    done, deadline = 0, time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            connection.execute("INSERT INTO bench_rows (at) VALUES (clock_timestamp())")
            done += 1
    return done
