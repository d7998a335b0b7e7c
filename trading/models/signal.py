"""Instructions received, kept word for word."""

from datetime import datetime
from typing import Self

from django.db import models

from trading.domain.mode import Book
from trading.domain.signal import ENTRIES, LIFECYCLE, Side, SignalStatus, SizeKind, Stance
from trading.models.acceptance import Added, Missing, Wish, add
from trading.models.fields import LeverageField, PercentField, PriceField, UsdcField
from trading.models.lane import Due
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, known_words, never_deleted
from trading.models.market import Market
from trading.models.source import Source
from trading.models.trader import Trader

_ENTRY = models.Q(side__in=[side.value for side in ENTRIES])
# Something is still to be done about the signal itself.
_WAITS = models.Q(status__in=[SignalStatus.AWAITING.value, SignalStatus.RECEIVED.value])


class SignalQuerySet(models.QuerySet["Signal"]):
    """Signals, asked for in our words."""

    def due(self, *, trader_id: int, at: datetime) -> Self:
        """A trader's signals that wait for their decision, in the order received."""
        return self.filter(trader_id=trader_id, next_action_at__lte=at).order_by("id")

    def add(self, signal: "Signal", wish: Wish) -> Added | Missing:
        """Insert a signal and its event, unless one of its identity is there. One statement."""
        return add(signal, wish)

    def live_entries(self) -> Self:
        """Those that ask for more exposure on the chain."""
        return self.filter(book=Book.LIVE, side__in=ENTRIES)

    def awaiting(self) -> Self:
        """Those to which a person must say yes, the oldest first."""
        return self.filter(status=SignalStatus.AWAITING).order_by("id")


