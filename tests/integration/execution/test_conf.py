"""The adapters that settings name, built once for a process."""

from collections.abc import Iterator
from typing import Any

import pytest

from execution import conf
from tests.fakes import kms as services
from tests.fakes.kms import Fault, Kms
from trading.domain.errors import Unavailable

KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SECOND_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
SECOND_ADDRESS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """What a test builds from its own settings stays in it."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    conf.desk.cache_clear()
    conf._signers.cache_clear()


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Kms]:
    settings.SIGNER_BACKEND, settings.AWS_REGION = "kms", "eu-west-1"
    settings.KMS_KEY_IDS = ("first", "second")
    with services.running() as running:
        running.keep("first", int(KEY, 16))
        running.keep("second", int(SECOND_KEY, 16))
        for name, value in services.environment(running).items():
            monkeypatch.setenv(name, value)
        yield running


def test_each_key_is_a_signer_under_its_own_address(settings: Any) -> None:
    settings.SIGNER_PRIVATE_KEYS = (KEY, SECOND_KEY)

    signers = conf.signers()

    assert {address: signer.reference for address, signer in signers.items()} == {ADDRESS: "local:0", SECOND_ADDRESS: "local:1"}
    # A signer that has stopped has stopped everywhere: there is one of each.
    assert conf.desk().signer is signers[ADDRESS] is conf.signers()[ADDRESS]


def test_keys_in_the_service_are_signers_too(kms: Kms) -> None:
    assert {address: signer.reference for address, signer in conf.signers().items()} == {
        ADDRESS: "kms:first",
        SECOND_ADDRESS: "kms:second",
    }


def test_while_the_service_is_away_the_desk_is_there_without_a_signature(kms: Kms) -> None:
    kms.suffer(Fault.THROTTLED)

    desk = conf.desk()

    assert desk.chain.chain_id == 31337
    with pytest.raises(Unavailable):
        conf.signers()
    kms.mend()
    assert list(conf.signers()) == [ADDRESS, SECOND_ADDRESS]
