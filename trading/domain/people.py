"""Who may do what: one table that the console, the API and the bot all ask.

Stopping is everybody's, caution is the trader's own and the risk role's, and what raises a limit or lets
money move is the super-admin's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from trading.domain.errors import Denied


class Role(StrEnum):
    """What a person is here for; a person may have several."""

    VIEWER = "viewer"  # looks
    TRADER = "trader"  # trades the accounts that are his, and lowers their limits
    RISK = "risk"  # operates: pauses, closes, lowers any limit, mends senders
    SUPER_ADMIN = "super-admin"  # raises limits, lets money move, admits people


class Act(StrEnum):
    """What a person can ask for."""

    SEE = "SEE"  # any page, any row; a trader's programs see the rows of his own account
    REVIEW = "REVIEW"  # the audit log, for programs
    STOP = "STOP"  # raise the emergency stop
    TRADE = "TRADE"  # signals, closes and protections of an account, and its money on paper
    LOWER_LIMITS = "LOWER_LIMITS"  # make a policy stricter
    PAUSE = "PAUSE"  # a trading state more cautious than now, for an account
    LOCK = "LOCK"  # block an account's entries for a while
    GO_DRY = "GO_DRY"  # switch the mode to DRY
    MAINTAIN = "MAINTAIN"  # the desk's switches: entries, maintenance, automation
    HALT = "HALT"  # a trading state more cautious than now, for any scope
    RESUME = "RESUME"  # a trading state less cautious than now
    FLATTEN = "FLATTEN"  # close everything in a scope
    UNLOCK = "UNLOCK"  # lift a lock before its time
    OPERATE = "OPERATE"  # senders, intents and channels: pause, drain, send again, offer more, cancel
    EMPOWER = "EMPOWER"  # let a sender sign or spend more: resume, release, limits, gas money
    MANAGE_SOURCES = "MANAGE_SOURCES"  # who may send signals, and with which secrets
    MANAGE_CHANNELS = "MANAGE_CHANNELS"  # who outside is told of events, and with which secrets
    RAISE_LIMITS = "RAISE_LIMITS"  # make a policy looser, or remove one
    LIFT_STOP = "LIFT_STOP"  # lift the emergency stop
    GO_LIVE = "GO_LIVE"  # let transactions be signed
    ADMIT = "ADMIT"  # give and take roles


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who acts, by the one name that the audit log carries. `tg_user_id` is None for one without an account.

    What he does through a program's token is narrowed to some acts and accounts; None: to nothing.
    """

    name: str
    roles: frozenset[Role]
    tg_user_id: int | None = None
    acts: frozenset[Act] | None = None
    accounts: frozenset[int] | None = None


_TRADERS = frozenset({Act.TRADE, Act.LOWER_LIMITS, Act.PAUSE, Act.LOCK, Act.FLATTEN})
_EVERYBODY = frozenset({Act.SEE, Act.STOP})
_OPERATORS = frozenset({Act.REVIEW, Act.GO_DRY, Act.MAINTAIN, Act.HALT, Act.RESUME, Act.UNLOCK, Act.OPERATE})
# A role's acts on anybody's account and on the desk.
MAY: dict[Role, frozenset[Act]] = {
    Role.VIEWER: _EVERYBODY,
    Role.TRADER: _EVERYBODY,
    Role.RISK: _EVERYBODY | _TRADERS | _OPERATORS,
    Role.SUPER_ADMIN: frozenset(Act),
}
# A role's acts on the account that is its own.
MAY_WITH_OWN: dict[Role, frozenset[Act]] = {
    Role.VIEWER: frozenset(),
    Role.TRADER: _TRADERS,
    Role.RISK: frozenset(),
    Role.SUPER_ADMIN: frozenset(),
}
# Who sees every account's rows, and not his own only.
_OVERSEERS = frozenset({Role.VIEWER, Role.RISK, Role.SUPER_ADMIN})
# What lets more happen, or can't be taken back: an attempt by somebody who may not is kept in the audit log.
GRAVE = frozenset(
    {
        Act.RESUME,
        Act.FLATTEN,
        Act.UNLOCK,
        Act.EMPOWER,
        Act.MANAGE_SOURCES,
        Act.MANAGE_CHANNELS,
        Act.RAISE_LIMITS,
        Act.LIFT_STOP,
        Act.GO_LIVE,
        Act.ADMIT,
    }
)


class NotAllowed(Denied):
    """The person has no role that may do this."""

    code = "NOT_ALLOWED"


def may(person: Person, act: Act, *, account: int | None = None) -> bool:
    """Whether a person may do it; `account` is the Telegram id of whose account it touches, None for the desk."""
    if _is_narrowed(person, act, account=account):
        return False
    if any(act in MAY[role] for role in person.roles):
        return True
    is_own = account is not None and account == person.tg_user_id
    return is_own and any(act in MAY_WITH_OWN[role] for role in person.roles)


def check(person: Person, act: Act, *, account: int | None = None) -> None:
    """Pass if a person may do it.

    Raises:
        NotAllowed: if not; the message says whose act it is.
    """
    if _is_narrowed(person, act, account=account):
        raise NotAllowed(f"this token isn't for {act} there", act=str(act), person=person.name)
    if not may(person, act, account=account):
        has, needs = ", ".join(sorted(person.roles)) or "none", " or ".join(holders(act))
        raise NotAllowed(f"{act} needs the role {needs}; {person.name} has {has}", act=str(act), person=person.name)


def sight(person: Person) -> frozenset[int] | None:
    """The accounts whose rows a person's programs see; None: every account's."""
    own = frozenset() if person.tg_user_id is None else frozenset({person.tg_user_id})
    if person.roles & _OVERSEERS:
        return person.accounts
    return own if person.accounts is None else own & person.accounts


def _is_narrowed(person: Person, act: Act, *, account: int | None) -> bool:
    """Whether his token isn't for this: for such an act, or for such an account; one for some accounts isn't for the desk."""
    if person.acts is not None and act not in person.acts:
        return True
    return person.accounts is not None and account not in person.accounts and act not in _EVERYBODY


def holders(act: Act) -> tuple[Role, ...]:
    """The roles that may do it on any account."""
    return tuple(role for role in Role if act in MAY[role])


def roles_of(words: Iterable[str]) -> frozenset[Role]:
    """The roles among some words; the others say nothing here."""
    return frozenset(role for role in Role if role in set(words))
