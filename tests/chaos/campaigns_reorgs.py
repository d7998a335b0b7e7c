"""Reorganizations in the middle of traffic: afterwards our books must be those of somebody who has just read the new chain.

The reader is our own indexer, started on empty tables in a transaction that is taken back.
"""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from time import monotonic
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test import override_settings

from devnet.deploy import deploy
from execution.domain.intent import IntentStatus
from execution.models import ChainBlock, Order, TxIntent, TxReceipt, TxSend
from execution.services import indexing
from tests.chaos import ground
from tests.chaos.campaign import Bounds, Campaign, Row
from tests.chaos.stand import Stand
from tests.chaos.verdict import Verdict
from tests.fakes.switch import UNTROUBLED
from tests.scenario import way
from tests.scenario import world as worlds
from tests.scenario.world import World
from trading import clock
from trading.models import Fill, ModeState, Position

TRADERS = (123, 124, 125)
# Each trader opens, and closes what he has opened, in turns.
_TURNS = ({"side": "LONG"}, {"side": "CLOSE"}, {"side": "SHORT"}, {"side": "CLOSE"})
_PATIENCE_ROUNDS = 40
# By the chain's own tag, and once more two blocks later.
FINAL_AFTER_BLOCKS = 70


# As many blocks as can be replaced below what anvil calls finalized.
DEEPEST = 63


class Fate(StrEnum):
    """What becomes of our transactions in the blocks that are replaced."""

    LOST = "no node has them anymore"
    MOVED = "they are mined in another block"
    SIBLING = "an earlier offer for one of the nonces is mined in its place"
    RETURNED = "the node puts them back into its pool by itself"


def crowd(world: World) -> None:
    """Admit the traders."""
    for tg_user_id in TRADERS:
        world.admit(tg_user_id)


def traffic(world: World, *, blocks: int) -> None:
    """Let the traders open and close, one of them every two blocks."""
    for _ in range(-(-blocks // 2)):
        number = next(world.numbers)
        turn, trader = divmod(number, len(TRADERS))
        way.tell(world, tg_user_id=TRADERS[trader], **_TURNS[turn % len(_TURNS)])
        world.run(rounds=1)


def bump(world: World) -> TxIntent:
    """An open of which the second offer is mined, since no node knew the first one for three blocks."""
    intent = way.send(world, tg_user_id=TRADERS[0], symbol="ETH-USD")
    while intent.sends.count() == 1:
        world.rpc.call("anvil_dropAllTransactions")
        world.mine()
        way.index(world)
        way.drain(world)
    world.mine()
    way.drain(world)
    return way.fresh(intent)


def reorganize(world: World, *, depth: int, fate: Fate) -> None:
    """Replace the chain's last blocks by as many others; for RETURNED the world's node is a strict proxy."""
    if fate is not Fate.RETURNED:
        world.rpc.call("anvil_dropAllTransactions")
    world.rpc.call("anvil_reorg", depth, _kept(world, depth=depth, fate=fate))
    # The keeper remembers what it tried on the other fork.
    world.keeper._tried_at_block.clear()
    # Its prices were mined there too.
    way.keep(world)


def _kept(world: World, *, depth: int, fate: Fate) -> list[tuple[str, int]]:
    """The bytes that the new blocks hold, each with the place of its block."""
    if fate in (Fate.LOST, Fate.RETURNED):
        return []
    return [(raw, 0 if fate is Fate.SIBLING else depth - 1) for raw in _ours(world, depth=depth, fate=fate)]


def _ours(world: World, *, depth: int, fate: Fate) -> list[str]:
    """The bytes of ours in the last blocks, by nonce; for SIBLING the first offer of each nonce in place of the mined one."""
    head = int(world.rpc.call("eth_blockNumber"), 16)
    gone = range(head - depth + 1, head + 1)
    blocks = world.rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in gone])
    hashes = [tx_hash for block in blocks for tx_hash in block["transactions"]]
    mined = TxSend.objects.filter(tx_hash__in=hashes).order_by("intent__nonce")
    if fate is Fate.SIBLING:
        mined = TxSend.objects.filter(intent__in=mined.values("intent"), seq=1).order_by("intent__nonce")
    return list(mined.values_list("raw", flat=True))


