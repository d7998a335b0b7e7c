"""The naive twin: it sends before it stores, and takes a fresh nonce when it hears of trouble.

It is what the matrix must convict: a verdict that finds nothing wrong with it proves nothing about ours.
"""

from dataclasses import dataclass
from pathlib import Path

from devnet.rpc import Rpc, RpcError, RpcUnavailable
from execution.domain.fees import Offer
from execution.domain.intent import IntentStatus
from execution.ports import UnsignedCall
from tests.chaos import crew, matrix
from tests.chaos.crew import Doom, Round
from tests.chaos.matrix import Cell, Hearing, Trial
from tests.chaos.stand import SEND, Stand
from tests.chaos.verdict import weigh
from tests.fakes import counter, venue
from tests.fakes.signer import OpenSigner
from trading import failpoints
from trading.domain.units import Wei
from trading.kinds import ask

_TRIES = 3
_GAS = 100_000
_OFFER = Offer(fee_cap=Wei(5 * 10**9), tip_cap=Wei(10**9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Naive:
    """One process of it. What it has done it keeps in a file, a key a line."""

    chain: Rpc
    chain_id: int
    counter: str
    signer: OpenSigner
    keys: tuple[str, ...]
    done: Path

    def __call__(self, told: Round) -> list[str]:
        """Execute what isn't done yet."""
        for key in self.keys:
            if key not in read(self.done):
                self._execute(key)
        return []

    def _execute(self, key: str) -> None:
        for _ in range(_TRIES):
            try:
                self.send(self._signed(key, nonce=self.next_nonce()))
                break
            except (RpcError, RpcUnavailable):
                # "No answer, so nothing happened, so the nonce is free": the mistake that everything here is about.
                continue
        self._store(key)

    @ask
    def next_nonce(self) -> int:
        """What the node says."""
        return int(self.chain.call("eth_getTransactionCount", self.signer.address, "pending"), 16)

    @ask
    def send(self, raw: str) -> None:
        """Put bytes on the wire."""
        self.chain.call(SEND, raw)

    def _signed(self, key: str, *, nonce: int) -> str:
        call = UnsignedCall(
            chain_id=self.chain_id,
            nonce=nonce,
            target=self.counter,
            data=counter.bump(key),
            value=Wei.zero(),
            gas_limit=_GAS,
            offer=_OFFER,
        )
        return self.signer.sign(call).raw

    def _store(self, key: str) -> None:
        failpoints.reach("naive.store", "before commit")
        with self.done.open("a") as file:
            file.write(f"{key}\n")
        failpoints.reach("naive.store", "committed")


# The points of its way, in order.
POINTS = (
    "tests.naive.Naive.next_nonce asked",
    "tests.naive.Naive.next_nonce answered",
    "tests.signer.OpenSigner.sign asked",
    "tests.signer.OpenSigner.sign answered",
    "tests.naive.Naive.send asked",
    "tests.naive.Naive.send answered",
    "naive.store before commit",
    "naive.store committed",
)
NOWHERE = "it lives"


def read(done: Path) -> set[str]:
    """The keys that are done."""
    return set(done.read_text().split()) if done.exists() else set()


def run(stand: Stand, cell: Cell, *, folder: Path, signals: int = matrix.SIGNALS) -> Trial:
    """One cell of the matrix with the twin in our place."""
    team = stand.hire()
    keys = tuple(told.chain_key for told in stand.draft(team, signals))
    done = folder / team.signers[0].address

    def live() -> Naive:
        chain = Rpc(stand.node.url)
        return Naive(
            chain=chain, chain_id=stand.chain.chain_id, counter=stand.counter, signer=team.signers[0], keys=keys, done=done
        )

    told = Round(now=stand.now, lanes=team.lanes)
    matrix.trouble(stand, cell.hearing, times=1)
    with crew.crew(1, live, doom=Doom(point=cell.point)) as doomed:
        doomed.round(told)
    stand.mine()
    with crew.crew(1, live) as successor:
        successor.round(told)
    stand.heal()
    stand.mine()
    statuses = {key: IntentStatus.FINAL if key in read(done) else None for key in keys}
    verdict = weigh(venue.count(stand.rpc, stand.counter, keys), statuses)
    return Trial(cell=cell, deaths=doomed.doomed, seconds=0.0, verdict=verdict)


def cells() -> list[Cell]:
    """Its cells: every death with every hearing, and every hearing without a death."""
    return [Cell(point=point, hearing=hearing) for hearing in Hearing for point in (*POINTS, NOWHERE)]
