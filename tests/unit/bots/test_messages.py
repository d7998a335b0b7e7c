"""What the bot says, and to whom."""

from bots.domain import messages
from bots.domain.messages import COMMANDS, HeldPosition
from trading.domain.mode import EffectiveMode, Mode
from trading.domain.people import Person, Role

STRANGER = Person(name="tg:77", roles=frozenset(), tg_user_id=77)
VIEWER = Person(name="tg:78", roles=frozenset({Role.VIEWER}), tg_user_id=78)


def test_a_stranger_is_told_only_how_to_ask() -> None:
    assert messages.greeting(STRANGER) == "This desk doesn't know you. Ask its operator to admit 77."
    assert messages.help_text(STRANGER) == "/start - who you are to this desk"


def test_help_names_every_command_that_a_viewer_may_use() -> None:
    shown = messages.help_text(VIEWER)

    assert [line.split(" ")[0] for line in shown.splitlines()] == [f"/{command.word}" for command in COMMANDS]


def test_a_command_is_found_by_who_may_use_it() -> None:
    assert [messages.command_for(STRANGER, word) is not None for word in ("start", "mode", "nothing")] == [True, False, False]
    assert [messages.command_for(VIEWER, word) is not None for word in ("start", "mode", "nothing")] == [True, True, False]


def test_the_mode_is_told_with_the_voices_that_hold_it_down() -> None:
    held = EffectiveMode(mode=Mode.DRY, emergency_stop=True, reasons=("emergency stop by environment",))

    assert messages.mode_text(held) == "Execution mode: STOPPED\n- emergency stop by environment"


def test_a_position_starts_with_its_book() -> None:
    held = HeldPosition(book="PAPER", symbol="BTC-USD", direction="LONG", collateral="49.9", leverage="3", entry_price="60006")

    assert messages.positions_text((held,)) == "PAPER BTC-USD LONG 49.9 USDC x3 at 60006"
    assert messages.positions_text(()) == "No open positions."
