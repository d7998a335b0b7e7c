"""Commands that guard: protect, breakeven."""

from decimal import Decimal, InvalidOperation
from typing import Any

import click

from vanta.answers import Protection
from vanta.commands.speaking import Voice


def _level(text: str) -> dict[str, str]:
    """`61000` is a price, `2%` a move from the entry, `1.5R` so many times the stop's distance."""
    for mark, name in (("%", "move_pct"), ("R", "reward")):
        if text.endswith(mark):
            return {name: text.removesuffix(mark)}
    return {"price": text}


def _target(text: str) -> dict[str, str]:
    level, _, share = text.partition("@")
    return _level(level) | ({"close_pct": share} if share else {})


def _ladder(texts: tuple[str, ...]) -> list[dict[str, str]]:
    """The targets in order; the last one without a share of its own takes what the others leave."""
    ladder = [_target(each) for each in texts]
    try:
        shares = [Decimal(each["close_pct"]) for each in ladder if "close_pct" in each]
    except InvalidOperation:
        raise click.UsageError("a target's share is a number: 61000@50") from None
    if ladder and shares and "close_pct" not in ladder[-1]:
        ladder[-1]["close_pct"] = str(100 - sum(shares))
    return ladder


def _trail(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    activate, _, distance = text.partition(":")
    return {"activate_pct": activate, "distance_pct": distance}


@click.command()
@click.argument("position", type=int)
@click.option("--stop", help="59000, or 2% from the entry.")
@click.option(
    "--target",
    "targets",
    multiple=True,
    help="61000, 2% or 1.5R, and @50 for half of it; several make a ladder, and the last takes the rest.",
)
@click.option("--breakeven-after", type=int, help="How many targets move the stop to the entry.")
@click.option("--trail", help="3:1: after a gain of 3 % the stop follows 1 % behind, both of the entry.")
@click.option("--time-stop", "minutes", type=int, help="Minutes after which all of it is closed.")
@click.option("--remove", is_flag=True, help="Take away what guards it.")
@click.option("--reason", default="", help="Why; kept in the audit log.")
@click.pass_obj
def protect(voice: Voice, /, position: int, remove: bool, reason: str, **said: Any) -> None:
    """Guard a position, by its id; with nothing said, show what guards it."""
    guard = _guard(**said)
    if remove:
        _tell(voice, voice.desk.unprotect(position), "was guarded by")
    elif not guard:
        _tell(voice, voice.desk.protection(position), "is guarded by")
    elif not reason:
        raise click.UsageError("say --reason: it is kept in the audit log")
    else:
        _tell(voice, voice.desk.protect(position, guard, reason=reason), "is guarded by")


@click.command()
@click.argument("position", type=int)
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@click.pass_obj
def breakeven(voice: Voice, position: int, reason: str) -> None:
    """Move a position's stop to where closing it costs nothing."""
    _tell(voice, voice.desk.breakeven(position, reason=reason), "is guarded by")


def _guard(
    *, stop: str | None, targets: tuple[str, ...], breakeven_after: int | None, trail: str | None, minutes: int | None
) -> dict[str, Any]:
    wanted = {
        "stop": None if stop is None else _level(stop),
        "targets": _ladder(targets) or None,
        "breakeven_after": breakeven_after,
        "trail": _trail(trail),
        "time_stop_minutes": minutes,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _tell(voice: Voice, found: Protection, how: str) -> None:
    stop = "no stop" if found.stop_price is None else f"a stop at {found.stop_price} ({found.stop_reason})"
    voice.say(f"position {found.position} {how} {stop}; {found.targets_hit} targets hit", dict(found.raw))


COMMANDS: tuple[click.Command, ...] = (protect, breakeven)
