"""What each command answers; the bot's library is only told the text."""

from django.conf import settings

from bots.domain import messages
from bots.domain.messages import HeldPosition
from trading import clock
from trading.kinds import step
from trading.models import Position
from trading.ports import ModeSwitch
from trading.services import mode, people


@step
def answer(word: str, *, user_id: int, switch: ModeSwitch) -> str | None:
    """The answer to a command, or None where this person gets none."""
    person = people.of_member(user_id)
    if messages.command_for(person, word) is None:
        return None
    match word:
        case "start":
            return messages.greeting(person)
        case "help":
            return messages.help_text(person)
        case "mode":
            return messages.mode_text(mode.current(switch=switch, at=clock.now()))
        case "positions":
            return messages.positions_text(_held(user_id))
        case _:
            return f"Vanta {settings.DEPLOY_VERSION} ({settings.DEPLOY_ENV})"


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
