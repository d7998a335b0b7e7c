"""Signed offers, and what the chain made of them."""

from enum import StrEnum

import pgtrigger
from django.db import models
from django.db.models import Q

from execution.models.intent import TxIntent
from trading.models.fields import WeiField
from trading.models.lifecycle import choices, known_words, never_deleted


class SendState(StrEnum):
    """What is known of an offer's way to the nodes."""

    READY = "READY"  # stored; not yet on the wire, or nobody knows
    SENT = "SENT"  # some node has it, or may have it
    REFUSED = "REFUSED"  # every node surely refused it


class Purpose(StrEnum):
    """What an offer is for."""

    CALL = "CALL"
    CANCELLATION = "CANCELLATION"  # the same nonce, empty, to ourselves


class TxSend(models.Model):
    """One signed offer for an intent's nonce. Its bytes are stored before any node sees them."""

    intent = models.ForeignKey(TxIntent, on_delete=models.PROTECT, related_name="sends")
    seq = models.PositiveSmallIntegerField()
    purpose = models.CharField(max_length=12, choices=choices(Purpose), default=Purpose.CALL)
    raw = models.TextField()
    tx_hash = models.CharField(max_length=66, unique=True)
    fee_cap_wei = WeiField()
    tip_cap_wei = WeiField()
    state = models.CharField(max_length=8, choices=choices(SendState), default=SendState.READY)
    # Null until it was first on the wire.
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    times_sent = models.PositiveIntegerField(default=0)
    # The node's own words; empty for a plain yes.
    last_answer = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "tx_sends"
        constraints = [
            models.UniqueConstraint(name="one_send_for_each_number", fields=["intent", "seq"]),
            models.UniqueConstraint(name="one_ready_send_for_each_intent", fields=["intent"], condition=Q(state=SendState.READY)),
            known_words("send_state_is_known", SendState, field="state"),
            known_words("send_purpose_is_known", Purpose, field="purpose"),
        ]
        triggers = [
            never_deleted(),
            pgtrigger.ReadOnly(
                name="signed_is_never_changed",
                fields=["intent", "seq", "purpose", "raw", "tx_hash", "fee_cap_wei", "tip_cap_wei", "created_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.tx_hash


class TxReceipt(models.Model):
    """A send in a block. The same send can be mined in two blocks of two forks."""

    send = models.ForeignKey(TxSend, on_delete=models.PROTECT, related_name="receipts")
    block_number = models.BigIntegerField()
    block_hash = models.CharField(max_length=66)
    is_success = models.BooleanField()
    gas_used = models.BigIntegerField()
    gas_price_wei = WeiField()
    # What the rollup charged for its data; zero on a chain without it.
    l1_fee_wei = WeiField()
    is_canonical = models.BooleanField(default=True)
    # The head at which it was first found deep enough to be final; null before.
    deep_at_block = models.BigIntegerField(null=True)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "tx_receipts"
        constraints = [
            # By outcome too: one node may have lied about it before two others told the truth.
            models.UniqueConstraint(name="one_receipt_for_each_send_and_block", fields=["send", "block_hash", "is_success"]),
            models.UniqueConstraint(name="one_receipt_of_a_send_stands", fields=["send"], condition=models.Q(is_canonical=True)),
        ]
        triggers = [
            never_deleted(),
            pgtrigger.ReadOnly(name="mined_is_never_changed", exclude=["is_canonical", "deep_at_block"]),
        ]

    def __str__(self) -> str:
        return f"{self.send_id} in {self.block_number}"
