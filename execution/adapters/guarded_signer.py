"""What every signer does around its key: its policy before, its proof after."""

from abc import ABC, abstractmethod

import structlog
from django.conf import settings

from execution.adapters import secp256k1, transactions
from execution.adapters.veranta import calldata, typed_intents
from execution.domain import levels
from execution.domain.levels import LevelsIntent
from execution.domain.signing import Act, Proposal, SignerBroken, SigningPolicy, permit
from execution.ports import CloseRequest, OpenRequest, SignedCall, UnsignedCall
from trading.domain.errors import Invalid
from trading.domain.units import Leverage, Usdc, Wei
from trading.kinds import ask

log = structlog.get_logger(__name__)

_EMPTY = "0x"


class NoKey(Invalid):
    """Settings name no usable key."""

    code = "SIGNER_KEY_MISSING"


class GuardedSigner(ABC):
    """A signer that builds the transaction itself, from a structured call; no digest ever comes from outside.

    `reference` says which key of which signer it is, as `senders.signer` has it.
    """

    reference: str

    def __init__(self, *, policy: SigningPolicy | None = None) -> None:
        self._policy = policy or configured_policy()
        self._is_broken = False

    @property
    @abstractmethod
    def address(self) -> str:
        """The key's account, checksummed."""

    @abstractmethod
    def _sign(self, digest: bytes) -> tuple[int, int]:
        """r and s of a signature; s may be high."""

    def check(self, call: UnsignedCall) -> None:
        """Pass if this signer would sign such a call; nothing is asked of the key.

        Raises:
            SigningDenied: if its policy refuses the call.
        """
        permit(proposal(call, sender=self.address), policy=self._policy)

    @ask
    def sign(self, call: UnsignedCall) -> SignedCall:
        """The signed bytes of a call, read back field by field before anybody gets them.

        Raises:
            SigningDenied: if the policy refuses the call; the key wasn't asked.
            SignerBroken: if the signature isn't this address's, now or once before.
            Unavailable: if the key's keeper doesn't answer in time.
        """
        if self._is_broken:
            raise self._broken()
        self.check(call)
        digest = transactions.digest(call)
        r, s = self._sign(digest)
        signature = secp256k1.of(r, s, digest=digest, address=self.address)
        signed = transactions.signed(call, signature) if signature else None
        if signed is None or transactions.read(signed.raw) != (transactions.as_read(call), self.address):
            self._is_broken = True
            log.error("signer.broken", signer=self.reference, address=self.address, nonce=call.nonce)
            raise self._broken()
        return signed

    @ask
    def sign_levels(self, intent: LevelsIntent) -> str:
        """The signature of new levels for a position, proven to be this address's before anybody gets it.

        Raises:
            SigningDenied: if the policy refuses them; the key wasn't asked.
            SignerBroken: if the signature isn't this address's, now or once before.
            Unavailable: if the key's keeper doesn't answer in time.
        """
        if self._is_broken:
            raise self._broken()
        levels.permit(intent)
        digest = typed_intents.digest(intent, chain_id=self._policy.chain_id, router=self._policy.router)
        r, s = self._sign(digest)
        signature = secp256k1.of(r, s, digest=digest, address=self.address)
        if signature is None:
            self._is_broken = True
            log.error("signer.broken", signer=self.reference, address=self.address)
            raise self._broken()
        # The contract's own form: r, s, and 27 or 28.
        return "0x" + (signature.r.to_bytes(32) + signature.s.to_bytes(32) + bytes((27 + signature.parity,))).hex()

    def _broken(self) -> SignerBroken:
        return SignerBroken("the key signs for another account; this signer has stopped", signer=self.reference)


def configured_policy() -> SigningPolicy:
    """The limits that settings give to every signer."""
    return SigningPolicy(
        chain_id=settings.CHAIN_ID,
        router=settings.VERANTA_ROUTER_ADDRESS,
        max_leverage=Leverage.of(settings.MAX_LEVERAGE),
        max_notional=Usdc.of(settings.MAX_POSITION_SIZE_USD),
        fee_ceiling=Wei(settings.FEE_CEILING_GWEI * 10**9),
        max_cost=Wei(settings.SIGNER_MAX_COST_WEI),
        max_top_up=Wei(settings.SIGNER_MAX_TOP_UP_WEI),
        beneficiaries=frozenset(settings.SIGNER_BENEFICIARIES),
    )


def proposal(call: UnsignedCall, *, sender: str) -> Proposal:
    """A call as the signer's rules see it, its calldata decoded."""
    order = None if call.data == _EMPTY else calldata.read(call.data)
    return Proposal(
        act=_act(call, order, sender=sender),
        sender=sender,
        target=call.target,
        chain_id=call.chain_id,
        value=call.value,
        gas_limit=call.gas_limit,
        offer=call.offer,
        trader=order.trader if order else "",
        collateral=order.collateral if order else Usdc.zero(),
        leverage=order.leverage if isinstance(order, OpenRequest) else Leverage.zero(),
    )


def _act(call: UnsignedCall, order: OpenRequest | CloseRequest | None, *, sender: str) -> Act:
    if order is not None:
        return Act.OPEN if isinstance(order, OpenRequest) else Act.CLOSE
    if call.data != _EMPTY:
        return Act.UNKNOWN
    return Act.CANCELLATION if call.target.lower() == sender.lower() else Act.TOP_UP
