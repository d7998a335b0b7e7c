"""Commands of copy trading: leaders, following, follow, unfollow, tracking."""

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

import click

from vanta.commands.speaking import Voice, facts


@click.command()
@click.option("--days", type=click.Choice(["7", "30", "90"]), default="30", show_default=True)
@click.option("--by", type=click.Choice(["PNL", "VOLUME", "CONSISTENCY"]), default="PNL", show_default=True)
@click.pass_obj
def leaders(voice: Voice, days: str, by: str) -> None:
    """Whom accounts can follow, the best first."""
    found = voice.desk.leaders(days=int(days), by=by)
    voice.show(
        ("id", "name", "address", "earned", "volume", "trades", "good days"),
        (
            (
                *(str(each.id), each.name, each.address, f"{each.net_usdc:f}", f"{each.volume_usdc:f}", str(each.trades)),
                "-" if each.consistency_pct is None else f"{each.consistency_pct:.0f} %",
            )
            for each in found
        ),
        (each.raw for each in found),
    )


@click.command()
@click.option("--account", type=int, help="Only of this Telegram id.")
@click.pass_obj
def following(voice: Voice, account: int | None) -> None:
    """Who follows whom, and how."""
    found = list(voice.desk.following(**({} if account is None else {"tg_user_id": account})))
    voice.show(
        ("id", "account", "leader", "address", "mode", "why", "sizing"),
        (
            (str(each.id), str(each.tg_user_id), str(each.leader), each.leader_address, each.mode, each.mode_reason, each.sizing)
            for each in found
        ),
        (each.raw for each in found),
    )


@click.command()
@click.argument("leader", type=int)
@click.option("--account", "tg_user_id", type=int, envvar="VANTA_ACCOUNT", required=True, help="Whose, by Telegram id.")
@click.option("--sizing", type=click.Choice(["FIXED", "MIRROR", "EQUITY_PCT"]), required=True)
@click.option("--fixed-usdc", help="For FIXED: the collateral of each trade.")
@click.option("--share-pct", help="For MIRROR: of the leader's collateral; for EQUITY_PCT: of the own equity.")
@click.option("--max-trade-usdc", help="A larger trade is cut to this.")
@click.option("--max-day-usdc", help="Collateral of all that a day opens.")
@click.option("--max-leverage-x", help="A higher leverage is copied at this.")
@click.option("--max-slippage-pct", help="Against the leader's price.")
@click.option("--symbols", help="BTC-USD ETH-USD; without it, every market.")
@click.option("--max-losses", type=int, help="So many in a row leave closes only.")
@click.option("--max-drawdown-usdc", help="So much below the best leaves closes only.")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@click.pass_obj
def follow(voice: Voice, /, **said: Any) -> None:
    """Copy a leader, by his id, from now on."""
    made = voice.desk.follow_leader(**{name: value for name, value in said.items() if value is not None})
    voice.say(f"{made.id}: {made.tg_user_id} follows {made.leader_address}, {made.sizing}, {made.mode}", made.raw)


@click.command()
@click.argument("number", metavar="FOLLOWING", type=int)
@click.option("--closes-only", is_flag=True, help="Still close what the leader closes, as it is in each mode, and say so.")
@click.option("--reason", required=True, help="Why; kept in the audit log.")
@click.pass_obj
def unfollow(voice: Voice, number: int, closes_only: bool, reason: str) -> None:
    """Copy no opens anymore; what was copied is closed when its leader closes."""
    turned = voice.desk.turn_following(number, "CLOSES_ONLY" if closes_only else "OFF", reason=reason)
    voice.say(f"{turned.id}: {turned.tg_user_id} follows {turned.leader_address}, {turned.mode}", turned.raw)


@click.command()
@click.option("--account", "tg_user_id", type=int, help="Only of this Telegram id.")
@click.option("--following", type=int, help="Only of this following.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated, with a head line: for a spreadsheet.")
@click.pass_obj
def tracking(voice: Voice, /, as_csv: bool, **narrowed_by: int | None) -> None:
    """Each day of each following beside its leader's, and why they differ, in dollars that add up."""
    found = list(voice.desk.tracking(**{name: value for name, value in narrowed_by.items() if value is not None}))
    if as_csv:
        click.echo(_spreadsheet(found), nl=False)
        return
    voice.show(_COLUMNS, ([str(each[name]) for name in _COLUMNS] for each in found), found)


def _spreadsheet(found: Iterable[Mapping[str, Any]]) -> str:
    sheet = StringIO()
    lines = csv.DictWriter(sheet, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    lines.writeheader()
    for each in found:
        lines.writerow({**each, "not_copied": facts(each["not_copied"])})
    return sheet.getvalue()


_COLUMNS = (
    *("day", "tg_user_id", "following", "leader", "book", "trades", "leader_return_pct", "follower_return_pct"),
    *("follower_net_usdc", "expected_usdc", "not_copied_usdc", "size_usdc", "entry_usdc", "exit_usdc", "fees_usdc"),
    *("carrying_usdc", "not_copied"),
)
COMMANDS: tuple[click.Command, ...] = (leaders, following, follow, unfollow, tracking)
