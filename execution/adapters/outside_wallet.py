"""A trader's own wallet, to which we have no key: we say what it should sign, and look at the chain afterwards."""

from datetime import datetime

import structlog
from django.conf import settings
from eth_utils import is_checksum_address, is_hex_address, to_checksum_address

from execution.adapters.veranta import calldata
from trading.domain.errors import Invalid
from trading.domain.units import Usdc

log = structlog.get_logger(__name__)


class NoAddress(Invalid):
    """What was given isn't an address, or its checksum says that it was mistyped."""

    code = "ADDRESS_INVALID"


class OutsideWallet:
    """An address whose key is elsewhere."""

    def __init__(self, address: str) -> None:
        # Mixed case is a checksum; without one there is nothing to compare.
        if not is_hex_address(address) or (address != address.lower() and not is_checksum_address(address)):
            raise NoAddress("not an address: 0x and 40 hexadecimal digits, upper and lower case as its checksum wants")
        # The venue's events are matched by the checksummed form.
        self.address = str(to_checksum_address(address))

    def grant(self, *, delegate: str, until: datetime, allowance: Usdc) -> None:
        """Say which two calls the trader has to sign; nothing is sent from here."""
        approval = calldata.call(calldata.APPROVE, settings.VERANTA_STORAGE_ADDRESS, allowance.raw)
        delegation = calldata.call(calldata.SET_DELEGATE, delegate, int(until.timestamp()))
        log.info("wallet.sign_this", target=settings.VERANTA_USDC_ADDRESS, calldata=approval, meaning="allowance")
        log.info("wallet.sign_this", target=settings.VERANTA_ROUTER_ADDRESS, calldata=delegation, meaning="delegation")
