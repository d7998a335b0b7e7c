"""What guards a position, what it remembers, and what it fired."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Self

from django.db import models

from trading.domain import guarding
from trading.domain.guarding import Cause, Fate, Guard, Memory, StopReason
from trading.domain.mode import Book
from trading.domain.position import Direction, PositionStatus
from trading.domain.protection import of_json
from trading.domain.units import Price
from trading.models.fields import PercentField, PriceField, UsdcField
from trading.models.lifecycle import choices, known_words, never_deleted
from trading.models.position import Position
from trading.models.signal import Signal


class ProtectionQuerySet(models.QuerySet["Protection"]):
    """Protections, asked for in our words."""

    def with_position(self) -> Self:
        """With what a pass must know of their positions, and no more: each number is a conversion."""
        near = ("book", "status", "opened_at", "collateral_usdc", "take_profit", "stop_loss", "market__symbol")
        return self.select_related("position__market").only(*_OWN, *(f"position__{name}" for name in near))

    def standing(self) -> Self:
        """Those that nobody replaced or took away."""
        return self.filter(replaced_at=None)

    def live(self) -> Self:
        """Those that guard something open. A position that closes, or that a reorganization takes away, rests by itself."""
        return self.standing().filter(position__status=PositionStatus.OPEN)

    def reached(self, prices: Mapping[str, Price], *, at: datetime) -> Self:
        """Live ones with something to do at these prices of markets: all the others would stay as they are."""
        due = models.Q(deadline_at__lte=at) | models.Q(held_since__isnull=False)
        for symbol, price in prices.items():
            outside = models.Q(acts_below__gte=price) | models.Q(acts_above__lte=price)
            due |= models.Q(position__market__symbol=symbol) & outside
        return self.live().filter(due)

    def waiting(self) -> Self:
        """Those with a firing whose end isn't known, whether or not anything is left to guard."""
        return self.filter(is_waiting=True)


