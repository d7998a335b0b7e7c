"""A trader's own wallet, to which we have no key: we say what it should sign, and look at the chain afterwards."""

from datetime import datetime

import structlog
from django.conf import settings

from execution.adapters.veranta import calldata
from trading.domain.units import Usdc

log = structlog.get_logger(__name__)


class OutsideWallet:
    """An address whose key is elsewhere."""

    def __init__(self, address: str) -> None:
        self.address = address

    def grant(self, *, delegate: str, until: datetime, allowance: Usdc) -> None:
        """Say which two calls the trader has to sign; nothing is sent from here."""
        approval = calldata.call(calldata.APPROVE, settings.VERANTA_STORAGE_ADDRESS, allowance.raw)
        delegation = calldata.call(calldata.SET_DELEGATE, delegate, int(until.timestamp()))
        log.info("wallet.sign_this", target=settings.VERANTA_USDC_ADDRESS, calldata=approval, meaning="allowance")
        log.info("wallet.sign_this", target=settings.VERANTA_ROUTER_ADDRESS, calldata=delegation, meaning="delegation")
