"""On-chain effects that we owe."""

from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from execution.domain.intent import LIFECYCLE, UNMINED, WITH_NONCE, WITHOUT_NONCE, Blocked, IntentKind, IntentStatus
from execution.models.order import Order
from execution.models.sender import Sender
from trading.domain.mode import Book
from trading.models.fields import PriceField, WeiField
from trading.models.lane import Due
from trading.models.lifecycle import LifecycleTrigger, choices, known_states, never_deleted

_ENDED = [str(status) for status in LIFECYCLE.states if status in LIFECYCLE.terminal]


class TxIntentQuerySet(models.QuerySet["TxIntent"]):
    """Intents, asked for in our words."""

    def of_lane(self, sender_id: int) -> Self:
        """One sender's."""
        return self.filter(sender_id=sender_id)

    def due(self, *, at: datetime) -> Self:
        """Those whose next action is due."""
        return self.filter(next_action_at__lte=at)

    def unmined(self) -> Self:
        """Those that hold a nonce which the chain hasn't used yet."""
        return self.filter(status__in=[str(status) for status in UNMINED])

    def in_order(self) -> Self:
        """Exits first, then the oldest first."""
        return self.order_by("priority", "id")


class TxIntent(Due):
    """One on-chain effect, owed once, under its idempotency key, bound to one nonce for life."""

    EXIT_PRIORITY = 0
    ENTRY_PRIORITY = 1

    # Null exactly for a top-up of gas, which nobody ordered at the venue.
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="intent", null=True)
    # Readable: `sig:SOURCE:ID`, `#2` and on for further legs.
    intent_key = models.CharField(max_length=620, unique=True)
    # sha256 of the effect's identity: what makes it happen once.
    idempotency_key = models.CharField(max_length=64)
    kind = models.CharField(max_length=8, choices=choices(IntentKind))
    book = models.CharField(max_length=8, choices=choices(Book))
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="intents")
    priority = models.PositiveSmallIntegerField()
    # Null until reserved; never changed after.
    nonce = models.BigIntegerField(null=True)
    reserved_at = models.DateTimeField(null=True)
    # Empty until built.
    target = models.CharField(max_length=42, blank=True)
    calldata = models.TextField(blank=True)
    value_wei = WeiField(default="0")
    # Null until built.
    gas_limit = models.BigIntegerField(null=True)
    built_at = models.DateTimeField(null=True)
    # The price that bounds its slippage; null until built.
    wanted_price = PriceField(null=True)
    # The most that this one pays for a gas; null: its sender's.
    fee_ceiling_wei = WeiField(null=True)
    # Null for exits, which don't expire.
    deadline_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=12, choices=choices(IntentStatus), default=IntentStatus.CREATED)
    version = models.PositiveIntegerField(default=0)
    # Why it failed or was canceled; empty otherwise.
    failure_code = models.CharField(max_length=200, blank=True)
    # Why its nonce is to be filled by a cancellation; empty otherwise.
    cancel_reason = models.CharField(max_length=200, blank=True)
    # The head at which a node first called its nonce used by something that we hadn't found; null while none did.
    doubted_at_block = models.BigIntegerField(null=True)
    # Why it waits; empty when it doesn't.
    blocked_reason = models.CharField(max_length=48, blank=True, choices=[(str(word), str(word)) for word in Blocked if word])
    trace_id = models.CharField(max_length=32, db_index=True)
    created_at = models.DateTimeField()
    # Null while something is still owed to it.
    closed_at = models.DateTimeField(null=True)

    objects = TxIntentQuerySet.as_manager()

    class Meta:
        db_table = "tx_intents"
        constraints = [
            models.UniqueConstraint(name="uq_tx_intents_idem", fields=["idempotency_key"]),
            models.UniqueConstraint(name="one_intent_for_each_nonce", fields=["sender", "nonce"]),
            known_states(LIFECYCLE),
            models.CheckConstraint(
                name="intent_holds_a_nonce_exactly_when_its_state_says_so",
                condition=Q(status__in=sorted(WITH_NONCE), nonce__isnull=False)
                | Q(status__in=sorted(WITHOUT_NONCE), nonce=None)
                # Canceled before it had one, by a cancellation on it, or given up.
                | Q(status=IntentStatus.CANCELED),
            ),
            models.CheckConstraint(
                name="intent_is_dated_exactly_when_it_has_a_nonce",
                condition=Q(nonce=None, reserved_at=None) | Q(nonce__isnull=False, reserved_at__isnull=False),
            ),
            models.CheckConstraint(
                name="intent_has_an_order_unless_it_tops_up_gas",
                condition=Q(kind=IntentKind.TOP_UP, order=None) | (~Q(kind=IntentKind.TOP_UP) & Q(order__isnull=False)),
            ),
            models.CheckConstraint(
                name="intent_is_closed_exactly_when_its_state_is_terminal",
                condition=Q(status__in=_ENDED, closed_at__isnull=False, next_action_at=None)
                | (~Q(status__in=_ENDED) & Q(closed_at=None, next_action_at__isnull=False)),
            ),
            models.CheckConstraint(name="intent_on_paper_never_has_a_nonce", condition=Q(book=Book.LIVE) | Q(nonce=None)),
        ]
        indexes = [
            models.Index(name="tx_intents_due", fields=["sender", "priority", "id"], condition=Q(closed_at=None)),
            models.Index(name="tx_intents_ended", fields=["closed_at"], condition=Q(closed_at__isnull=False)),
        ]
        triggers = [
            LifecycleTrigger(lifecycle=LIFECYCLE),
            never_deleted(),
            pgtrigger.ReadOnly(
                name="asked_is_never_changed", fields=["idempotency_key", "intent_key", "order", "sender", "book"]
            ),
            pgtrigger.Trigger(
                name="nonce_and_call_are_bound_for_life",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.nonce IS NOT NULL AND (NEW.nonce IS DISTINCT FROM OLD.nonce OR NEW.target <> OLD.target
                       OR NEW.calldata <> OLD.calldata OR NEW.value_wei <> OLD.value_wei) THEN
                        RAISE EXCEPTION 'an intent keeps its nonce and its call for life' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # Of a person's word alone the chain knows nothing: what is on the wire may still be mined.
            pgtrigger.Trigger(
                name="what_was_sent_is_given_up_on_proof_only",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                func=f"""
                    IF OLD.status = '{IntentStatus.SENT}' AND NEW.status = '{IntentStatus.CANCELED}'
                       AND (OLD.blocked_reason <> '{Blocked.NONCE}' OR OLD.doubted_at_block IS NULL) THEN
                        RAISE EXCEPTION 'nothing proves that its nonce is used by something else'
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.intent_key

    def is_late(self, *, at: datetime) -> bool:
        """Whether its time has passed; an exit's never does."""
        return self.deadline_at is not None and self.deadline_at < at
