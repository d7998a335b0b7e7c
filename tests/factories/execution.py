"""Rows of `execution`."""

import hashlib
from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from execution.domain.intent import IntentKind
from execution.domain.venue_order import VenueOrderKind
from execution.models import Delegation, LevelUpdate, Order, Sender, TxIntent, TxSend, VenueOrder
from tests.factories import NOW
from tests.factories.risk import LegFactory
from tests.factories.trading import PositionFactory, TraderFactory
from trading.domain.position import Direction
from trading.domain.units import Leverage, Price, Usdc, Wei

GWEI = 10**9


class SenderFactory(DjangoModelFactory):
    class Meta:
        model = Sender

    chain_id = 31_337
    address = factory.Sequence(lambda number: f"0x{0xA << 152 | number:040x}")
    signer = "local:0"
    next_nonce = 0


class DelegationFactory(DjangoModelFactory):
    class Meta:
        model = Delegation

    trader = factory.SubFactory(TraderFactory)
    sender = factory.SubFactory(SenderFactory)
    expires_at = NOW + timedelta(days=3_650)
    checked_at = NOW


class OrderFactory(DjangoModelFactory):
    """The order of an opening leg, its transaction owed; pass a `CloseLegFactory()` for a close."""

    class Meta:
        model = Order

    leg = factory.SubFactory(LegFactory)
    trader = factory.SelfAttribute("leg.trader")
    market = factory.SelfAttribute("leg.market")
    book = factory.SelfAttribute("leg.book")
    action = factory.SelfAttribute("leg.action")
    direction = factory.SelfAttribute("leg.direction")
    collateral_usdc = factory.SelfAttribute("leg.collateral_usdc")
    leverage_x = factory.SelfAttribute("leg.leverage_x")
    slippage_pct = factory.SelfAttribute("leg.slippage_pct")
    position = factory.SelfAttribute("leg.position")
    trace_id = factory.SelfAttribute("leg.decision.signal.trace_id")
    created_at = NOW


class VenueOrderFactory(DjangoModelFactory):
    """A market open that the venue registered and has yet to fill."""

    class Meta:
        model = VenueOrder

    trader = factory.SubFactory(TraderFactory)
    kind = VenueOrderKind.OPEN
    venue_order_id = factory.Sequence(lambda number: number)
    pair_index = 1
    direction = Direction.LONG
    collateral_usdc = Usdc.of(50)
    leverage_x = Leverage.of(3)
    wanted_price = Price.of(60_000)
    chain_id = 31_337
    tx_hash = factory.Sequence(lambda number: f"0x{number:064x}")
    ordinal = 0
    log_index = 0
    block_number = factory.Sequence(lambda number: number)
    block_hash = factory.LazyAttribute(lambda row: f"0x{row.block_number:064x}")
    registered_at = NOW


class TxIntentFactory(DjangoModelFactory):
    """An intent of which nothing was asked yet."""

    class Meta:
        model = TxIntent

    order = factory.SubFactory(OrderFactory)
    intent_key = factory.SelfAttribute("order.leg.decision.signal.intent_key")
    idempotency_key = factory.LazyAttribute(lambda row: hashlib.sha256(row.intent_key.encode()).hexdigest())
    kind = factory.LazyAttribute(lambda row: IntentKind(row.order.action))
    book = factory.SelfAttribute("order.book")
    sender = factory.SubFactory(SenderFactory)
    priority = TxIntent.ENTRY_PRIORITY
    trace_id = factory.SelfAttribute("order.trace_id")
    created_at = NOW
    next_action_at = NOW


class TxSendFactory(DjangoModelFactory):
    """A signed offer, not yet on the wire. Its intent is the caller's to bring into a state with a nonce."""

    class Meta:
        model = TxSend

    intent = factory.SubFactory(TxIntentFactory)
    seq = 1
    raw = "0x02"
    tx_hash = factory.Sequence(lambda number: f"0x{number:064x}")
    fee_cap_wei = Wei(2 * GWEI)
    tip_cap_wei = Wei(GWEI)
    created_at = NOW


class LevelUpdateFactory(DjangoModelFactory):
    """New levels that the venue was asked for."""

    class Meta:
        model = LevelUpdate

    position = factory.SubFactory(PositionFactory)
    stop_loss = Price.of(57_000)
    nonce = factory.Sequence(lambda number: f"{number:064x}")
    asked_at = NOW
    deadline_at = NOW + timedelta(seconds=30)
