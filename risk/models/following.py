"""Who follows whom, how, and what became of each of the leader's trades."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from risk.domain.copying import LIFECYCLE, CopyKind, CopyStatus, Skip
from risk.domain.following import FollowMode, Sizing, Terms
from trading.models import Fill, Position, Signal, Trader
from trading.models.fields import LeverageField, PercentField, PriceField, UsdcField
from trading.models.lane import Due
from trading.models.lifecycle import LifecycleTrigger, append_only, choices, known_states, known_words, never_deleted

_WAITING = Q(status__in=[CopyStatus.OWED.value, CopyStatus.PLANNED.value])


class Following(models.Model):
    """One account follows one leader; what its terms said before is in the audit log."""

    follower = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="followings")
    leader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="followers")
    mode = models.CharField(max_length=12, choices=choices(FollowMode), default=FollowMode.ON)
    # Why it stands there: a person's reason, or the limit that stopped it.
    mode_reason = models.CharField(max_length=500)
    # Null in any of these: no such cap. What each means: `risk.domain.following.Terms`.
    sizing = models.CharField(max_length=12, choices=choices(Sizing))
    # Set exactly with FIXED.
    fixed_usdc = UsdcField(null=True)
    # Set exactly without FIXED.
    share_pct = PercentField(null=True)
    max_trade_usdc = UsdcField(null=True)
    max_day_usdc = UsdcField(null=True)
    max_leverage_x = LeverageField(null=True)
    max_slippage_pct = PercentField()
    symbols = ArrayField(models.CharField(max_length=16), default=list)
    max_losses = models.PositiveIntegerField(null=True)
    max_drawdown_usdc = UsdcField(null=True)
    # From when on losses count against it: a person who turns it on again has seen those before.
    counted_from = models.DateTimeField()
    # Counts its changes.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "followings"
        constraints = [
            models.UniqueConstraint(name="one_following_for_each_pair", fields=["follower", "leader"]),
            models.CheckConstraint(name="following_is_of_somebody_else", condition=~Q(follower=models.F("leader"))),
            known_words("following_mode_is_known", FollowMode, field="mode"),
            models.CheckConstraint(
                name="following_has_the_size_that_its_sizing_needs",
                condition=Q(sizing=Sizing.FIXED, fixed_usdc__isnull=False, fixed_usdc__gt=0, share_pct=None)
                | Q(
                    sizing__in=[Sizing.MIRROR.value, Sizing.EQUITY_PCT.value],
                    share_pct__isnull=False,
                    share_pct__gt=0,
                    fixed_usdc=None,
                ),
            ),
            models.CheckConstraint(
                name="following_caps_are_above_nothing",
                condition=(Q(max_trade_usdc=None) | Q(max_trade_usdc__gt=0))
                & (Q(max_day_usdc=None) | Q(max_day_usdc__gt=0))
                & (Q(max_leverage_x=None) | Q(max_leverage_x__gte=1))
                & Q(max_slippage_pct__gt=0, max_slippage_pct__lte=10)
                & (Q(max_losses=None) | Q(max_losses__gt=0))
                & (Q(max_drawdown_usdc=None) | Q(max_drawdown_usdc__gt=0)),
            ),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.follower_id} follows {self.leader_id}"

    @property
    def terms(self) -> Terms:
        """Its terms in the domain's words."""
        return Terms(
            sizing=Sizing(self.sizing),
            fixed=self.fixed_usdc,
            share=self.share_pct,
            max_trade=self.max_trade_usdc,
            max_day=self.max_day_usdc,
            max_leverage=self.max_leverage_x,
            max_slippage=self.max_slippage_pct,
            symbols=frozenset(self.symbols),
            max_losses=self.max_losses,
            max_drawdown=self.max_drawdown_usdc,
        )

    def take(self, terms: Terms) -> None:
        """Take over other terms; the caller saves it."""
        self.sizing, self.fixed_usdc, self.share_pct = terms.sizing, terms.fixed, terms.share
        self.max_trade_usdc, self.max_day_usdc = terms.max_trade, terms.max_day
        self.max_leverage_x, self.max_slippage_pct = terms.max_leverage, terms.max_slippage
        self.symbols = sorted(terms.symbols)
        self.max_losses, self.max_drawdown_usdc = terms.max_losses, terms.max_drawdown


