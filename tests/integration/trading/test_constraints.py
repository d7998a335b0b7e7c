"""Every check and unique constraint of the models, broken once in raw SQL."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction

from execution.models import DatabaseIdentity, TxReceipt
from tests.factories import NOW
from tests.factories.execution import (
    DelegationFactory,
    OrderFactory,
    SenderFactory,
    TxIntentFactory,
    TxSendFactory,
    VenueOrderFactory,
)
from tests.factories.paper import PaperFlowFactory
from tests.factories.reconciliation import DifferenceFactory
from tests.factories.risk import (
    CloseLegFactory,
    DecisionFactory,
    EquityFactory,
    EquitySampleFactory,
    FlattenFactory,
    HaltFactory,
    LegFactory,
    LockFactory,
    LossDayFactory,
    PolicyFactory,
)
from tests.factories.tokens import token
from tests.factories.trading import (
    CloseSignalFactory,
    DayResultFactory,
    FillFactory,
    FiringFactory,
    PositionFactory,
    PositionLevelFactory,
    ProtectionFactory,
    QuoteFactory,
    SignalFactory,
    SourceFactory,
    SourceSecretFactory,
)
from tests.integration.trading.breach import OF_THE_BOOK, Breach, of
from tests.integration.trading.breach_copying import OF_COPYING, TWINS_OF_COPYING
from trading.domain.source import Auth
from trading.domain.units import Wei
from trading.models import AuditHead, Member, ModeState, SourceSecret

pytestmark = pytest.mark.django_db


def mode_state() -> ModeState:
    return ModeState.objects.get(pk=1)


def audit_head() -> AuditHead:
    return AuditHead.objects.get_or_create(pk=1, defaults={"number": 0, "hash": "0" * 64})[0]


def member() -> Member:
    return Member.objects.create(tg_user_id=123, admitted_at=NOW, updated_at=NOW)


def database_identity() -> DatabaseIdentity:
    return DatabaseIdentity.objects.create(pk=1, system_identifier="7", timeline=1, confirmed_at=NOW)


def path_token() -> SourceSecret:
    return SourceSecretFactory(kind=Auth.TOKEN, sealed="", digest="d" * 64)


CHECKS = [
    *OF_THE_BOOK,
    *OF_COPYING,
    *of("signal_side_is_known", CloseSignalFactory, "side = 'BUY', collateral_usdc = 1, leverage_x = 1"),
    *of(
        "signal_names_a_position_only_to_close_it",
        lambda: CloseSignalFactory(position=PositionFactory()),
        "side = 'LONG', collateral_usdc = 1, leverage_x = 1",
    ),
    *of("signal_book_is_known", SignalFactory, "book = 'BOTH'"),
    *of(
        "signal_entry_has_leverage_and_collateral_or_a_size",
        SignalFactory,
        "collateral_usdc = NULL",
        "leverage_x = NULL",
        "collateral_usdc = 0",
        "leverage_x = -1",
        "side = 'CLOSE'",
        "size_kind = 'RISK_PCT'",
        "size_kind = 'RISK_PCT', size_pct = 1",
        "collateral_usdc = NULL, size_kind = 'RISK_PCT'",
        "collateral_usdc = NULL, size_kind = 'RISK_PCT', size_pct = 0",
        "collateral_usdc = NULL, size_pct = 1",
    ),
    *of("signal_size_kind_is_known", SignalFactory, "collateral_usdc = NULL, size_kind = 'ALL_IN', size_pct = 1"),
    *of(
        "signal_is_due_exactly_while_it_waits",
        SignalFactory,
        "next_action_at = NULL",
        "decided_at = now()",
        "status = 'DENIED'",
        "status = 'DENIED', decided_at = now()",
    ),
    *of("signal_has_a_stance_only_to_open", CloseSignalFactory, "stance = 'REACH'"),
    *of("signal_has_a_stance_only_to_open", SignalFactory, "stance = 'LIMBO'"),
    *of("signal_closes_one_side_only_to_close", SignalFactory, "closes = 'LONG'"),
    *of("signal_closes_one_side_only_to_close", CloseSignalFactory, "closes = 'UP'"),
    *of("signal_was_granted_by_somebody", SignalFactory, "granted_at = now()", "granted_by = 'ada'"),
    *of("source_auth_is_known", SourceFactory, "auth = 'NONE'"),
    *of("source_mode_is_known", SourceFactory, "mode = 'LIMBO'"),
    *of("source_is_silent_only_with_a_heartbeat", SourceFactory, "silent_at = now()"),
    *of("source_secret_kind_is_known", SourceSecretFactory, "kind = 'WORD'"),
    *of("source_secret_has_a_slot_of_two_until_revoked", SourceSecretFactory, "slot = 3", "slot = NULL", "revoked_at = now()"),
    *of("source_secret_is_sealed_or_a_digest", SourceSecretFactory, "sealed = ''", "digest = 'x'", "kind = 'TOKEN'"),
    *of("token_is_one_persons", token, "user_id = NULL", "member_id = 1"),
    *of("token_is_revoked_by_a_name", token, "revoked_at = now()", "revoked_by = 'ada'"),
    *of("token_is_for_something_known", token, "scopes = '{}'", "scopes = '{WORLD}'"),
    *of("there_is_one_mode_state", mode_state, "id = 2"),
    *of("there_is_one_audit_head", audit_head, "id = 2, number = number + 1"),
    *of("member_roles_are_known", member, "roles = ARRAY['root']", "roles = ARRAY['viewer', '']"),
    *of("there_is_one_database_identity", database_identity, "id = 2"),
    *of("mode_configured_is_known", mode_state, "configured = 'TURBO'"),
    *of(
        "trouble_with_the_switch_has_a_witness",
        mode_state,
        "switch_failed_at = now(), switch_failed_by = ''",
        "switch_failed_at = NULL, switch_failed_by = 'somebody'",
    ),
    *of("nobody_confirms_his_own_wish", mode_state, "wished_by = 'ada', confirmed_by = 'ada'"),
    *of("leg_action_is_known", LegFactory, "action = 'ADD'"),
    *of("leg_closes_a_position_exactly_when_it_closes", LegFactory, "action = 'CLOSE'"),
    *of("leg_closes_a_position_exactly_when_it_closes", CloseLegFactory, "action = 'OPEN'", "position_id = NULL"),
    *of("leg_moves_some_collateral", LegFactory, "collateral_usdc = 0", "collateral_usdc = -1"),
    *of("policy_scope_is_known", PolicyFactory, "scope = 'WORLD'"),
    *of(
        "policy_names_whom_its_scope_needs",
        PolicyFactory,
        "scope = 'USER'",
        "scope = 'SYMBOL'",
        "tg_user_id = 1",
        "symbol = 'BTC-USD'",
        "scope = 'USER', tg_user_id = 1, symbol = 'BTC-USD'",
    ),
    *of(
        "policy_caps_the_whole_desk_at_the_global_scope_only",
        lambda: PolicyFactory(scope="USER", tg_user_id=1),
        "max_side_exposure_usdc = 1",
        "max_group_exposure_usdc = 1",
        "max_source_exposure_usdc = 1",
    ),
    *of("policy_sums_and_shares_are_not_below_nothing", PolicyFactory, "max_exposure_usdc = -1", "max_drawdown_pct = -1"),
    *of("policy_limits_are_positive", PolicyFactory, "max_leverage_x = 0.5", "max_position_usd_1e6 = -1"),
    *of("halt_scope_is_known", HaltFactory, "scope = 'VENUE', key = 'x'"),
    *of("halt_state_is_known", HaltFactory, "state = 'ACTIVE'"),
    *of("halt_names_whom_its_scope_needs", HaltFactory, "key = 'x'", "scope = 'USER'"),
    *of("halt_ends_after_it_began", HaltFactory, "until = since", "until = since - interval '1 second'"),
    *of("halt_ends_by_a_name", HaltFactory, "ended_at = now()", "ended_by = 'rita'"),
    *of("flatten_book_is_known", FlattenFactory, "book = 'BOTH'"),
    *of("flatten_scope_is_known", FlattenFactory, "scope = 'VENUE'"),
    *of("flatten_status_is_known", FlattenFactory, "status = 'LIMBO', ended_at = now(), next_action_at = NULL"),
    *of(
        "flatten_is_due_exactly_while_it_runs",
        FlattenFactory,
        "next_action_at = NULL",
        "ended_at = now()",
        "status = 'DONE'",
        "status = 'DONE', ended_at = now()",
    ),
    *of("lock_kind_is_known", LockFactory, "kind = 'WHIM'"),
    *of("lock_book_is_known", LockFactory, "book = 'BOTH'"),
    *of("lock_ends_after_it_began", LockFactory, "until = since"),
    *of("lock_ends_by_a_name", LockFactory, "ended_at = now()", "ended_by = 'rita'"),
    *of("equity_book_is_known", EquityFactory, "book = 'BOTH'"),
    *of("equity_never_exceeds_its_peak", EquityFactory, "earned_usdc = 0.000001"),
    *of("day_result_book_is_known", DayResultFactory, "book = 'BOTH'"),
    *of("equity_sample_book_is_known", EquitySampleFactory, "book = 'BOTH'"),
    *of("loss_day_book_is_known", LossDayFactory, "book = 'BOTH'"),
    *of("loss_day_ends_after_it_began", LossDayFactory, "ends_at = starts_at"),
    *of("sender_status_is_known", SenderFactory, "status = 'ASLEEP'"),
    *of("sender_nonce_counts_up_from_zero", SenderFactory, "next_nonce = -1"),
    *of("sender_window_lies_between_one_and_the_most", SenderFactory, "window_size = 0", "window_size = 65"),
    *of("sender_waits_for_a_nonce_since_a_block", SenderFactory, "waiting_nonce = 1", "waiting_since_block = 1"),
    *of(
        "order_has_ended_exactly_when_its_state_says_so",
        OrderFactory,
        "ended_at = now()",
        "status = 'DENIED'",
        "status = 'SUBMITTED', ended_at = now()",
    ),
    *of("intent_is_dated_exactly_when_it_has_a_nonce", TxIntentFactory, "reserved_at = now()"),
    *of("intent_has_an_order_unless_it_tops_up_gas", TxIntentFactory, "kind = 'TOP_UP'", "order_id = NULL"),
    *of("intent_holds_a_nonce_exactly_when_its_state_says_so", TxIntentFactory, "nonce = 1"),
    *of(
        "intent_is_closed_exactly_when_its_state_is_terminal",
        TxIntentFactory,
        "closed_at = now()",
        "next_action_at = NULL",
        "status = 'CANCELED'",
        "status = 'CANCELED', closed_at = now()",
    ),
    *of(
        "intent_on_paper_never_has_a_nonce",
        lambda: TxIntentFactory(order__leg__decision__signal__book="PAPER"),
        "status = 'CANCELED', closed_at = now(), next_action_at = NULL, nonce = 1",
    ),
    *of("send_state_is_known", TxSendFactory, "state = 'LOST'"),
    *of("send_purpose_is_known", TxSendFactory, "purpose = 'GIFT'"),
    *of("decision_verdict_is_known", DecisionFactory, "verdict = 'PERHAPS'"),
    *of("decision_denies_with_a_code", DecisionFactory, "code = 'PRICE_STALE'", "verdict = 'DENIED'"),
    *of("signal_status_is_known", SignalFactory, "status = 'LIMBO'"),
    *of("position_status_is_known", PositionFactory, "status = 'LIMBO'"),
    *of("order_status_is_known", OrderFactory, "status = 'LIMBO'"),
    *of("intent_status_is_known", TxIntentFactory, "status = 'LIMBO'"),
]

TWINS = {
    "one_signal_for_each_source_and_id": (SignalFactory, {"intent_key": "'other'"}),
    "a_source_has_one_secret_in_a_slot": (SourceSecretFactory, {"key_id": "'other'"}),
    "one_secret_for_each_token": (path_token, {"key_id": "'other'", "slot": "2"}),
    "one_position_for_each_slot_and_time": (PositionFactory, {}),
    "one_venue_order_for_each_log_of_a_block": (VenueOrderFactory, {"venue_order_id": "venue_order_id + 1"}),
    "one_canonical_venue_order_for_each_number": (VenueOrderFactory, {"log_index": "7"}),
    "one_standing_protection_for_a_position": (ProtectionFactory, {}),
    "one_firing_for_each_level_and_attempt": (FiringFactory, {}),
    "one_word_on_a_level_for_each_log": (PositionLevelFactory, {"price": "1"}),
    "one_fill_for_each_log_of_a_block": (FillFactory, {"tx_hash": "'0xother'"}),
    "one_canonical_fill_for_each_log": (FillFactory, {"block_hash": "'0xother'"}),
    "one_difference_of_each_thing": (DifferenceFactory, {"first_block": "8"}),
    "one_stake_for_each_wallet": (PaperFlowFactory, {"reason": "'another'"}),
    "one_quote_for_each_market_and_source": (QuoteFactory, {}),
    "one_decision_for_each_signal_and_trader": (DecisionFactory, {}),
    "one_leg_for_each_number": (LegFactory, {}),
    "one_policy_for_each_scope": (PolicyFactory, {}),
    "one_halt_for_each_scope": (HaltFactory, {"state": "'HALTED'"}),
    **TWINS_OF_COPYING,
    "one_running_flatten_for_each_scope": (FlattenFactory, {}),
    "one_active_lock_of_each_kind": (LockFactory, {"reason": "'another'"}),
    "one_equity_for_each_book": (EquityFactory, {}),
    "one_result_for_each_day_and_market": (DayResultFactory, {"fills": "9"}),
    "one_equity_sample_for_each_instant": (EquitySampleFactory, {"earned_usdc": "1"}),
    "one_loss_day_for_each_reset": (LossDayFactory, {"zone": "'Asia/Tokyo'"}),
    "one_sender_for_each_address": (SenderFactory, {}),
    "one_delegation_for_each_trader_and_sender": (DelegationFactory, {"is_home": "false"}),
}


def copied(row: models.Model, changes: dict[str, str]) -> None:
    """Insert the row once more, changed."""
    columns = [field.column for field in row._meta.concrete_fields if not field.primary_key]
    values = [changes.get(column, column) for column in columns]
    table = row._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE id = {row.pk}")


def leave_alone(constraint: str, table: str) -> None:
    """Let nothing but one constraint guard a table, so that it is this one that refuses."""
    with connection.cursor() as cursor:
        # PostgreSQL alters no table that still has checks to make at the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c' AND conname <> %s",
            [table, constraint],
        )
        for (other,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {other}")


def named(value: object) -> str | None:
    return f"{value.constraint}: {value.change}" if isinstance(value, Breach) else None


@pytest.mark.parametrize("breach", CHECKS, ids=named)
def test_a_change_that_breaks_a_rule_is_refused(breach: Breach) -> None:
    row = breach.make()
    leave_alone(breach.constraint, row._meta.db_table)
    with pytest.raises(IntegrityError, match=f'"{breach.constraint}"'), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {breach.change} WHERE id = %s", [row.pk])


@pytest.mark.parametrize("constraint", TWINS)
def test_a_twin_is_refused(constraint: str) -> None:
    factory, changes = TWINS[constraint]
    with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
        copied(factory(), changes)


def test_a_second_home_is_refused() -> None:
    delegation = DelegationFactory()
    with pytest.raises(IntegrityError, match='"one_home_for_each_trader"'), transaction.atomic():
        DelegationFactory(trader=delegation.trader)


def test_one_effect_is_owed_once() -> None:
    intent = TxIntentFactory()
    with pytest.raises(IntegrityError, match='"uq_tx_intents_idem"'), transaction.atomic():
        TxIntentFactory(idempotency_key=intent.idempotency_key)


def bound(nonce: int, **fields: Any) -> models.Model:
    intent = TxIntentFactory(**fields)
    for state, changes in (("BUILDING", {}), ("BUILT", {}), ("SENDING", {"nonce": nonce, "reserved_at": NOW})):
        type(intent).objects.filter(pk=intent.pk).update(status=state, **changes)
    return intent


def test_one_nonce_of_a_sender_belongs_to_one_intent() -> None:
    sender = SenderFactory()
    bound(5, sender=sender)
    bound(5)
    with pytest.raises(IntegrityError, match='"one_intent_for_each_nonce"'), transaction.atomic():
        bound(5, sender=sender)


@pytest.mark.parametrize("change", ["nonce = 6", "target = '0x1'", "calldata = '0x1'", "value_wei = 1"])
def test_a_nonce_and_a_call_are_bound_for_life(change: str) -> None:
    intent = bound(5)
    with pytest.raises(IntegrityError, match="keeps its nonce"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE tx_intents SET {change} WHERE id = %s", [intent.pk])


def test_a_send_has_its_own_number_and_hash_and_only_one_is_ready() -> None:
    send = TxSendFactory()
    for constraint, changes in (
        ("one_send_for_each_number", {"tx_hash": "'0xother'", "state": "'SENT'"}),
        ("tx_sends_tx_hash_key", {"seq": "2", "state": "'SENT'"}),
        ("one_ready_send_for_each_intent", {"seq": "2", "tx_hash": "'0xother'"}),
    ):
        with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
            copied(send, changes)


def test_one_receipt_of_a_send_stands_and_each_outcome_in_a_block_is_kept_once() -> None:
    send = TxSendFactory()
    facts = {"send": send, "block_number": 7, "gas_used": 1, "gas_price_wei": Wei(1), "l1_fee_wei": Wei(0), "seen_at": NOW}
    TxReceipt.objects.create(block_hash="0xb", is_success=True, **facts)
    for constraint, changes in (
        ("one_receipt_of_a_send_stands", {"block_hash": "0xc"}),
        ("one_receipt_of_a_send_stands", {"is_success": False}),
        ("one_receipt_for_each_send_and_block", {"is_canonical": False}),
    ):
        with pytest.raises(IntegrityError, match=f'"{constraint}"'), transaction.atomic():
            TxReceipt.objects.create(**{"block_hash": "0xb", "is_success": True} | facts | changes)


def test_an_order_has_one_number_at_the_venue() -> None:
    OrderFactory(venue_order_id=7)
    with pytest.raises(IntegrityError, match='"one_order_for_each_venue_number"'), transaction.atomic():
        OrderFactory(venue_order_id=7)


ELSEWHERE = {
    "one_home_for_each_trader",
    "uq_tx_intents_idem",
    "one_intent_for_each_nonce",
    "one_send_for_each_number",
    "one_ready_send_for_each_intent",
    "one_order_for_each_venue_number",
    # Of rows that the chain's readers write; broken where those are tested.
    "one_block_for_each_hash",
    "one_canonical_block_for_each_number",
    "one_receipt_for_each_send_and_block",
    "one_receipt_of_a_send_stands",
}


def test_every_constraint_is_broken_somewhere_here() -> None:
    known = {
        constraint.name
        for label in ("trading", "risk", "execution")
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
    }
    broken = {breach.constraint for breach in CHECKS} | set(TWINS) | ELSEWHERE
    assert broken == known


def test_a_rule_that_is_gone_refuses_nothing() -> None:
    """So that the tests above can fail."""
    row = LegFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE legs DROP CONSTRAINT leg_moves_some_collateral")
        cursor.execute("UPDATE legs SET collateral_usdc = 0 WHERE id = %s", [row.pk])
    row.refresh_from_db()
    assert not row.collateral_usdc


def test_now_is_in_the_past() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() > %s", [NOW])
        assert cursor.fetchone() == (True,)