def calm(world: World) -> None:
    """Let the world go on without new signals, until nothing of ours waits for a block or for the keeper."""
    for _ in range(_PATIENCE_ROUNDS):
        world.run(rounds=1)
        waiting = TxIntent.objects.exclude(status=IntentStatus.MINED).filter(closed_at=None)
        if not waiting.exists() and not Order.objects.filter(ended_at=None).exists():
            return


def finish(world: World) -> None:
    """Let the chain call everything final."""
    for _ in range(FINAL_AFTER_BLOCKS // 10):
        world.mine(10)
        world.work()
    world.run(rounds=3)


def differences(world: World) -> dict[str, Any]:
    """What our books and receipts say otherwise than a fresh index of the chain, and the chain itself; empty: nothing."""
    ours = books()
    with fresh_index(world):
        theirs = books()
    found = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    return found | _strange_receipts(world)


def books() -> dict[str, Any]:
    """All that the venue's events made, as it would be in any database: no keys of ours."""
    fills = Fill.objects.canonical().annotate(venue_index=F("position__venue_index"))
    positions = Position.objects.exclude(status="VOID")
    return {
        "blocks": list(ChainBlock.objects.canonical().order_by("number").values_list("number", "hash", "mined_at")),
        "fills": list(fills.order_by("block_number", "log_index").values(*_FILL, "venue_index", "trader")),
        "positions": list(positions.order_by("opened_at", "trader", "market", "venue_index").values(*_POSITION)),
        "orders": list(Order.objects.order_by("pk").values("pk", *_ORDER)),
    }


_FILL = (
    *("kind", "price", "collateral_usdc", "leverage_x", "held_usdc", "entry_price"),
    *("fee_usdc", "rollover_usdc", "funding_usdc", "price_pnl_usdc", "payout_usdc", "realised_pnl_usdc"),
    *("tx_hash", "log_index", "block_number", "block_hash", "filled_at"),
)
_POSITION = (
    *("trader", "market", "direction", "venue_index", "opened_at", "status", "collateral_usdc", "leverage_x"),
    *("entry_price", "realised_pnl_usdc", "take_profit", "stop_loss", "closed_at"),
)
_ORDER = (
    *("status", "reason", "venue_order_id", "accepted_in_block", "settled_in_block", "ended_at"),
    *("fill__block_hash", "fill__log_index"),
)


@contextmanager
def fresh_index(world: World) -> Iterator[None]:
    """The books as a desk has them that reads the whole chain now, and never read another; then ours again."""
    outermost = transaction.atomic()
    # Our writes begin their own transactions in it, as in a test case's.
    outermost._from_testcase = True
    with outermost:
        _forget()
        assert indexing.drain(desk=world.desk, clock=world.clock)
        yield
        transaction.set_rollback(True)


def _forget() -> None:
    """Empty every table that is derived from the venue's events; the cursor goes back to the first block."""
    with connection.cursor() as cursor:
        # Nothing of it is ever committed: neither the ledgers' own guards nor the foreign keys need to hold meanwhile.
        cursor.execute("SET CONSTRAINTS ALL DEFERRED; SET LOCAL session_replication_role = replica")
        for statement in _FORGETTING:
            cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


_FORGETTING = (
    """UPDATE orders SET status = 'SUBMITTED', reason = '', ended_at = NULL, fill_id = NULL, position_id = NULL,
       venue_order_id = NULL, accepted_in_block = '', settled_in_block = ''
       WHERE status IN ('ACCEPTED', 'FILLED') OR reason = 'CANCELED_BY_VENUE'""",
    *(f"DELETE FROM {table}" for table in ("position_levels", "day_results", "fills", "positions", "venue_orders")),
    "DELETE FROM chain_blocks WHERE NOT is_canonical OR number > (SELECT min(number) FROM chain_blocks)",
    "UPDATE cursors SET number = first.number, hash = first.hash FROM chain_blocks AS first",
)


def _strange_receipts(world: World) -> dict[str, Any]:
    """Receipts that the chain has and we don't, or the other way round, and intents that don't fit theirs."""
    sends = list(TxSend.objects.select_related("intent").order_by("pk"))
    answers = world.rpc.batch([("eth_getTransactionReceipt", (send.tx_hash,)) for send in sends])
    there = {
        (send.tx_hash, said["blockHash"], said["status"] == "0x1") for send, said in zip(sends, answers, strict=True) if said
    }
    kept = TxReceipt.objects.filter(is_canonical=True).values_list("send__tx_hash", "block_hash", "is_success")
    mined = [send.intent for send, said in zip(sends, answers, strict=True) if said]
    found: dict[str, Any] = {}
    if set(kept) != there:
        found["receipts"] = (set(kept), there)
    if len({intent.pk for intent in mined}) != len(mined):
        found["mined twice"] = [intent.intent_key for intent in mined]
    ended = {IntentStatus.MINED, IntentStatus.FINAL, IntentStatus.REVERTED, IntentStatus.CANCELED}
    waiting = TxIntent.objects.filter(nonce__isnull=False).exclude(pk__in=[intent.pk for intent in mined])
    if strange := [intent.intent_key for intent in mined if intent.status not in ended] + [str(intent) for intent in waiting]:
        found["intents"] = strange
    return found


def suffer(world: World, *, depth: int, fates: Iterable[Fate] = (Fate.LOST, Fate.MOVED, Fate.SIBLING)) -> list[dict[str, Any]]:
    """Traffic, and a reorganization of a depth for each fate; the differences after each, and once all is final."""
    crowd(world)
    traffic(world, blocks=depth)
    found = []
    for fate in fates:
        traffic(world, blocks=4)
        if fate is Fate.SIBLING:
            bump(world)
        reorganize(world, depth=depth, fate=fate)
        calm(world)
        found.append(differences(world))
    finish(world)
    return [*found, differences(world)]


def depths(stand: Stand, bounds: Bounds) -> Iterable[Row]:
    """Each depth below finality, in a world of its own."""
    row = Row(fault=f"reorganizations, 1 to {DEEPEST} deep")
    every = list(range(1, DEEPEST + 1))
    for number in bounds.each():
        # Shuffled: a run that ends early has seen deep ones too.
        for depth in random.Random(f"{bounds.seed}/{number}").sample(every, k=len(every)):
            if bounds.is_over:
                break
            _try(stand, row, depth=depth)
    return [row]


def _try(stand: Stand, row: Row, *, depth: int) -> None:
    begun = monotonic()
    with fresh_world(stand) as world:
        found = suffer(world, depth=depth)
        row.add(_verdict(world), seconds=monotonic() - begun)
    row.violations += [f"depth {depth}, after reorganization {number}: {each}" for number, each in enumerate(found, 1) if each]


@contextmanager
def fresh_world(stand: Stand) -> Iterator[World]:
    """The venue on the stand's chain, and tables of its own; the stand's are furnished again afterwards."""
    snapshot = stand.rpc.call("evm_snapshot")
    _empty()
    ModeState.objects.update_or_create(pk=1, defaults=UNTROUBLED | {"configured": "LIVE", "updated_at": clock.now()})
    with override_settings(FINALITY_BLOCKS=0, VENUE_MAX_PENDING_ORDERS=5):
        yield worlds.make(stand.rpc, deploy(settings.BASE_RPC_URLS[0]))
    stand.rpc.call("anvil_dropAllTransactions")
    stand.rpc.call("evm_revert", snapshot)
    _empty()
    ground.furnish(stand.now)
    indexing.start(desk=stand.desk(stand.hire()))


def _empty() -> None:
    call_command("flush", verbosity=0, interactive=False)
    import_module("trading.migrations.0002_first_rows").create(apps, None)


def _verdict(world: World) -> Verdict:
    """Of all that ever had a nonce: how many were mined once."""
    intents = TxIntent.objects.filter(nonce__isnull=False)
    sends = list(TxSend.objects.order_by("pk").values_list("intent", "tx_hash"))
    answers = world.rpc.batch([("eth_getTransactionReceipt", (tx_hash,)) for _, tx_hash in sends])
    mined = [intent for (intent, _), said in zip(sends, answers, strict=True) if said]
    return Verdict(
        signals=intents.count(),
        once=len(set(mined)),
        doubled=len(mined) - len(set(mined)),
        unsettled=TxIntent.objects.filter(closed_at=None).count(),
    )


CAMPAIGNS = (Campaign(name="reorgs", run=depths),)
