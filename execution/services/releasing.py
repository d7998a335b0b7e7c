"""Releasing: a quarantined sender goes back to work once its rows and the chain agree, or a person adopts the chain's count.

`next_nonce` only ever rises, and only here other than by reserving: to a count that two nodes agree on.
"""

from execution import locks
from execution.desk import Desk
from execution.domain import drift as domain
from execution.models.sender import SenderStatus
from execution.services import drift, restoring, warrants
from execution.services.drift import Report
from execution.services.warrants import Warrant
from trading import doorbell
from trading.domain.errors import Conflict
from trading.kinds import step, write
from trading.services import journal


class NotQuarantined(Conflict):
    """Only a quarantined sender is released."""

    code = "SENDER_STATUS"


class Drifts(Conflict):
    """Its rows and the chain disagree about its nonces."""

    code = "SENDER_DRIFTS"


class CountUnproven(Conflict):
    """The nodes don't agree on this count, or it would take a nonce back."""

    code = "COUNT_UNPROVEN"


@step
def release(*, sender_id: int, adopt_count: int | None, desk: Desk, by: Warrant) -> Report:
    """Let a quarantined sender work again.

    With `adopt_count`, the chain's count as a person typed it, `next_nonce` rises to it. After a restore, and
    whenever a count is adopted, what has no nonce yet is withdrawn: it may have been carried out already.

    Raises:
        NotQuarantined: if it isn't quarantined.
        Drifts: if its nonces differ and no count is adopted.
        CountUnproven: if the nodes don't agree on the count, or it lies below our own.
    """
    report = drift.report(sender_id=sender_id, desk=desk, at=by.at)
    if report.sender.status != SenderStatus.QUARANTINED:
        raise NotQuarantined(f"the sender is {report.sender.status}", status=report.sender.status)
    if adopt_count is not None:
        _refuse_count(report, adopt_count)
    elif report.nonce_differences:
        said = "; ".join(f"{line.name} {line.value}, expected {line.expected}" for line in report.nonce_differences)
        raise Drifts(f"its nonces differ from the chain's: {said}", lines=len(report.nonce_differences))
    _release(sender_id=sender_id, seen=report.facts.rows.next_nonce, count=adopt_count, by=by)
    return report


def _refuse_count(report: Report, count: int) -> None:
    if count < report.facts.rows.next_nonce:
        said = f"the next nonce is {report.facts.rows.next_nonce} and never goes back to {count}"
        raise CountUnproven(said, next_nonce=report.facts.rows.next_nonce, count=count)
    if not domain.is_count_proven(report.facts, count=count):
        said = ", ".join(f"node {endpoint}: {mined}" for endpoint, mined in report.facts.nodes.mined.items())
        raise CountUnproven(f"the nodes don't agree on {count}: {said}; with the pool {report.facts.nodes.pooled}", count=count)


@write
def _release(*, sender_id: int, seen: int, count: int | None, by: Warrant) -> None:
    (sender,) = locks.senders([sender_id])
    if sender.status != SenderStatus.QUARANTINED or sender.next_nonce != seen:
        raise NotQuarantined("the sender has moved meanwhile: look again", status=sender.status)
    before = {"status_reason": sender.status_reason, "next_nonce": sender.next_nonce}
    may_have_happened = count is not None or restoring.is_restored(sender)
    withdrawn = restoring.withdraw([sender.pk], at=by.at) if may_have_happened else 0
    sender.next_nonce = seen if count is None else count
    sender.status, sender.status_reason = SenderStatus.ACTIVE, ""
    sender.save(update_fields=["status", "status_reason", "next_nonce"])
    journal.record("sender.released", sender, at=by.at, next_nonce=sender.next_nonce, withdrawn=withdrawn)
    after = {"status": sender.status, "next_nonce": sender.next_nonce, "withdrawn": withdrawn}
    warrants.use(by, action="sender.release", subject=f"sender:{sender.address}", before=before, after=after)
    doorbell.ring("intent.created", key=sender.pk)
