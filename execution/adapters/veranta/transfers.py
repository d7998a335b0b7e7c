"""A trader's own transfers: what moved in his wallet by transactions in which the venue said nothing."""

from collections.abc import Sequence

from eth_utils import keccak

from execution.domain.chain import Log
from execution.ports import Chain
from trading.domain.units import Usdc

TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()


def between(payer: str, payee: str, *, usdc: str, block_number: int, tx_hash: str, chain: Chain) -> Usdc:
    """What one address gave another in a transaction."""
    found = chain.search(usdc, topics=[TRANSFER, _word(payer), _word(payee)], first=block_number, last=block_number)
    return sum((Usdc(int(log.data, 16)) for log in found if log.tx_hash == tx_hash), Usdc.zero())


def net(trader: str, *, usdc: str, emitters: Sequence[str], first: int, last: int, chain: Chain) -> Usdc:
    """What came, less what went, in a range of blocks."""
    who = _word(trader)
    came = chain.search(usdc, topics=[TRANSFER, None, who], first=first, last=last)
    went = chain.search(usdc, topics=[TRANSFER, who], first=first, last=last)
    venues = _said_by_the_venue([*came, *went], emitters=emitters, chain=chain)
    return _sum(came, without=venues) - _sum(went, without=venues)


def _word(address: str) -> str:
    return "0x" + address.removeprefix("0x").lower().rjust(64, "0")


def _said_by_the_venue(logs: Sequence[Log], *, emitters: Sequence[str], chain: Chain) -> set[str]:
    """The transactions among those of some logs in which the venue said something."""
    blocks = sorted({log.block_hash for log in logs})
    return {log.tx_hash for told in chain.logs(blocks, emitters=emitters) for log in told}


def _sum(logs: Sequence[Log], *, without: set[str]) -> Usdc:
    return sum((Usdc(int(log.data, 16)) for log in logs if log.tx_hash not in without), Usdc.zero())
