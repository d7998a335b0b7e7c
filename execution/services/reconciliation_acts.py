"""What people do about differences: have an account looked at now, or say that a balance is right as it is."""

from execution.desk import Clock, Desk
from execution.domain.reconciliation import DifferenceKind
from execution.models import AccountLook, Difference
from execution.services import differences, reconciliation, warrants
from execution.services.warrants import Warrant
from trading import locks
from trading.domain.errors import Conflict
from trading.kinds import step, write

ACCEPTED = "accepted"


class NothingMissing(Conflict):
    """The account's balance is explained."""

    code = "NOTHING_MISSING"


@step
def look_now(*, trader_id: int, desk: Desk, clock: Clock, by: Warrant) -> None:
    """Compare an account with the venue at once."""
    _note(trader_id, by=by)
    reconciliation.look([trader_id], desk=desk, clock=clock)


@write
def _note(trader_id: int, *, by: Warrant) -> None:
    warrants.use(by, action="account.look", subject=f"trader:{trader_id}", before={}, after={"looked": True})


@write
def accept(*, trader_id: int, by: Warrant) -> None:
    """Say that money which is missing is accounted for: the balance is counted from the next look on.

    Raises:
        NothingMissing: if none is.
    """
    locks.accounts([trader_id])
    missing = Difference.objects.unresolved().filter(trader_id=trader_id, kind=DifferenceKind.BALANCE).first()
    if missing is None:
        raise NothingMissing("no money of this account is missing", trader=trader_id)
    before = {"missing": missing.theirs, "explained": missing.ours}
    warrants.use(by, action="account.accept", subject=f"trader:{trader_id}", before=before, after={"missing": None})
    differences.resolve(missing, resolution=ACCEPTED, at=by.at)
    AccountLook.objects.filter(trader_id=trader_id).update(worth_usdc=None, earned_usdc=None)
