"""What no node will ever take makes room on its own nonce, and soon."""

from execution.domain.intent import IntentStatus
from execution.models import TxIntent
from tests.fakes.pool import TRANSACTION_GAS_CAP
from tests.fakes.venue import open_key
from tests.machine.stand import PURSE, Stand
from trading.domain.units import Usdc

BLOCKS = 3


def refused_first(stand: Stand) -> list[TxIntent]:
    """Three built intents, of which the first asks for more gas than a transaction may."""
    for trader in range(3):
        stand.tell(trader=trader)
    for task in stand.tasks:
        if task.name == "decide":
            stand.do(task)
    # Without gas money they are built and get no nonce yet.
    stand.set_purse(0, 0)
    stand.work()
    first, *_ = TxIntent.objects.order_by("pk")
    TxIntent.objects.filter(pk=first.pk).update(gas_limit=TRANSACTION_GAS_CAP + 1)
    stand.set_purse(0, PURSE)
    stand.wait(1)
    return list(TxIntent.objects.order_by("pk"))


def keys(*numbers: int) -> set[str]:
    return {open_key(Usdc.of(f"50.{number:06d}")) for number in numbers}


def test_refused_content_holds_the_others_up_by_three_blocks_at_most(transactional_db: None) -> None:
    stand = Stand(nodes=2, senders=1)
    refused, *_ = refused_first(stand)

    for _ in range(BLOCKS):
        stand.work()
        stand.mine()

    assert set(stand.ledger.effects()) == keys(2, 3)
    stand.come_to_rest()
    refused.refresh_from_db()
    assert (refused.status, refused.nonce) == (IntentStatus.CANCELED, 0)
    assert refused.failure_code.startswith("CONTENT_REFUSED")
    stand.close()
