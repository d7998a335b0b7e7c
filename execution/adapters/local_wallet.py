"""A trader's wallet on the local chain: the node signs for any address there, and its dollars are play money."""

import hashlib
from datetime import datetime

import httpx
from django.conf import settings
from eth_utils import to_checksum_address

from execution.adapters.veranta import calldata
from trading.domain.errors import Invalid, Unavailable
from trading.domain.units import Usdc
from trading.kinds import ask

LOCAL_CHAIN_ID = 31337
_MINT = "mint(address,uint256)"
_GAS_MONEY_WEI = 10**18


class NotLocal(Invalid):
    """Only the local chain signs for addresses without a key."""

    code = "CHAIN_NOT_LOCAL"


class LocalWallet:
    """An address of the local chain, funded with play money when it is granted from."""

    def __init__(self, *, tg_user_id: int, funds: Usdc, rpc_url: str | None = None, chain_id: int | None = None) -> None:
        if (chain_id or settings.CHAIN_ID) != LOCAL_CHAIN_ID:
            raise NotLocal("play money exists on the local chain only")
        self.address = _address(tg_user_id)
        self._funds = funds
        self._url = rpc_url or settings.BASE_RPC_URLS[0]

    @ask
    def grant(self, *, delegate: str, until: datetime, allowance: Usdc) -> None:
        """Fund the address, then let the delegate trade and the venue take the allowance."""
        usdc, storage = settings.VERANTA_USDC_ADDRESS, settings.VERANTA_STORAGE_ADDRESS
        expiry = int(until.timestamp())
        self._rpc("anvil_setBalance", self.address, hex(_GAS_MONEY_WEI))
        self._rpc("anvil_impersonateAccount", self.address)
        self._send(usdc, calldata.call(_MINT, self.address, self._funds.raw))
        self._send(usdc, calldata.call(calldata.APPROVE, storage, allowance.raw))
        self._send(settings.VERANTA_ROUTER_ADDRESS, calldata.call(calldata.SET_DELEGATE, delegate, expiry))
        self._rpc("anvil_mine", "0x1")

    def _send(self, target: str, data: str) -> None:
        # A gas limit of our own: the node would estimate against a state in which the calls before aren't mined.
        self._rpc("eth_sendTransaction", {"from": self.address, "to": target, "data": data, "gas": hex(500_000)})

    def _rpc(self, method: str, *params: object) -> object:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            answer = httpx.post(self._url, json=question, timeout=settings.RPC_TIMEOUT_SECONDS).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("the local chain doesn't answer", error=type(error).__name__) from None
        if "error" in answer:
            raise Unavailable("the local chain refused", error=str(answer["error"].get("message", "")))
        return answer["result"]


def _address(tg_user_id: int) -> str:
    """The same address for the same user, so that adding him twice finds him."""
    return str(to_checksum_address(hashlib.sha256(f"vanta local trader {tg_user_id}".encode()).digest()[-20:]))