class Protection(models.Model):
    """A position's guard and its memory. One stands for a position at a time; a change by a person is a new row."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="protections", db_index=False)
    # What had opened the position; null: nothing of ours.
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, null=True, related_name="protections", db_index=False)
    # As `trading.domain.protection.as_json` writes it.
    guard = models.JSONField()
    # What its levels were measured from, and what its shares are shares of.
    direction = models.CharField(max_length=8, choices=choices(Direction))
    entry_price = PriceField()
    guarded_usdc = UsdcField()
    cost_pct = PercentField()
    # The key of the signal that asked for it, or the person's name.
    placed_by = models.CharField(max_length=600)
    placed_at = models.DateTimeField()
    # Where the stop stands now, and why; null and empty: there is none.
    stop_price = PriceField(null=True)
    stop_reason = models.CharField(max_length=16, choices=choices(StopReason), blank=True, default="")
    # The best price since the stop began to trail; null before, and without a trail.
    best_price = PriceField(null=True)
    # How many targets were reached and fired, in the order in which a gain reaches them.
    targets_hit = models.PositiveSmallIntegerField(default=0)
    # When all of it is closed whatever the price; null: never.
    deadline_at = models.DateTimeField(null=True)
    # Between these nothing happens; null: nothing ever does on that side.
    acts_below = PriceField(null=True)
    acts_above = PriceField(null=True)
    # A firing's end isn't known yet.
    is_waiting = models.BooleanField(default=False)
    # Since when a level is reached that the venue holds too, and is left to its keeper; null: none is.
    held_since = models.DateTimeField(null=True)
    # The stop has moved since the venue was last known to hold it.
    is_venue_behind = models.BooleanField(default=False)
    # Null while it stands.
    replaced_at = models.DateTimeField(null=True)
    # Who replaced it or took it away; empty while it stands.
    replaced_by = models.CharField(max_length=200, blank=True, default="")

    objects = ProtectionQuerySet.as_manager()

    class Meta:
        db_table = "protections"
        constraints = [
            models.UniqueConstraint(
                name="one_standing_protection_for_a_position", fields=["position"], condition=models.Q(replaced_at=None)
            ),
            known_words("protection_direction_is_known", Direction, field="direction"),
            models.CheckConstraint(
                name="protection_has_a_stop_exactly_with_its_reason",
                condition=models.Q(stop_price=None, stop_reason="")
                | models.Q(stop_price__isnull=False, stop_reason__in=[str(word) for word in StopReason]),
            ),
            models.CheckConstraint(
                name="protection_was_replaced_by_somebody",
                condition=models.Q(replaced_at=None, replaced_by="")
                | (models.Q(replaced_at__isnull=False) & ~models.Q(replaced_by="")),
            ),
        ]
        indexes = [
            models.Index(name="protections_of_a_position", fields=["position", "id"]),
            models.Index(name="protections_behind", fields=["id"], condition=models.Q(is_venue_behind=True, replaced_at=None)),
            models.Index(name="protections_waiting", fields=["id"], condition=models.Q(is_waiting=True)),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"protection {self.pk} of position {self.position_id}"

    @property
    def is_live(self) -> bool:
        """Whether it guards something open, as far as was read."""
        return self.replaced_at is None and self.position.status == PositionStatus.OPEN

    @cached_property
    def as_guard(self) -> Guard:
        """Its levels as prices. The position must have been read with it."""
        return guarding.of(
            of_json(self.guard),
            entry=self.entry_price,
            direction=Direction(self.direction),
            cost=self.cost_pct,
            opened_at=self.position.opened_at,
        )

    @property
    def memory(self) -> Memory:
        """What it remembers."""
        return Memory(
            stop=self.stop_price,
            reason=StopReason(self.stop_reason) if self.stop_reason else None,
            best=self.best_price,
            hits=self.targets_hit,
        )

    def remember(self, memory: Memory, *, guard: Guard) -> None:
        """Take over what is to be remembered, and between which prices nothing happens from now on."""
        band = guarding.band(guard, memory)
        is_moved = self.position.book == Book.LIVE and self.stop_price != memory.stop
        self.is_venue_behind = self.is_venue_behind or is_moved
        self.stop_price, self.stop_reason = memory.stop, memory.reason or ""
        self.best_price, self.targets_hit = memory.best, memory.hits
        self.deadline_at = guard.deadline
        self.acts_below, self.acts_above = band.below, band.above


_OWN = tuple(field.name for field in Protection._meta.concrete_fields)
# The columns that `remember` sets.
MEMORY = ("stop_price", "stop_reason", "best_price", "targets_hit", "deadline_at", "acts_below", "acts_above", "is_venue_behind")


class FiringQuerySet(models.QuerySet["Firing"]):
    """Firings, asked for in our words."""

    def unsent(self) -> Self:
        """Those that have yet to become a signal."""
        return self.filter(signal=None)


class Firing(models.Model):
    """A level that was reached: once for each attempt. The row is committed before its close is asked for."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="firings", db_index=False)
    protection = models.ForeignKey(Protection, on_delete=models.PROTECT, related_name="firings")
    cause = models.CharField(max_length=8, choices=choices(Cause))
    # Which level, as the signal's id names it: `stop`, `tp2`, `time`.
    level = models.CharField(max_length=8)
    attempt = models.PositiveSmallIntegerField()
    # Where the level lay, and the price that reached it; null: time needs neither.
    level_price = PriceField(null=True)
    price = PriceField(null=True)
    # How much it closes; null: everything that is left.
    reduce_usdc = UsdcField(null=True)
    # How many targets had been hit before.
    hits_before = models.PositiveSmallIntegerField()
    fired_at = models.DateTimeField()
    # The close that it became; null until that is stored.
    signal = models.OneToOneField(Signal, on_delete=models.PROTECT, null=True, related_name="firing")
    fate = models.CharField(max_length=12, choices=choices(Fate), default=Fate.UNDER_WAY)
    # When another attempt may follow; null unless it came to nothing.
    retry_at = models.DateTimeField(null=True)

    objects = FiringQuerySet.as_manager()

    class Meta:
        db_table = "firings"
        constraints = [
            models.UniqueConstraint(
                name="one_firing_for_each_level_and_attempt", fields=["position", "protection", "level", "attempt"]
            ),
            known_words("firing_cause_is_known", Cause, field="cause"),
            known_words("firing_fate_is_known", Fate, field="fate"),
            models.CheckConstraint(
                name="firing_closes_some_of_it",
                condition=models.Q(reduce_usdc=None) | models.Q(reduce_usdc__isnull=False, reduce_usdc__gt=0),
            ),
            models.CheckConstraint(
                name="firing_is_tried_again_exactly_when_it_came_to_nothing",
                condition=models.Q(fate=Fate.UNFILLED, retry_at__isnull=False)
                | (~models.Q(fate=Fate.UNFILLED) & models.Q(retry_at=None)),
            ),
        ]
        indexes = [models.Index(name="firings_unsent", fields=["id"], condition=models.Q(signal=None))]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return self.signal_id_text

    @property
    def signal_id_text(self) -> str:
        """The id of the close that it becomes: the same however often it is sent."""
        return f"{self.position_id}:{self.protection_id}:{self.level}:{self.attempt}"
