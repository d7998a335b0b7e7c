"""Rows of `trading`."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from tests.factories import NOW
from trading.domain import guarding, protection
from trading.domain.mode import Book
from trading.domain.position import Direction, FillKind, LevelKind
from trading.domain.signal import DEFAULT_SLIPPAGE, ENTRY_LIFETIME, Side, SignalStatus, intent_key
from trading.domain.source import Auth
from trading.domain.units import Leverage, Percent, Price, Usdc
from trading.models import (
    DayResult,
    Fill,
    Firing,
    Market,
    Position,
    PositionLevel,
    PriceFeed,
    Protection,
    Quote,
    Signal,
    Source,
    SourceSecret,
    Trader,
)
from trading.services.results import span


class TraderFactory(DjangoModelFactory):
    class Meta:
        model = Trader

    tg_user_id = factory.Sequence(lambda number: 1_000 + number)
    name = factory.Sequence(lambda number: f"trader {number}")
    address = factory.Sequence(lambda number: f"0x{number + 1:040x}")


class LeaderFactory(TraderFactory):
    """An address that is only watched."""

    tg_user_id = None
    name = factory.Sequence(lambda number: f"leader {number}")
    address = factory.Sequence(lambda number: f"0x{0xE << 156 | number:040x}")
    is_leader = True


class MarketFactory(DjangoModelFactory):
    """BTC-USD."""

    class Meta:
        model = Market
        django_get_or_create = ("symbol",)

    symbol = "BTC-USD"
    pair_index = 1
    min_notional_usdc = Usdc.of(100)
    min_leverage_x = Leverage.of(1)
    max_leverage_x = Leverage.of(250)
    open_fee_pct = Percent.of("0.045")
    close_fee_pct = Percent.of("0.045")
    spread_pct = Percent.of("0.01")
    max_gain_pct = Percent.of(2500)
    synced_at = NOW


class EtherMarketFactory(MarketFactory):
    """ETH-USD."""

    symbol = "ETH-USD"
    pair_index = 0


class SourceFactory(DjangoModelFactory):
    """The default source, unless another name is given."""

    class Meta:
        model = Source
        django_get_or_create = ("name",)

    name = Source.DEFAULT


class SourceSecretFactory(DjangoModelFactory):
    """One that signs, and that nobody could open: a test that proves something lets the service make it."""

    class Meta:
        model = SourceSecret

    source = factory.SubFactory(SourceFactory)
    key_id = factory.Sequence(lambda number: f"{number:016x}")
    kind = Auth.SIGNATURE
    sealed = "v1.nobody.can.read"
    slot = 1
    created_at = NOW
    created_by = "ada"


class QuoteFactory(DjangoModelFactory):
    class Meta:
        model = Quote

    market = factory.SubFactory(MarketFactory)
    source = "chainlink"
    price = Price.of(60_000)
    confidence = Price.zero()
    weight = Decimal(1)
    max_age = timedelta(minutes=21)
    published_at = NOW
    received_at = NOW


class FeedFactory(DjangoModelFactory):
    """A price source that has yet to answer, and covers nothing."""

    class Meta:
        model = PriceFeed
        django_get_or_create = ("name",)

    name = "chainlink"
    weight = Decimal(1)


class SignalFactory(DjangoModelFactory):
    """An entry, waiting for its decision; `decided=SignalStatus.APPROVED` moves it on."""

    class Meta:
        model = Signal
        skip_postgeneration_save = True

    source = factory.SubFactory(SourceFactory)
    source_name = "desk"
    signal_id = factory.Sequence(lambda number: f"signal-{number}")
    intent_key = factory.LazyAttribute(lambda row: intent_key(source=row.source_name, signal_id=row.signal_id))
    fingerprint = factory.LazyAttribute(lambda row: hashlib.sha256(row.intent_key.encode()).hexdigest())
    trace_id = factory.LazyAttribute(lambda row: row.fingerprint[:32])
    trader = factory.SubFactory(TraderFactory)
    market = factory.SubFactory(MarketFactory)
    side = Side.LONG
    book = Book.LIVE
    collateral_usdc = Usdc.of(50)
    leverage_x = Leverage.of(3)
    slippage_pct = DEFAULT_SLIPPAGE
    body = factory.LazyAttribute(lambda row: f'{{"source": "{row.source_name}", "signal_id": "{row.signal_id}"}}')
    received_at = NOW
    next_action_at = factory.SelfAttribute("received_at")
    expires_at = factory.LazyAttribute(lambda row: row.received_at + ENTRY_LIFETIME)

    @factory.post_generation
    def decided(signal: Signal, _create: bool, status: SignalStatus | None, **_: object) -> None:  # noqa: N805 - factory-boy hands the row
        if status is not None:
            signal.move(status)
            signal.decided_at, signal.next_action_at = signal.received_at, None
            signal.save(update_fields=["status", "decided_at", "next_action_at"])


class CloseSignalFactory(SignalFactory):
    """An exit: of everything, unless a reduction is given."""

    side = Side.CLOSE
    collateral_usdc = None
    leverage_x = None
    expires_at = None


class DayResultFactory(DjangoModelFactory):
    """A day on which nothing was earned."""

    class Meta:
        model = DayResult

    trader = factory.SubFactory(TraderFactory)
    book = Book.LIVE
    market = factory.SubFactory(MarketFactory)
    day = NOW.date()
    gains_usdc = losses_usdc = price_pnl_usdc = fees_usdc = rollover_usdc = funding_usdc = volume_usdc = Usdc.zero()


class PositionFactory(DjangoModelFactory):
    class Meta:
        model = Position

    trader = factory.SubFactory(TraderFactory)
    market = factory.SubFactory(MarketFactory)
    book = Book.LIVE
    direction = Direction.LONG
    venue_index = factory.Sequence(lambda number: number)
    opened_at = NOW - timedelta(hours=1)
    collateral_usdc = Usdc.of(50)
    leverage_x = Leverage.of(3)
    entry_price = Price.of(60_000)
    realised_pnl_usdc = Usdc.zero()


class PositionLevelFactory(DjangoModelFactory):
    class Meta:
        model = PositionLevel

    position = factory.SubFactory(PositionFactory)
    level = LevelKind.STOP_LOSS
    price = Price.of(58_000)
    chain_id = 31_337
    tx_hash = factory.Sequence(lambda number: f"0x{number:064x}")
    log_index = 0
    block_number = factory.Sequence(lambda number: number)
    block_hash = factory.LazyAttribute(lambda row: f"0x{row.block_number:064x}")
    changed_at = NOW


class FillFactory(DjangoModelFactory):
    class Meta:
        model = Fill

    position = factory.SubFactory(PositionFactory)
    trader = factory.SelfAttribute("position.trader")
    market = factory.SelfAttribute("position.market")
    book = factory.SelfAttribute("position.book")
    kind = FillKind.OPEN
    price = Price.of(60_000)
    collateral_usdc = Usdc.of(50)
    leverage_x = Leverage.of(3)
    fee_usdc = Usdc.zero()
    payout_usdc = Usdc.zero()
    rollover_usdc = Usdc.zero()
    funding_usdc = Usdc.zero()
    realised_pnl_usdc = Usdc.zero()
    # A close's profit is the price's, unless the parts are told.
    price_pnl_usdc = factory.LazyAttribute(
        lambda row: (
            row.realised_pnl_usdc + row.fee_usdc + row.rollover_usdc + row.funding_usdc
            if FillKind(row.kind).closes
            else Usdc.zero()
        )
    )
    chain_id = 31_337
    tx_hash = factory.Sequence(lambda number: f"0x{number:064x}")
    log_index = 0
    block_number = factory.Sequence(lambda number: number)
    block_hash = factory.LazyAttribute(lambda row: f"0x{row.block_number:064x}")
    filled_at = NOW

    @classmethod
    def _create(cls, model_class: type[Fill], *args: Any, **kwargs: Any) -> Fill:
        fill: Fill = super()._create(model_class, *args, **kwargs)
        # As whoever writes a fill does.
        DayResult.objects.recount([span(fill.trader, Book(fill.book), fill.filled_at)])
        return fill


class ProtectionFactory(DjangoModelFactory):
    """A stop 5 % away, unless another guard is given; its levels are those of its position."""

    class Meta:
        model = Protection

    class Params:
        wanted = protection.Protection(stop=protection.AtMove(share=Percent.of(5)))

    position = factory.SubFactory(PositionFactory)
    signal = factory.SelfAttribute("position.signal")
    guard = factory.LazyAttribute(lambda row: protection.as_json(row.wanted))
    direction = factory.SelfAttribute("position.direction")
    entry_price = factory.SelfAttribute("position.entry_price")
    guarded_usdc = factory.SelfAttribute("position.collateral_usdc")
    cost_pct = Percent.of("0.11")
    placed_by = "tom"
    placed_at = NOW

    @classmethod
    def _build(cls, model_class: type[Protection], *args: object, **kwargs: object) -> Protection:
        row = model_class(*args, **kwargs)
        wanted = protection.of_json(row.guard)
        row.remember(guarding.begin(wanted, entry=row.entry_price, direction=Direction(row.direction)), guard=row.as_guard)
        return row

    @classmethod
    def _create(cls, model_class: type[Protection], *args: object, **kwargs: object) -> Protection:
        row = cls._build(model_class, *args, **kwargs)
        row.save(force_insert=True)
        return row


class FiringFactory(DjangoModelFactory):
    """A stop that fired, not yet a close."""

    class Meta:
        model = Firing

    protection = factory.SubFactory(ProtectionFactory)
    position = factory.SelfAttribute("protection.position")
    cause = guarding.Cause.STOP
    level = "stop"
    attempt = 1
    level_price = Price.of(57_000)
    price = Price.of(57_000)
    hits_before = 0
    fired_at = NOW