class Signal(Due):
    """One instruction from one source: unique by (source name, signal id), for ever."""

    # Without an index of its own: `signals_of_a_source` begins with it.
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="signals", db_index=False)
    # As the sender names itself; the default source answers for many names.
    source_name = models.CharField(max_length=64)
    signal_id = models.CharField(max_length=128)
    intent_key = models.CharField(max_length=600, unique=True)
    # sha256 of the body's bytes: the same id with another body is a conflict.
    fingerprint = models.CharField(max_length=64)
    trace_id = models.CharField(max_length=32, db_index=True)
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="signals")
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="signals")
    # The one position that an exit of our own is about. Null: an entry, or an exit of whatever is open in the market.
    position = models.ForeignKey("trading.Position", on_delete=models.PROTECT, null=True, related_name="exits")
    side = models.CharField(max_length=8, choices=choices(Side))
    stance = models.CharField(max_length=8, choices=choices(Stance), blank=True, default=Stance.ANOTHER)
    # The one side whose positions an exit closes; empty: both.
    closes = models.CharField(max_length=8, blank=True, default="")
    book = models.CharField(max_length=8, choices=choices(Book))
    # Null for exits, and for entries that say a size instead.
    collateral_usdc = UsdcField(null=True)
    size_kind = models.CharField(max_length=16, choices=choices(SizeKind), blank=True, default="")
    # Null exactly without a kind.
    size_pct = PercentField(null=True)
    # Null for exits.
    leverage_x = LeverageField(null=True)
    # Null: not a close, or a close of everything, or one by the other measure.
    reduce_usdc = UsdcField(null=True)
    reduce_pct = PercentField(null=True)
    # The most that a size may come to; null: whatever it comes to.
    at_most_usdc = UsdcField(null=True)
    slippage_pct = PercentField()
    # How far its price may lie from ours; null: as far as the policies let it.
    max_deviation_pct = PercentField(null=True)
    # Null: the signal didn't give one.
    price = PriceField(null=True)
    take_profit = PriceField(null=True)
    stop_loss = PriceField(null=True)
    # A guard that takes more than these two prices, as `trading.domain.protection` writes it. Null: there is none.
    protection = models.JSONField(null=True)
    # Goes all the way on paper, whatever the mode.
    is_test = models.BooleanField(default=False)
    signaled_at = models.DateTimeField(null=True)
    # The body as received, word for word.
    body = models.TextField()
    status = models.CharField(max_length=16, choices=choices(SignalStatus), default=SignalStatus.RECEIVED)
    received_at = models.DateTimeField()
    # Null until it left AWAITING and RECEIVED.
    decided_at = models.DateTimeField(null=True)
    # When a person said yes, and who; null where nobody had to, or hasn't yet.
    granted_at = models.DateTimeField(null=True)
    granted_by = models.CharField(max_length=200, blank=True, default="")
    # Null for exits, which don't expire.
    expires_at = models.DateTimeField(null=True)

    objects = SignalQuerySet.as_manager()

    class Meta:
        db_table = "signals"
        constraints = [
            models.UniqueConstraint(name="one_signal_for_each_source_and_id", fields=["source_name", "signal_id"]),
            known_states(LIFECYCLE),
            known_words("signal_side_is_known", Side, field="side"),
            known_words("signal_book_is_known", Book, field="book"),
            models.CheckConstraint(
                name="signal_size_kind_is_known", condition=models.Q(size_kind__in=["", *(kind.value for kind in SizeKind)])
            ),
            models.CheckConstraint(
                name="signal_entry_has_leverage_and_collateral_or_a_size",
                condition=~_ENTRY & models.Q(collateral_usdc=None, size_kind="", size_pct=None, leverage_x=None)
                # "Not null" must be said: a comparison with null is unknown, and a check lets the unknown pass.
                | _ENTRY
                & models.Q(leverage_x__isnull=False, leverage_x__gt=0)
                & (
                    models.Q(collateral_usdc__isnull=False, collateral_usdc__gt=0, size_kind="", size_pct=None)
                    | models.Q(collateral_usdc=None, size_pct__isnull=False, size_pct__gt=0) & ~models.Q(size_kind="")
                ),
            ),
            models.CheckConstraint(
                name="signal_names_a_position_only_to_close_it", condition=models.Q(position=None) | models.Q(side=Side.CLOSE)
            ),
            models.CheckConstraint(
                name="signal_has_a_stance_only_to_open",
                condition=models.Q(stance=Stance.ANOTHER) | _ENTRY & models.Q(stance__in=[Stance.REACH.value, Stance.GROW.value]),
            ),
            models.CheckConstraint(
                name="signal_closes_one_side_only_to_close",
                condition=models.Q(closes="") | models.Q(closes__in=[Side.LONG.value, Side.SHORT.value], side=Side.CLOSE),
            ),
            models.CheckConstraint(
                name="signal_is_due_exactly_while_it_waits",
                condition=_WAITS & models.Q(next_action_at__isnull=False, decided_at=None)
                | (~_WAITS & models.Q(next_action_at=None, decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="signal_was_granted_by_somebody",
                condition=models.Q(granted_at=None, granted_by="")
                | (models.Q(granted_at__isnull=False) & ~models.Q(granted_by="")),
            ),
        ]
        indexes = [
            models.Index(name="signals_of_a_source", fields=["source", "-received_at"]),
            models.Index(name="signals_awaiting", fields=["id"], condition=models.Q(status=SignalStatus.AWAITING)),
            models.Index(name="signals_due", fields=["trader", "id"], condition=models.Q(next_action_at__isnull=False)),
            models.Index(
                name="signals_applied",
                fields=["trader", "market", "signaled_at"],
                condition=models.Q(status=SignalStatus.APPROVED, signaled_at__isnull=False),
            ),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return self.intent_key

    @property
    def is_entry(self) -> bool:
        """Whether it asks for more exposure."""
        return self.side in ENTRIES

    def move(self, target: SignalStatus) -> None:
        """Go to another state, if the table has the way.

        Raises:
            IllegalMove: if it hasn't.
        """
        LIFECYCLE.check(source=SignalStatus(self.status), target=target)
        self.status = target
