"""Who may do what: one table that the console, the API and the bot all ask.

Stopping is everybody's, caution is the trader's own and the risk role's, and what raises a limit or lets
money move is the super-admin's.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for; a person may have several."""

    VIEWER = "viewer"  # looks
    TRADER = "trader"  # trades the accounts that are his, and lowers their limits
    RISK = "risk"  # operates: pauses, closes, lowers any limit, mends senders
    SUPER_ADMIN = "super-admin"  # raises limits, lets money move, admits people


class Act(StrEnum):
    """What a person can ask for."""

    SEE = "SEE"  # any page, any row
    STOP = "STOP"  # raise the emergency stop
    TRADE = "TRADE"  # signals, closes and protections of an account
    LOWER_LIMITS = "LOWER_LIMITS"  # make a policy stricter
    PAUSE = "PAUSE"  # a trading state more cautious than now, for an account
    LOCK = "LOCK"  # block an account's entries for a while
    GO_DRY = "GO_DRY"  # switch the mode to DRY
    MAINTAIN = "MAINTAIN"  # the desk's switches: entries, maintenance, automation
    HALT = "HALT"  # a trading state more cautious than now, for any scope
    RESUME = "RESUME"  # a trading state less cautious than now
    FLATTEN = "FLATTEN"  # close everything in a scope
    UNLOCK = "UNLOCK"  # lift a lock before its time
    OPERATE = "OPERATE"  # senders, intents, endpoints
    MANAGE_SOURCES = "MANAGE_SOURCES"  # who may send signals, and their secrets
    RAISE_LIMITS = "RAISE_LIMITS"  # make a policy looser, or remove one
    LIFT_STOP = "LIFT_STOP"  # lift the emergency stop
    GO_LIVE = "GO_LIVE"  # let transactions be signed
    ADMIT = "ADMIT"  # give and take roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who acts, by the name that the audit log will carry. `tg_user_id` is None for one without an account."""

    name: str
    roles: frozenset[Role]
    tg_user_id: int | None = None


# Of an account of one's own, or of any.
_TRADERS = frozenset({Act.TRADE, Act.LOWER_LIMITS, Act.PAUSE, Act.LOCK})
_RISK = _TRADERS | {Act.GO_DRY, Act.MAINTAIN, Act.HALT, Act.RESUME, Act.FLATTEN, Act.UNLOCK, Act.OPERATE}
# The role's acts on anybody's account and on the desk.
MAY: dict[Role, frozenset[Act]] = {
    Role.VIEWER: frozenset({Act.SEE, Act.STOP}),
    Role.TRADER: frozenset({Act.SEE, Act.STOP}),
    Role.RISK: frozenset({Act.SEE, Act.STOP}) | _RISK,
    Role.SUPER_ADMIN: frozenset(Act),
}
# What a trader may besides, on his own account only.
MAY_WITH_OWN = _TRADERS | {Act.FLATTEN}


def may(person: Person, act: Act, *, account: int | None = None) -> bool:
    """Whether a person may do it; `account` is the Telegram id of whose account it touches, None for the desk."""
    if any(act in MAY[role] for role in person.roles):
        return True
    is_own = account is not None and account == person.tg_user_id
    return is_own and Role.TRADER in person.roles and act in MAY_WITH_OWN
