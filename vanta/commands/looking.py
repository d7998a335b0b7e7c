"""Commands that look: status, positions, signal show, tail."""

import click

from vanta.answers import Event
from vanta.commands.speaking import Voice, facts


@click.command()
@click.pass_obj
def status(voice: Voice) -> None:
    """What holds: the mode with its reasons, and how many positions are open."""
    mode, held = voice.desk.mode(), voice.desk.all_positions(status="OPEN")
    number = sum(1 for _ in held)
    stop = "STOPPED, " if mode.emergency_stop else ""
    why = f" ({'; '.join(mode.reasons)})" if mode.reasons else ""
    voice.say(f"{stop}{mode.mode}{why}; {number} open positions", {**mode.raw, "open_positions": number})


@click.command()
@click.option("--all", "closed_too", is_flag=True, help="Closed ones too.")
@click.option("--symbol", default="", help="Only in this market.")
@click.option("--book", type=click.Choice(["PAPER", "LIVE"]), help="Only in this book.")
@click.option("--account", type=int, help="Only of this Telegram id.")
@click.pass_obj
def positions(voice: Voice, closed_too: bool, symbol: str, book: str | None, account: int | None) -> None:
    """What is held, the newest first."""
    wanted = {"status": "" if closed_too else "OPEN", "symbol": symbol, "book": book or "", "tg_user_id": account or ""}
    found = list(voice.desk.all_positions(**{name: value for name, value in wanted.items() if value}))
    voice.show(
        ("id", "account", "market", "book", "side", "status", "collateral", "leverage", "entry", "realised PnL"),
        (
            (
                *(str(each.id), str(each.tg_user_id), each.symbol, each.book, each.direction, each.status),
                *(f"{each.collateral_usdc:f}", f"{each.leverage_x:f}x", str(each.entry_price), f"{each.realised_pnl_usdc:f}"),
            )
            for each in found
        ),
        (each.raw for each in found),
    )


@click.command()
@click.option("--after", default="latest", show_default=True, help="A place, as --json shows it; or `beginning`.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many; without it, at Ctrl-C.")
@click.pass_obj
def tail(voice: Voice, after: str, count: int | None) -> None:
    """Everything that happens, in the order of the commits."""
    for number, event in enumerate(voice.desk.tail(after="" if after == "beginning" else after), start=1):
        voice.say(_line(event), _document(event))
        if number == count:
            return


def _line(event: Event) -> str:
    at = f"{event.at:%H:%M:%S}.{event.at.microsecond // 1000:03d}"
    return f"{at} {event.kind:<24} {event.subject:<14} {facts(event.facts)}".rstrip()


def _document(event: Event) -> dict[str, object]:
    return {
        "place": event.place,
        "kind": event.kind,
        "subject": event.subject,
        "trace_id": event.trace_id,
        "at": event.at.isoformat(),
        "facts": dict(event.facts),
    }


COMMANDS: tuple[click.Command, ...] = (status, positions, tail)
