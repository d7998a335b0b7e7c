"""What each command answers, from our own rows."""

import pytest

from bots.services import answers
from tests.factories.trading import PositionFactory, TraderFactory
from tests.fakes.switch import Switch

pytestmark = pytest.mark.django_db


def ask(word: str, *, user_id: int) -> str | None:
    return answers.answer(word, user_id=user_id, switch=Switch())


def test_a_stranger_gets_no_answer_but_how_to_ask() -> None:
    assert ask("start", user_id=77) == "This desk doesn't know you. Ask its operator to admit 77."
    assert [ask(word, user_id=77) for word in ("help", "mode", "positions", "version")] == [None] * 4


def test_an_unknown_command_gets_no_answer() -> None:
    TraderFactory(tg_user_id=123)

    assert ask("withdraw", user_id=123) is None


def test_a_trader_sees_his_own_positions_only() -> None:
    own, other = TraderFactory(tg_user_id=123), TraderFactory(tg_user_id=124)
    position = PositionFactory(trader=own)
    PositionFactory(trader=other)

    shown = ask("positions", user_id=123)

    assert shown is not None
    assert shown.splitlines() == [
        f"{position.book} {position.market.symbol} {position.direction} {position.collateral_usdc} USDC"
        f" x{position.leverage_x} at {position.entry_price}"
    ]


def test_a_trader_who_was_disabled_is_a_stranger() -> None:
    TraderFactory(tg_user_id=123, is_enabled=False)

    assert ask("positions", user_id=123) is None


def test_an_admin_sees_the_mode(settings: pytest.FixtureRequest) -> None:
    settings.ADMIN_USER_IDS = ("5",)

    assert str(ask("mode", user_id=5)).startswith("Execution mode: ")
    assert str(ask("version", user_id=5)).startswith("Vanta ")
