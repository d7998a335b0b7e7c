"""What trading made: profit."""

from datetime import datetime

import click

from vanta.commands.speaking import Voice

_COLUMNS = ("key", "fills", "trades", "won", "price_pnl_usdc", "fees_usdc", "rollover_usdc", "funding_usdc", "net_usdc")


@click.command()
@click.option("--account", type=int, required=True, help="Whose, by Telegram id.")
@click.option("--book", type=click.Choice(["PAPER", "LIVE"]), default="LIVE", show_default=True)
@click.option("--by", type=click.Choice(["day", "week", "month", "market"]), default="day", show_default=True)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day of the account on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="To this day, within.")
@click.pass_obj
def profit(voice: Voice, /, account: int, book: str, by: str, since: datetime | None, until: datetime | None) -> None:
    """What each day, week, month or market brought, after all costs."""
    span = {name: f"{day:%Y-%m-%d}" for name, day in (("since", since), ("until", until)) if day is not None}
    found = voice.desk.results(tg_user_id=account, book=book, by=by.upper(), **span)
    heads = (by, *(name.removesuffix("_usdc").replace("_", " ") for name in _COLUMNS[1:]))
    voice.show(heads, ([str(each[name]) for name in _COLUMNS] for each in found), found)


COMMANDS: tuple[click.Command, ...] = (profit,)
