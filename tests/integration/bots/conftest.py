"""Receivers on this machine, and the postman that development would send to them."""

from collections.abc import Iterator

import pytest

from bots.adapters.postman import HttpPostman
from bots.domain.target import Rules
from tests.fakes import receiver as receivers
from tests.fakes.receiver import Receiver

LOCAL = Rules(hosts=frozenset({"127.0.0.1"}), may_be_local=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody outside."""
    with receivers.running() as running:
        yield running


@pytest.fixture
def second() -> Iterator[Receiver]:
    """Somebody else."""
    with receivers.running() as running:
        yield running


@pytest.fixture
def postman() -> HttpPostman:
    """The real postman, who may call this machine."""
    return HttpPostman(rules=LOCAL)
