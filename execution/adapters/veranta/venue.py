"""Veranta behind our port: calldata out, events in, the catalogue over HTTP."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from django.conf import settings
from eth_abi import decode as decode_abi
from eth_abi.exceptions import DecodingError

from execution.adapters.veranta import calldata, core_api, events, transfers
from execution.adapters.veranta.abi import ERRORS
from execution.adapters.veranta.holdings import Contracts, Sight
from execution.domain.chain import Call, Log, Snapshot, View
from execution.domain.events import VenueEvent
from execution.domain.levels import LevelsIntent
from execution.domain.reconciliation import VenueAccount
from execution.ports import Chain, CloseRequest, MarketListing, OpenRequest, Permission
from risk.ports import AccountReading
from trading.domain.errors import Unavailable
from trading.domain.units import Leverage, NotExact, Percent, Usdc, Wei
from trading.kinds import ask

# Error(string): what older parts of the venue still revert with.
_ERROR_STRING = "0x08c379a0"
_HTTP_TIMEOUT_SECONDS = 5.0
# 9999-12-31, the last day that Python's calendar knows.
_FAR_AWAY = 253_402_214_400


class VerantaVenue:
    """The venue at the addresses that settings name."""

    def __init__(self) -> None:
        self._router = settings.VERANTA_ROUTER_ADDRESS
        self.emitters = tuple(
            address for address in (self._router, settings.VERANTA_STORAGE_ADDRESS, settings.VERANTA_CALLBACKS_ADDRESS) if address
        )

    def open_call(self, request: OpenRequest, *, sender: str) -> Call:
        """The delegate's call that opens a position."""
        return self._delegated(request.trader, calldata.open_trade(request), sender=sender)

    def close_call(self, request: CloseRequest, *, sender: str) -> Call:
        """The delegate's call that closes."""
        return self._delegated(request.trader, calldata.close_trade(request), sender=sender)

    def decode(self, log: Log) -> VenueEvent | None:
        """What a log says."""
        return events.decode(log)

    def reason(self, revert: str) -> str:
        """The name of a custom error, or the text that the contract gave."""
        if revert.startswith(_ERROR_STRING):
            return _error_string(revert)
        return ERRORS.get(revert[:10], revert[:200]) if revert.startswith("0x") else revert[:200]

    def funds(self, trader: str, *, chain: Chain) -> tuple[Usdc, Usdc]:
        """A trader's balance, and how much of it the venue may take."""
        usdc, spender = settings.VERANTA_USDC_ADDRESS, settings.VERANTA_STORAGE_ADDRESS
        balance = _words(chain.call(usdc, calldata.call(calldata.BALANCE_OF, trader)))
        allowance = _words(chain.call(usdc, calldata.call(calldata.ALLOWANCE, trader, spender)))
        return Usdc.from_raw(balance[0]), Usdc.from_raw(allowance[0])

    def account_views(self, trader: str, *, delegates: Sequence[str]) -> list[View]:
        """Balance, allowance, and each delegate's permission."""
        usdc, spender = settings.VERANTA_USDC_ADDRESS, settings.VERANTA_STORAGE_ADDRESS
        return [
            View(target=usdc, data=calldata.call(calldata.BALANCE_OF, trader)),
            View(target=usdc, data=calldata.call(calldata.ALLOWANCE, trader, spender)),
            *(View(target=self._router, data=calldata.call(calldata.MULTIPLE_DELEGATIONS, trader, each)) for each in delegates),
        ]

    def account(self, seen: Snapshot) -> AccountReading:
        """What the answers say."""
        balance, allowance, *permissions = [_words(answer) for answer in seen.answers]
        able = [(expiry, gas) for (enabled, expiry), gas in zip(permissions, seen.balances, strict=True) if enabled]
        return AccountReading(
            balance=Usdc.from_raw(balance[0]),
            allowance=Usdc.from_raw(allowance[0]),
            delegated_until=max((_instant(expiry) for expiry, _ in able), default=None),
            gas=max((gas for _, gas in able), default=Wei.zero()),
            block_number=seen.block_number,
        )

    def permission(self, trader: str, *, delegate: str, chain: Chain) -> Permission:
        """Whether a delegate may act for a trader now."""
        answer = chain.call(self._router, calldata.call(calldata.MULTIPLE_DELEGATIONS, trader, delegate))
        is_enabled, expiry = _words(answer)
        return Permission(is_enabled=bool(is_enabled), expires_at=_instant(expiry) if is_enabled else None)

    def accounts_at(self, traders: Sequence[str], *, pairs: Sequence[int], block_hash: str, chain: Chain) -> list[VenueAccount]:
        """What the venue holds of each trader at one block."""
        at = Contracts(storage=settings.VERANTA_STORAGE_ADDRESS, usdc=settings.VERANTA_USDC_ADDRESS)
        return Sight(at=at, block_hash=block_hash, chain=chain).read(traders, pairs=pairs)

    def refunded(self, trader: str, *, block_number: int, tx_hash: str, chain: Chain) -> Usdc:
        """What a transaction gave back to a trader out of the escrow."""
        usdc, escrow = settings.VERANTA_USDC_ADDRESS, settings.VERANTA_STORAGE_ADDRESS
        return transfers.between(escrow, trader, usdc=usdc, block_number=block_number, tx_hash=tx_hash, chain=chain)

    def transferred(self, trader: str, *, first: int, last: int, chain: Chain) -> Usdc:
        """What came to a trader, less what went, by transactions in which the venue said nothing."""
        return transfers.net(
            trader, usdc=settings.VERANTA_USDC_ADDRESS, emitters=self.emitters, first=first, last=last, chain=chain
        )

    @ask
    def set_levels(self, intent: LevelsIntent, *, signature: str) -> None:
        """Hand the venue's operator new levels for a position."""
        core_api.put_levels(intent, signature)

    @ask
    def markets(self) -> list[MarketListing]:
        """The catalogue, from the venue's data service."""
        try:
            response = httpx.get(f"{settings.VERANTA_DATA_API_URL}/v2/trading", timeout=_HTTP_TIMEOUT_SECONDS)
            said = response.raise_for_status().json()
            groups = {int(index): str(group["name"])[:32] for index, group in said["groupInfo"].items()}
            return [_listing(int(index), pair, groups=groups) for index, pair in said["pairInfos"].items()]
        except (httpx.HTTPError, NotExact, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable("the venue's catalogue doesn't answer", error=type(error).__name__) from None

    def _delegated(self, trader: str, data: str, *, sender: str) -> Call:
        return Call(sender=sender, target=self._router, data=calldata.on_behalf_of(trader, data), value=Wei.zero())


def _instant(expiry: int) -> datetime:
    # An expiry beyond the calendar means "for ever".
    return datetime.fromtimestamp(min(expiry, _FAR_AWAY), tz=UTC)


def _words(answer: str) -> list[int]:
    raw = bytes.fromhex(answer.removeprefix("0x"))
    return [int.from_bytes(raw[at : at + 32]) for at in range(0, len(raw), 32)]


def _error_string(revert: str) -> str:
    try:
        (text,) = decode_abi(["string"], bytes.fromhex(revert.removeprefix(_ERROR_STRING)))
    except (DecodingError, ValueError):
        return revert[:200]
    return str(text)[:200]


def _listing(index: int, pair: dict[str, Any], *, groups: dict[int, str]) -> MarketListing:
    leverages = pair["leverages"]
    return MarketListing(
        symbol=f"{pair['from']}-{pair['to']}",
        group=groups.get(int(pair["groupIndex"]), ""),
        pair_index=index,
        is_listed=bool(pair["isPairListed"]),
        is_open=bool(pair["feed"]["attributes"]["isOpen"]),
        is_close_only=bool(pair["closeOnlyMode"]),
        min_notional=Usdc.of(str(pair["pairMinLevPosUSDC"])),
        min_leverage=Leverage.of(str(leverages["minLeverage"])),
        max_leverage=Leverage.of(str(leverages["maxLeverage"])),
        open_fee=Percent.of(str(pair["openFeeP"])),
        close_fee=Percent.of(str(pair["closeFeeP"])),
        spread=Percent.of(str(pair["spreadP"])),
        # Both sides pay the same; should they ever differ, nobody is told too little.
        rollover_hourly=max(Percent.of(str(share)) for share in pair["marginFee"].values()),
        funding_hourly=Percent.of(str(pair["fundingFeePerHourP"])),
        max_gain=Percent.of(str(pair["values"]["maxGainP"])),
    )
