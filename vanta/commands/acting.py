"""Commands that act: signal send, signal show, close, mode, stop."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.status import Status

from vanta.answers import Acceptance, Journey
from vanta.commands.speaking import Voice, facts

FILLED = "filled"
ENDED_OTHERWISE = 6
# What a signal may end as without anything having failed.
_GOOD = (FILLED, "observed", "done")


@click.group()
def signal() -> None:
    """Send a signal, and see where it stands."""


@signal.command()
@click.option("--symbol", required=True, help="BTC-USD")
@click.option("--side", required=True, type=click.Choice(["LONG", "SHORT", "CLOSE"]))
@click.option("--account", "tg_user_id", type=int, envvar="VANTA_ACCOUNT", required=True, help="Whose, by Telegram id.")
@click.option("--collateral", "collateral_usdc", help="USDC put up, for LONG and SHORT.")
@click.option("--leverage", "leverage_x", help="For LONG and SHORT.")
@click.option("--reduce-pct", help="The share to close; without it, everything.")
@click.option("--reduce-usdc", help="The collateral to close, instead.")
@click.option("--slippage-pct")
@click.option("--take-profit")
@click.option("--stop-loss")
@click.option("--id", "signal_id", default="", help="Its id: the same id is the same signal. Without it, one is made.")
@click.option("--follow/--no-follow", default=True, help="Wait until it has ended.", show_default=True)
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Seconds to follow it.")
@click.pass_obj
def send(voice: Voice, /, follow: bool, timeout: float, **said: Any) -> None:
    """Send a signal, and follow it until it has ended."""
    accepted = voice.desk.send_signal(**{name: value for name, value in said.items() if value is not None})
    _tell(voice, accepted, follow=follow, timeout=timeout)


@signal.command()
@click.argument("intent_key")
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Seconds to follow it.")
@click.pass_obj
def show(voice: Voice, intent_key: str, timeout: float) -> None:
    """Where a signal stands (sig:SOURCE:ID), until it has ended."""
    _follow(voice, voice.desk.find_signal(intent_key), timeout=timeout)


@click.command()
@click.argument("position", type=int)
@click.option("--reduce-pct", help="The share to close; without it, everything.")
@click.option("--key", default="", help="Names this request: the same key closes once.")
@click.option("--follow/--no-follow", default=True, help="Wait until it has ended.", show_default=True)
@click.option("--timeout", type=float, default=120.0, show_default=True, help="Seconds to follow it.")
@click.pass_obj
def close(voice: Voice, position: int, reduce_pct: str | None, key: str, follow: bool, timeout: float) -> None:
    """Close a position, by its id."""
    _tell(voice, voice.desk.close_position(position, reduce_pct=reduce_pct, key=key), follow=follow, timeout=timeout)


@click.command()
@click.argument("wanted", required=False, type=click.Choice(["DRY", "LIVE"]))
@click.option("--reason", default="", help="Why; kept in the audit log.")
@click.option("--confirm", default="", help="LIVE is typed a second time here.")
@click.pass_obj
def mode(voice: Voice, wanted: str | None, reason: str, confirm: str) -> None:
    """What holds, or which mode is wanted from now on."""
    if wanted is None:
        found = voice.desk.mode()
    else:
        if not reason:
            raise click.UsageError("say --reason: it is kept in the audit log")
        found = voice.desk.switch_mode(wanted, reason=reason, confirmation=confirm)
    why = f" ({'; '.join(found.reasons)})" if found.reasons else ""
    voice.say(f"{found.mode}{why}; wanted {found.configured}", found.raw)


@click.command()
@click.option("--reason", default="", help="Why; kept in the audit log.")
@click.pass_obj
def stop(voice: Voice, reason: str) -> None:
    """The emergency stop: nothing new is signed from now on."""
    found = voice.desk.emergency_stop(reason=reason)
    voice.say(f"stopped: {'; '.join(found.reasons)}", found.raw)


def _tell(voice: Voice, accepted: Acceptance, *, follow: bool, timeout: float) -> None:
    document = {name: getattr(accepted, name) for name in ("id", "status", "intent_key", "trace_id", "state")}
    voice.say(f"{accepted.status} {accepted.intent_key}", document)
    if follow:
        _follow(voice, accepted.id, timeout=timeout)


def _follow(voice: Voice, number: int, *, timeout: float) -> None:
    told, journey = 0, None
    with _progress(voice) as progress:
        for journey in voice.desk.follow(number, seconds=timeout):
            for moment in journey.timeline[told:]:
                line = f"{moment.ms:>8} ms  {moment.event:<22} {facts(moment.detail)}".rstrip()
                voice.say(line, {"event": moment.event, "ms": moment.ms, "detail": dict(moment.detail)})
            told = len(journey.timeline)
            if progress is not None:
                progress.update(journey.state)
    if journey is not None:
        _end(voice, journey)


@contextmanager
def _progress(voice: Voice) -> Iterator[Status | None]:
    """A spinner with the state beside it; nothing where nobody looks."""
    console = Console(stderr=True)
    if voice.as_json or not console.is_terminal:
        yield None
        return
    with console.status("sent") as progress:
        yield progress


def _end(voice: Voice, journey: Journey) -> None:
    why = f": {journey.reason}" if journey.reason else ""
    voice.say(f"{journey.state}{why}", dict(journey.raw))
    if journey.state not in _GOOD:
        sys.exit(ENDED_OTHERWISE)


COMMANDS: tuple[click.Command, ...] = (signal, close, mode, stop)