class CopyQuerySet(models.QuerySet["Copy"]):
    """Copies, asked for in our words."""

    def due(self, *, at: datetime) -> Self:
        """Those to which something is owed, the oldest trade first."""
        return self.filter(next_action_at__lte=at).order_by("id")

    def waiting(self) -> Self:
        """Those that aren't settled yet."""
        return self.filter(_WAITING)


class Copy(Due):
    """One trade of a leader for one of his followers: at most one, by what initiated it."""

    following = models.ForeignKey(Following, on_delete=models.PROTECT, related_name="copies")
    # What initiated the leader's trade, the same in whatever block and transaction the venue then filled it.
    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=choices(CopyKind))
    # The leader's, as the chain has them now.
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="copies")
    fill = models.ForeignKey(Fill, on_delete=models.PROTECT, related_name="copies")
    # The share of his position that the leader closed; null: an open, or all of it.
    closed_pct = PercentField(null=True)
    status = models.CharField(max_length=8, choices=choices(CopyStatus), default=CopyStatus.OWED)
    # Why it was skipped; empty: it wasn't.
    reason = models.CharField(max_length=20, choices=choices(Skip), blank=True, default="")
    # What caps took of it.
    cuts = ArrayField(models.CharField(max_length=100), default=list)
    # Of an open that is copied. Null: not planned, or a share of the equity.
    collateral_usdc = UsdcField(null=True)
    share_pct = PercentField(null=True)
    at_most_usdc = UsdcField(null=True)
    leverage_x = LeverageField(null=True)
    slippage_pct = PercentField(null=True)
    # The leader's, as it was planned with.
    price = PriceField(null=True)
    created_at = models.DateTimeField()
    # Null until its signals are stored, or it is skipped.
    ended_at = models.DateTimeField(null=True)
    # The leader's trade is gone from the chain for good, and this copy of it stands. Null: not so.
    orphaned_at = models.DateTimeField(null=True)

    objects = CopyQuerySet.as_manager()

    class Meta:
        db_table = "copies"
        constraints = [
            models.UniqueConstraint(name="one_copy_of_each_trade", fields=["following", "key"]),
            known_states(LIFECYCLE),
            known_words("copy_kind_is_known", CopyKind, field="kind"),
            models.CheckConstraint(
                name="copy_ends_sent_or_skipped_for_a_reason",
                condition=_WAITING & Q(reason="", ended_at=None, next_action_at__isnull=False)
                | Q(status=CopyStatus.SENT, reason="", ended_at__isnull=False)
                | Q(status=CopyStatus.SKIPPED, ended_at__isnull=False) & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="copy_is_orphaned_only_once_sent", condition=Q(orphaned_at=None) | Q(status=CopyStatus.SENT)
            ),
        ]
        indexes = [
            models.Index(name="copies_due", fields=["following", "id"], condition=Q(next_action_at__isnull=False)),
            models.Index(name="copies_of_a_day", fields=["following", "created_at"]),
            models.Index(name="copies_of_a_fill", fields=["fill"]),
        ]
        triggers = [LifecycleTrigger(lifecycle=LIFECYCLE), never_deleted()]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    def move(self, target: CopyStatus) -> None:
        """Go to another state, if the table has the way.

        Raises:
            IllegalMove: if it hasn't.
        """
        LIFECYCLE.check(source=CopyStatus(self.status), target=target)
        self.status = target


class CopySignal(models.Model):
    """One signal that a copy became: an open is one, a close one for each position that it closes."""

    copy = models.ForeignKey(Copy, on_delete=models.PROTECT, related_name="signals")
    signal = models.OneToOneField(Signal, on_delete=models.PROTECT, related_name="copied")

    class Meta:
        db_table = "copy_signals"
        triggers = [append_only("copy_signals_are_append_only")]

    def __str__(self) -> str:
        return f"{self.copy_id}: {self.signal_id}"
