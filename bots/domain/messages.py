"""What the bot says. Every message that shows money starts with its book."""

from dataclasses import dataclass

from trading.domain.mode import EffectiveMode
from trading.domain.people import Act, Person, may


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its word, what it does, and what a person must be allowed to use it; None: anybody."""

    word: str
    help: str
    needs: Act | None = Act.SEE


COMMANDS: tuple[Command, ...] = (
    Command(word="start", help="who you are to this desk", needs=None),
    Command(word="help", help="the commands that you may use"),
    Command(word="mode", help="the execution mode that holds, and why"),
    Command(word="positions", help="your open positions"),
    Command(word="version", help="what is running"),
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


def command_for(person: Person, word: str) -> Command | None:
    """The command of a word, if this person may use it."""
    return next((each for each in _commands_of(person) if each.word == word), None)


def greeting(person: Person) -> str:
    """What `/start` answers; a stranger learns only how to ask."""
    if not person.roles:
        return f"This desk doesn't know you. Ask its operator to admit {person.tg_user_id}."
    return "Welcome. /help shows what you can do."


def help_text(person: Person) -> str:
    """The commands that a person may use."""
    return "\n".join(f"/{command.word} - {command.help}" for command in _commands_of(person))


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


def _commands_of(person: Person) -> list[Command]:
    return [each for each in COMMANDS if each.needs is None or may(person, each.needs)]
