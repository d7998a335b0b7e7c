"""Leaders: addresses that the desk watches so that accounts can follow them, each added and let go with a reason."""

from datetime import datetime
from typing import Any

from eth_utils import is_checksum_address, is_checksum_formatted_address, is_hex_address, to_checksum_address

from trading import locks
from trading.domain import people
from trading.domain.errors import Conflict, Invalid
from trading.domain.people import Act, Person
from trading.kinds import piece, write
from trading.models import Trader
from trading.services import audit

_NOBODY = "0x" + "00" * 20


class BadAddress(Invalid):
    """Not an address of a chain, or one whose capitals say that a digit is wrong."""

    code = "ADDRESS_INVALID"


class AddressTaken(Conflict):
    """The address is an account of this desk: it trades, and isn't only watched."""

    code = "ADDRESS_IS_AN_ACCOUNT"


class UnknownLeader(Invalid):
    """Nobody watches this address."""

    code = "LEADER_UNKNOWN"


@write
def add(*, address: str, name: str, by: Person, reason: str, at: datetime) -> Trader:
    """Watch an address from now on, under a name; one that is watched already takes the name.

    Raises:
        NotAllowed: if the person may not.
        BadAddress: if it is no address.
        AddressTaken: if it is an account's.
    """
    people.check(by, Act.MANAGE_SOURCES)
    checked = checked_address(address)
    found, is_new = Trader.objects.get_or_create(address=checked, defaults={"name": name, "is_leader": True, "tg_user_id": None})
    if not found.is_leader:
        raise AddressTaken("an account of this desk has this address", address=checked)
    (leader,) = locks.accounts([found.pk])
    before = {} if is_new else _said(leader)
    leader.name, leader.is_enabled = name or leader.name, True
    return _save(leader, "leader.add" if is_new else "leader.change", before=before, by=by, reason=reason, at=at)


@write
def rename(*, leader_id: int, name: str, by: Person, reason: str, at: datetime) -> Trader:
    """Call a leader otherwise.

    Raises:
        NotAllowed: if the person may not.
        UnknownLeader: if there is no such leader.
    """
    people.check(by, Act.MANAGE_SOURCES)
    leader = locked(leader_id)
    before = _said(leader)
    leader.name = name
    return _save(leader, "leader.change", before=before, by=by, reason=reason, at=at)


@write
def stop(*, leader_id: int, by: Person, reason: str, at: datetime) -> Trader:
    """Stop watching an address: what it opens is copied no more, and what was copied is closed when it closes.

    Raises:
        NotAllowed: if the person may not.
        UnknownLeader: if there is no such leader.
    """
    people.check(by, Act.MANAGE_SOURCES)
    leader = locked(leader_id)
    before = _said(leader)
    leader.is_enabled = False
    return _save(leader, "leader.stop", before=before, by=by, reason=reason, at=at)


@piece
def locked(leader_id: int) -> Trader:
    """A leader, under its lock.

    Raises:
        UnknownLeader: if there is none of that number.
    """
    found = [each for each in locks.accounts([leader_id]) if each.is_leader]
    if not found:
        raise UnknownLeader("nobody watches such an address", leader=leader_id)
    return found[0]


def checked_address(written: str) -> str:
    """An address as it is kept: in capitals that prove its digits.

    Raises:
        BadAddress: if it is none, or its own capitals prove that it was mistyped.
    """
    if not is_hex_address(written) or not written.startswith("0x") or written == _NOBODY:
        raise BadAddress("an address is 0x and 40 hexadecimal digits", field="address")
    if is_checksum_formatted_address(written) and not is_checksum_address(written):
        raise BadAddress("its capitals don't fit its digits: one of them is mistyped", field="address")
    return str(to_checksum_address(written))


@piece
def _save(leader: Trader, action: str, *, before: dict[str, Any], by: Person, reason: str, at: datetime) -> Trader:
    leader.save(update_fields=["name", "is_enabled"])
    after = _said(leader)
    if after != before:
        audit.record(
            actor=by.name,
            action=action,
            subject=f"leader:{leader.address}",
            before=before,
            after=after,
            reason=reason,
            at=at,
        )
    return leader


def _said(leader: Trader) -> dict[str, Any]:
    return {"name": leader.name, "is_watched": leader.is_enabled}
