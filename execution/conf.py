"""Builds the adapters that settings name; only entry points ask. One set a process, made after the fork, when first needed."""

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from execution.adapters.accounts import DeskAccounts
from execution.desk import Desk
from execution.ports import Signer, Wallet
from risk.ports import Accounts
from trading import conf
from trading.domain.units import Usdc


@cache
def desk() -> Desk:
    """Everything outside that executing needs."""
    first, *others = _signers()
    return Desk(
        chain=import_string(settings.CHAIN)(),
        venue=import_string(settings.VENUE)(),
        signer=first,
        switch=conf.mode_switch(),
        others=tuple(others),
    )


@cache
def accounts() -> Accounts:
    """The accounts of our traders, for `risk`."""
    return DeskAccounts(desk())


def signers() -> dict[str, Signer]:
    """Every signer of this process, by its account's checksummed address, in the order of the settings.

    Raises:
        Unavailable: if the keeper of a key can't say its address now.
    """
    return {signer.address: signer for signer in _signers()}


@cache
def _signers() -> tuple[Signer, ...]:
    # No key is asked for anything here: a keeper that is down stops what it signs for, and nothing else.
    backend = import_string(settings.SIGNERS[settings.SIGNER_BACKEND])
    every: tuple[Signer, ...] = backend.of_settings()
    return every


def wallet(*, tg_user_id: int, address: str, funds: Usdc) -> Wallet:
    """A trader's wallet: his own if he has an address, else one of the local chain with play money."""
    if address:
        outside: Wallet = import_string(settings.OUTSIDE_WALLET)(address)
        return outside
    local: Wallet = import_string(settings.LOCAL_WALLET)(tg_user_id=tg_user_id, funds=funds)
    return local
