"""`manage.py trading_state ...`: what each scope of the desk lets pass."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from risk.domain.halt import UNSET, HaltScope, StateHeld, TradingState
from risk.management import words
from risk.services import halts
from trading import clock


class Command(BaseCommand):
    """Trading states."""

    help = (
        "show: every state that holds. set STATE --reason WHY: ACTIVE, REDUCING (exits only) or HALTED (only people and "
        "protections close), of the whole desk or of --scope SYMBOL, SOURCE or USER with its --key."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("show", "set"))
        parser.add_argument("state", nargs="?", choices=[str(state) for state in TradingState])
        parser.add_argument("--scope", choices=[str(scope) for scope in HaltScope], default=HaltScope.GLOBAL)
        parser.add_argument("--key", default="", help="the symbol, the source's name or the Telegram id")
        words.add_minutes(parser)
        words.add_reason(parser)

    def handle(self, *_: Any, act: str, **said: Any) -> None:
        if act == "show":
            self._show()
        elif said["state"] is None:
            raise CommandError("say which state: ACTIVE, REDUCING or HALTED")
        else:
            self._set(said)

    def _show(self) -> None:
        for held in halts.held(at=clock.now()) or [UNSET]:
            self.stdout.write(_line(held))

    def _set(self, said: dict[str, Any]) -> None:
        at = clock.now()
        with words.refusals():
            held = halts.set_state(
                scope=HaltScope(said["scope"]),
                key=said["key"],
                state=TradingState(said["state"]),
                person=words.person(),
                reason=said["reason"],
                at=at,
                until=words.until(said["minutes"], at=at),
            )
        self.stdout.write(_line(held))


def _line(held: StateHeld) -> str:
    whose = f"{held.scope} {held.key}".strip()
    why = f" by {held.set_by}: {held.reason}" if held.set_by else ""
    until = f", until {held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
    return f"{whose} {held.state}{why}{until}"
