"""The accounts that sign, and who allowed them to."""

from enum import StrEnum

from django.db import models

from trading.models import Trader
from trading.models.fields import WeiField
from trading.models.lane import Lane
from trading.models.lifecycle import choices, known_words, never_deleted


class SenderStatus(StrEnum):
    """What a sender may do."""

    ACTIVE = "ACTIVE"
    DRAINING = "DRAINING"  # finishes what it has, takes nothing new
    PAUSED = "PAUSED"  # signs nothing new; what was sent is watched
    QUARANTINED = "QUARANTINED"  # its nonces are in doubt: a person must look


class Sender(Lane):
    """An account of ours on one chain: its nonces are a lane."""

    chain_id = models.BigIntegerField()
    address = models.CharField(max_length=42)
    # `local:0`: which key of which signer.
    signer = models.CharField(max_length=200)
    # The next nonce to give. The database is the authority; the chain's count is compared, never copied back.
    next_nonce = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=choices(SenderStatus), default=SenderStatus.ACTIVE)
    # Why it isn't active; empty while it is.
    status_reason = models.CharField(max_length=200, blank=True)
    # The most that may ever be in flight, and how many may be now (`domain.window`).
    max_in_flight = models.PositiveSmallIntegerField(default=64)
    window_size = models.PositiveSmallIntegerField(default=16)
    window_threshold = models.PositiveSmallIntegerField(default=64)
    # The head at which the window last changed.
    window_block = models.BigIntegerField(default=0)
    # Its lowest unmined nonce, and the head at which that became the lowest or was last offered more for.
    # Null: none is in flight.
    waiting_nonce = models.BigIntegerField(null=True)
    waiting_since_block = models.BigIntegerField(null=True)
    # The most that it pays for a gas; a call stays a tenth below (`domain.fees`).
    fee_ceiling_wei = WeiField(default="500000000000")
    # Below this, plus what everything in flight may cost, it takes no new nonces.
    gas_floor_wei = WeiField(default="500000000000000")
    # What the chain last said: its balance and how many of its transactions are mined. Null before the first look.
    balance_wei = WeiField(null=True)
    mined_count = models.BigIntegerField(null=True)
    # Whether it had less than its floor at the last look, and when that was; null before the first.
    is_gas_low = models.BooleanField(default=False)
    gas_looked_at = models.DateTimeField(null=True)
    # It pays for the others' gas and trades for nobody.
    is_treasury = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "senders"
        constraints = [
            models.UniqueConstraint(name="one_sender_for_each_address", fields=["chain_id", "address"]),
            known_words("sender_status_is_known", SenderStatus, field="status"),
            models.CheckConstraint(name="sender_nonce_counts_up_from_zero", condition=models.Q(next_nonce__gte=0)),
            models.CheckConstraint(
                name="sender_window_lies_between_one_and_the_most",
                condition=models.Q(window_size__gte=1, window_size__lte=models.F("max_in_flight")),
            ),
            models.CheckConstraint(
                name="sender_waits_for_a_nonce_since_a_block",
                condition=models.Q(waiting_nonce=None, waiting_since_block=None)
                | models.Q(waiting_nonce__isnull=False, waiting_since_block__isnull=False),
            ),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return self.address


class Delegation(models.Model):
    """A trader's leave for a sender to trade on his behalf; it can never withdraw."""

    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="delegations")
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="delegations")
    expires_at = models.DateTimeField()
    # The sender that carries this trader's orders, so that their order holds.
    is_home = models.BooleanField(default=True)
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "delegations"
        constraints = [
            models.UniqueConstraint(name="one_delegation_for_each_trader_and_sender", fields=["trader", "sender"]),
            models.UniqueConstraint(name="one_home_for_each_trader", fields=["trader"], condition=models.Q(is_home=True)),
        ]

    def __str__(self) -> str:
        return f"{self.trader} → {self.sender}"
