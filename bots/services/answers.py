"""What each command answers; the bot's library is only told the text."""

from django.conf import settings

from bots.domain import messages
from bots.domain.messages import COMMANDS, HeldPosition, Role
from trading import clock
from trading.kinds import step
from trading.models import Position, Trader
from trading.ports import ModeSwitch
from trading.services import mode


@step
def answer(word: str, *, user_id: int, switch: ModeSwitch) -> str | None:
    """The answer to a command, or None where this person gets none."""
    role = _role(user_id)
    command = next((each for each in COMMANDS if each.word == word), None)
    if command is None or role < command.least:
        return None
    match word:
        case "start":
            return messages.greeting(role, user_id=user_id)
        case "help":
            return messages.help_text(role)
        case "mode":
            return messages.mode_text(mode.current(switch=switch, at=clock.now()))
        case "positions":
            return messages.positions_text(_held(user_id))
        case _:
            return f"Vanta {settings.DEPLOY_VERSION} ({settings.DEPLOY_ENV})"


def _role(user_id: int) -> Role:
    return messages.role_of(
        user_id,
        admins=settings.ADMIN_USER_IDS,
        super_admins=settings.SUPER_ADMIN_IDS,
        is_trader=Trader.objects.filter(tg_user_id=user_id, is_enabled=True).exists(),
    )


def _held(user_id: int) -> tuple[HeldPosition, ...]:
    positions = Position.objects.open().filter(trader__tg_user_id=user_id).select_related("market").order_by("pk")
    return tuple(
        HeldPosition(
            book=each.book,
            symbol=each.market.symbol,
            direction=each.direction,
            collateral=str(each.collateral_usdc),
            leverage=str(each.leverage_x),
            entry_price=str(each.entry_price),
        )
        for each in positions
    )
