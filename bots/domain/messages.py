"""What the bot says. Every message that shows money starts with its book."""

from dataclasses import dataclass
from enum import IntEnum

from trading.domain.mode import EffectiveMode


class Role(IntEnum):
    """What a person may do; each may what those below may."""

    STRANGER = 0
    VIEWER = 1
    RISK = 2
    SUPER_ADMIN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its word, what it does, and who may use it."""

    word: str
    help: str
    least: Role


COMMANDS: tuple[Command, ...] = (
    Command(word="start", help="who you are to this desk", least=Role.STRANGER),
    Command(word="help", help="the commands that you may use", least=Role.VIEWER),
    Command(word="mode", help="the execution mode that holds, and why", least=Role.VIEWER),
    Command(word="positions", help="your open positions", least=Role.VIEWER),
    Command(word="version", help="what is running", least=Role.VIEWER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """A position as the bot shows it."""

    book: str
    symbol: str
    direction: str
    collateral: str
    leverage: str
    entry_price: str


def role_of(user_id: int, *, admins: tuple[str, ...], super_admins: tuple[str, ...], is_trader: bool) -> Role:
    """A person's role by his numeric id; an empty list means nobody."""
    if str(user_id) in super_admins:
        return Role.SUPER_ADMIN
    if str(user_id) in admins:
        return Role.RISK
    return Role.VIEWER if is_trader else Role.STRANGER


def greeting(role: Role, *, user_id: int) -> str:
    """What `/start` answers; a stranger learns only how to ask."""
    if role is Role.STRANGER:
        return f"This desk doesn't know you. Ask its operator to admit {user_id}."
    return "Welcome. /help shows what you can do."


def help_text(role: Role) -> str:
    """The commands that a role may use."""
    return "\n".join(f"/{command.word} - {command.help}" for command in COMMANDS if command.least <= role)


def mode_text(effective: EffectiveMode) -> str:
    """The mode that holds, with the voices that held it down."""
    state = "STOPPED" if effective.emergency_stop else str(effective.mode)
    return "\n".join((f"Execution mode: {state}", *(f"- {reason}" for reason in effective.reasons)))


def positions_text(held: tuple[HeldPosition, ...]) -> str:
    """Open positions, one line each."""
    if not held:
        return "No open positions."
    return "\n".join(
        f"{each.book} {each.symbol} {each.direction} {each.collateral} USDC x{each.leverage} at {each.entry_price}"
        for each in held
    )
