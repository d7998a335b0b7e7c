"""Our traders' accounts, as the venue and the chain have them: `risk` asks before it decides."""

from collections.abc import Sequence

from execution.desk import Desk
from risk.ports import AccountReading, Need


class DeskAccounts:
    """Asks for what the desk's own keys may do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, address: str, *, need: Need) -> AccountReading:
        """What the newest block says of an address."""
        delegates, venue, chain = self._desk.addresses, self._desk.venue, self._desk.chain
        views = venue.account_views(address, delegates=delegates)
        first = venue.account(chain.snapshot(views, addresses=delegates))
        if first.covers(need) or chain.endpoints == 1:
            return first
        # This node may lag, or lie. One that makes an account richer than it is fools nobody: the chain decides.
        others = [venue.account(each) for each in chain.snapshots(views, addresses=delegates)]
        return _richest([first, *others])


def _richest(readings: Sequence[AccountReading]) -> AccountReading:
    untils = [each.delegated_until for each in readings if each.delegated_until is not None]
    return AccountReading(
        balance=max(each.balance for each in readings),
        allowance=max(each.allowance for each in readings),
        delegated_until=max(untils, default=None),
        gas=max(each.gas for each in readings),
        # Of the oldest: what the venue took since then still counts as promised.
        block_number=min(each.block_number for each in readings),
    )
