"""What the bot says, and to whom."""

import pytest

from bots.domain import messages
from bots.domain.messages import COMMANDS, HeldPosition, Role
from trading.domain.mode import EffectiveMode, Mode


@pytest.mark.parametrize(
    ("user_id", "is_trader", "role"),
    [
        (1, False, Role.SUPER_ADMIN),
        (2, False, Role.RISK),
        (3, True, Role.VIEWER),
        (3, False, Role.STRANGER),
        # Roles go by the whole number: 12 begins with 1.
        (12, False, Role.STRANGER),
    ],
)
def test_a_role_goes_by_the_numeric_id(user_id: int, is_trader: bool, role: Role) -> None:
    assert messages.role_of(user_id, admins=("2",), super_admins=("1",), is_trader=is_trader) is role


def test_an_empty_list_means_nobody() -> None:
    assert messages.role_of(1, admins=(), super_admins=(), is_trader=False) is Role.STRANGER


def test_a_stranger_is_told_only_how_to_ask() -> None:
    assert messages.greeting(Role.STRANGER, user_id=77) == "This desk doesn't know you. Ask its operator to admit 77."


def test_help_names_every_command_that_a_viewer_may_use() -> None:
    shown = messages.help_text(Role.VIEWER)

    assert [line.split(" ")[0] for line in shown.splitlines()] == [f"/{command.word}" for command in COMMANDS]


def test_the_mode_is_told_with_the_voices_that_hold_it_down() -> None:
    held = EffectiveMode(mode=Mode.DRY, emergency_stop=True, reasons=("emergency stop by environment",))

    assert messages.mode_text(held) == "Execution mode: STOPPED\n- emergency stop by environment"


def test_a_position_starts_with_its_book() -> None:
    held = HeldPosition(book="PAPER", symbol="BTC-USD", direction="LONG", collateral="49.9", leverage="3", entry_price="60006")

    assert messages.positions_text((held,)) == "PAPER BTC-USD LONG 49.9 USDC x3 at 60006"
    assert messages.positions_text(()) == "No open positions."
