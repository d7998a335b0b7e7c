"""A signal's way while the sender's key is in a key management service, well or in trouble."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from execution.adapters.kms_signer import KmsSigner
from execution.domain.intent import IntentStatus
from execution.domain.signing import SignerBroken
from execution.models import TxIntent, TxSend
from tests.fakes import kms as services
from tests.fakes.kms import Fault, Kms
from tests.scenario.world import World
from trading.models import Position


@pytest.fixture
def kms(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Kms]:
    """The world's own key, taken into custody: its sender stays the same account."""
    settings.AWS_REGION = "eu-west-1"
    with services.running() as running:
        running.keep("desk", int(configured.SIGNER_PRIVATE_KEYS[0], 16))
        for name, value in services.environment(running).items():
            monkeypatch.setenv(name, value)
        world.desk = replace(world.desk, signer=KmsSigner("desk"))
        yield running


def test_a_signal_becomes_a_position(world: World, client: Client, kms: Kms) -> None:
    world.admit(123)

    world.send(client)
    world.run(rounds=4)

    assert Position.objects.get().status == "OPEN"
    assert kms.count("Sign") == TxSend.objects.count() == 1


def test_while_the_service_throttles_the_nonce_is_kept_and_used_once(world: World, client: Client, kms: Kms) -> None:
    world.admit(123)
    kms.suffer(Fault.THROTTLED, on="Sign")

    world.send(client)
    world.run(rounds=2)

    waiting = TxIntent.objects.get()
    assert (waiting.status, waiting.nonce, TxSend.objects.count()) == (IntentStatus.SENDING, 0, 0)
    kms.mend()
    world.run(rounds=4)
    assert (TxIntent.objects.get().nonce, TxSend.objects.count(), world.chain_nonce()) == (0, 1, 1)
    assert Position.objects.get().status == "OPEN"


def test_a_strangers_signature_never_reaches_the_chain(world: World, client: Client, kms: Kms) -> None:
    world.admit(123)
    kms.suffer(Fault.OTHER_KEY, on="Sign")

    world.send(client)
    with suppress(SignerBroken):
        world.run(rounds=4)

    assert (TxSend.objects.count(), world.chain_nonce(), kms.count("Sign")) == (0, 0, 1)


def test_a_process_that_starts_anew_signs_for_the_nonce_that_waits(world: World, client: Client, kms: Kms) -> None:
    world.admit(123)
    kms.suffer(Fault.THROTTLED, on="Sign")
    world.send(client)
    world.run(rounds=1)

    world.desk = replace(world.desk, signer=KmsSigner("desk"))
    kms.mend()
    world.run(rounds=4)

    assert (TxIntent.objects.get().nonce, TxSend.objects.count(), world.chain_nonce()) == (0, 1, 1)
