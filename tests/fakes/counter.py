"""The contract that counts effects (`devnet/contracts/Counter.sol`): its calls, and how it behaves on the fake chain."""

from dataclasses import dataclass, field

from devnet.contract import Contract, artifact
from tests.fakes.transaction import intrinsic_gas

_ARTIFACT = artifact("Counter")
_PLACELESS = Contract("", _ARTIFACT)
_BUMP = _PLACELESS.calldata("bump", bytes(32))[:10]
_COUNTS = _PLACELESS.calldata("counts", bytes(32))[:10]
_CALL_LENGTH = len("0x") + 2 * (4 + 32)
# Two storage reads, one write of a slot that was empty, one event.
_BUMP_GAS = 26_000

CODE = "0x" + _ARTIFACT.deployed_bytecode.hex()
BUMPED = _PLACELESS.topic("Bumped")


class Reverted(Exception):
    """The contract refuses the call; the text is the node's."""


def bump(key: str) -> str:
    """The calldata that counts a key (0x-hex of 32 bytes)."""
    return _BUMP + key.removeprefix("0x")


def counts(key: str) -> str:
    """The calldata that asks for a key's count."""
    return _COUNTS + key.removeprefix("0x")


def asked_key(data: str) -> str | None:
    """The key whose count a calldata asks for; None if it asks for something else."""
    return _key(data, selector=_COUNTS)


def _key(data: str, *, selector: str) -> str | None:
    is_call = data.startswith(selector) and len(data) == _CALL_LENGTH
    return "0x" + data[len(selector) :] if is_call else None


@dataclass(slots=True, kw_only=True)
class Counter:
    """The contract at an address of the fake chain. Calls with a key in `reverting` revert, simulated or mined."""

    address: str
    reverting: set[str] = field(default_factory=set)

    def effect(self, target: str, data: str) -> str | None:
        """The key that a call would count; None for a call to somebody else.

        Raises:
            Reverted: if the contract refuses.
        """
        if target.lower() != self.address:
            return None
        key = _key(data.lower(), selector=_BUMP)
        if key is None:
            raise Reverted("execution reverted")
        if key in self.reverting:
            raise Reverted("execution reverted: told to")
        return key

    def gas(self, target: str, data: str) -> int:
        """What a call uses."""
        return intrinsic_gas(data) + (_BUMP_GAS if target.lower() == self.address else 0)
