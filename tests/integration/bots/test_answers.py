"""What each command answers, from our own rows."""

import pytest
from pytest_django.fixtures import Settings

from bots.services import answers
from tests.factories import NOW
from tests.factories.trading import PositionFactory, TraderFactory
from tests.fakes.switch import Switch
from trading.domain.people import Role
from trading.services import members, people

pytestmark = pytest.mark.django_db


def ask(word: str, *, user_id: int) -> str | None:
    return answers.answer(word, user_id=user_id, switch=Switch())


def test_a_stranger_gets_no_answer_but_how_to_ask() -> None:
    assert ask("start", user_id=77) == "This desk doesn't know you. Ask its operator to admit 77."
    assert [ask(word, user_id=77) for word in ("help", "mode", "positions", "version")] == [None] * 4


def admit(tg_user_id: int, *roles: Role) -> None:
    members.admit(tg_user_id=tg_user_id, roles=roles, by=people.of_command_line("root"), reason="new", at=NOW)


def test_an_unknown_command_gets_no_answer() -> None:
    admit(123, Role.SUPER_ADMIN)

    assert ask("withdraw", user_id=123) is None


def test_a_trader_sees_his_own_positions_only() -> None:
    own, other = TraderFactory(tg_user_id=123), TraderFactory(tg_user_id=124)
    position = PositionFactory(trader=own)
    PositionFactory(trader=other)
    admit(123, Role.TRADER)

    shown = ask("positions", user_id=123)

    assert shown is not None
    assert shown.splitlines() == [
        f"{position.book} {position.market.symbol} {position.direction} {position.collateral_usdc} USDC"
        f" x{position.leverage_x} at {position.entry_price}"
    ]


def test_an_account_alone_gives_no_role() -> None:
    TraderFactory(tg_user_id=123)

    assert ask("positions", user_id=123) is None


def test_who_was_dismissed_is_a_stranger() -> None:
    admit(123, Role.TRADER)
    admit(123)

    assert ask("positions", user_id=123) is None
    assert str(ask("start", user_id=123)).startswith("This desk doesn't know you.")


def test_an_admin_of_the_environment_sees_the_mode(settings: Settings) -> None:
    settings.ADMIN_USER_IDS = (5,)

    assert str(ask("mode", user_id=5)).startswith("Execution mode: ")
    assert str(ask("version", user_id=5)).startswith("Vanta ")
