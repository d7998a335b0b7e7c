"""`manage.py trader add`: a trader with his delegation and his allowance."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution import conf
from execution.services import onboarding
from trading import clock
from trading.domain.errors import VantaError
from trading.domain.units import Usdc


class Command(BaseCommand):
    """Traders."""

    help = (
        "add: admits a trader. On the local chain he gets an address with play money, a delegation to our sender and an "
        "allowance; elsewhere his own wallet grants both, and --address names it: what is still missing is printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("add",))
        parser.add_argument("--tg-user-id", type=int, required=True)
        parser.add_argument("--name", default="")
        parser.add_argument("--address", default="", help="the trader's own address; empty on the local chain")
        parser.add_argument("--usdc", default="10000", help="play money and allowance, in dollars")

    def handle(self, *_: Any, tg_user_id: int, name: str, address: str, usdc: str, **__: Any) -> None:
        try:
            amount = Usdc.of(usdc)
            wallet = conf.wallet(tg_user_id=tg_user_id, address=address, funds=amount)
            trader, standing = onboarding.admit(
                tg_user_id=tg_user_id,
                name=name or f"trader {tg_user_id}",
                wallet=wallet,
                allowance=amount,
                desk=conf.desk(),
                actor="command line",
                at=clock.now(),
            )
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None
        until = standing.delegated_until.isoformat() if standing.delegated_until else "not delegated yet"
        self.stdout.write(
            f"trader {trader} {trader.address}: {standing.balance} USDC, allowance {standing.allowance}, delegated until {until}"
        )
