"""Builds the adapters that settings name; only entry points ask. One set a process, made after the fork."""

from functools import cache

from django.conf import settings

from execution.adapters.local_signer import LocalSigner
from execution.adapters.local_wallet import LocalWallet
from execution.adapters.outside_wallet import OutsideWallet
from execution.adapters.rpc import RpcChain
from execution.adapters.veranta.venue import VerantaVenue
from execution.desk import Desk
from execution.ports import Wallet
from trading import conf
from trading.domain.units import Usdc


@cache
def desk() -> Desk:
    """Everything outside that executing needs."""
    return Desk(
        chain=RpcChain(), venue=VerantaVenue(), signer=LocalSigner(settings.SIGNER_PRIVATE_KEY), switch=conf.mode_switch()
    )


def wallet(*, tg_user_id: int, address: str, funds: Usdc) -> Wallet:
    """A trader's wallet: his own if he has an address, else one of the local chain with play money."""
    return OutsideWallet(address) if address else LocalWallet(tg_user_id=tg_user_id, funds=funds)
