"""What the application's database role may do: one row a table, and nothing that isn't written here.

`roles` makes the grants from this table, and compares them with what PostgreSQL says at a start. Every
column is placed by a person: among those that change, or among those that say what was asked, signed or mined.
"""

from dataclasses import dataclass

EVERY = frozenset({"*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table or view. The application may read it; its primary key never changes."""

    name: str
    changes: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()
    may_insert: bool = True
    may_delete: bool = False

    def allows(self, privilege: str, column: str | None) -> bool:
        """Whether the application may have a privilege here, in PostgreSQL's words."""
        if privilege == "UPDATE":
            return self.changes == EVERY or column in self.changes
        return privilege in self.privileges

    def places(self, column: str) -> bool:
        """Whether somebody has said if a column changes."""
        return EVERY in (self.changes, self.frozen) or column in self.changes | self.frozen

    @property
    def privileges(self) -> tuple[str, ...]:
        """What is granted on the table as a whole."""
        inserting = ("INSERT",) if self.may_insert else ()
        deleting = ("DELETE",) if self.may_delete else ()
        return ("SELECT", *inserting, *deleting)


def _ledger(name: str, *, changes: str, frozen: str) -> Table:
    """Rows that keep what they were born with; the columns of their progress change."""
    return Table(name=name, changes=frozenset(changes.split()), frozen=frozenset(frozen.split()))


def _append_only(name: str) -> Table:
    """Rows that never change."""
    return Table(name=name, frozen=EVERY)


def _current(name: str) -> Table:
    """Rows that say how things are now."""
    return Table(name=name, changes=EVERY)


def _loose(name: str) -> Table:
    """Rows that come and go; what they said is kept elsewhere, or is nobody's loss."""
    return Table(name=name, changes=EVERY, may_delete=True)


def _shown(name: str) -> Table:
    """What only the owner writes."""
    return Table(name=name, frozen=EVERY, may_insert=False)


_DUE = "next_action_at attempts"
_LANE = "epoch leased_until rung_at"
_END = "ended_at ended_by end_reason"

TABLES: tuple[Table, ...] = (
    # trading
    _ledger(
        "signals",
        # When it expires: later, once a person has said yes.
        changes=f"{_DUE} status decided_at expires_at granted_at granted_by",
        frozen="source_id source_name signal_id intent_key fingerprint trace_id trader_id market_id position_id side stance"
        " closes book collateral_usdc size_kind size_pct at_most_usdc leverage_x reduce_usdc reduce_pct slippage_pct"
        " max_deviation_pct price take_profit"
        " stop_loss protection is_test signaled_at body received_at",
    ),
    _ledger(
        "positions",
        # The direction too: after a reorganization another order can hold the same slot at the same time.
        changes="status direction signal_id origin collateral_usdc leverage_x entry_price realised_pnl_usdc net_pnl_usdc"
        " take_profit stop_loss closed_at",
        frozen="trader_id market_id book venue_index opened_at",
    ),
    _ledger(
        "protections",
        changes="stop_price stop_reason best_price targets_hit deadline_at acts_below acts_above is_waiting held_since"
        " is_venue_behind"
        " replaced_at replaced_by",
        frozen="position_id signal_id guard direction entry_price guarded_usdc cost_pct placed_by placed_at",
    ),
    _ledger(
        "firings",
        changes="signal_id fate retry_at",
        frozen="position_id protection_id cause level attempt level_price price reduce_usdc hits_before fired_at",
    ),
    _ledger(
        "position_levels",
        changes="is_canonical",
        frozen="position_id level price chain_id tx_hash log_index block_number block_hash changed_at",
    ),
    _ledger(
        "fills",
        changes="is_canonical",
        frozen="position_id trader_id market_id book kind price collateral_usdc leverage_x held_usdc entry_price fee_usdc"
        " rollover_usdc funding_usdc price_pnl_usdc payout_usdc realised_pnl_usdc chain_id tx_hash log_index block_number"
        " block_hash filled_at created_at",
    ),
    # Sums of the two above.
    _loose("day_results"),
    _ledger("traders", changes=f"{_LANE} name is_enabled zone", frozen="tg_user_id is_leader address created_at"),
    _ledger(
        "sources",
        changes="description mode is_enabled allowed_symbols allowed_accounts max_leverage_x max_position_usdc max_exposure_usdc"
        " max_lag_seconds entries_per_minute heartbeat_seconds last_heard_at silent_at",
        # How it proves itself too: a secret is made for one way.
        frozen="name auth is_internal created_at",
    ),
    _ledger(
        "source_secrets",
        # The sealed text goes under a new key, and goes for good when it is revoked.
        changes="sealed slot last_used_at revoked_at",
        frozen="source_id key_id kind digest created_at created_by expires_at",
    ),
    _ledger(
        "markets",
        changes="group_name pair_index is_listed is_close_only is_open min_notional_usdc min_leverage_x max_leverage_x"
        " open_fee_pct close_fee_pct spread_pct rollover_hourly_pct funding_hourly_pct max_gain_pct synced_at",
        frozen="symbol",
    ),
    _ledger("paper_wallets", changes="balance_usdc put_in_usdc", frozen="trader_id opened_at"),
    _append_only("paper_flows"),
    _current("quotes"),
    _current("price_feeds"),
    _current("last_prices"),
    _current("mode_state"),
    _append_only("journal"),
    _append_only("audit_log"),
    # It moves by one with each row of the log: its trigger says so.
    _ledger("audit_heads", changes="number hash", frozen=""),
    _append_only("audit_checks"),
    _ledger("members", changes="roles name user_id updated_at", frozen="tg_user_id admitted_at"),
    _ledger(
        "api_tokens",
        changes="last_used_at revoked_at revoked_by",
        frozen="name public_id secret_sha256 user_id member_id scopes accounts created_at created_by expires_at",
    ),
    _shown("trades"),
    # risk
    _append_only("decisions"),
    _ledger(
        "legs",
        changes=f"{_DUE} charged_in_block left_out settled_at",
        frozen="decision_id number trader_id market_id book action direction collateral_usdc leverage_x slippage_pct take_profit"
        " stop_loss position_id expires_at",
    ),
    _current("account_facts"),
    _ledger("halts", changes=_END, frozen="scope key state reason placed_by since until"),
    _ledger(
        "locks",
        changes=_END,
        frozen="trader_id book market_id kind value limit_text reason placed_by since caused_at until",
    ),
    _ledger(
        "equities",
        changes="earned_usdc equity_usdc doubts peak_earned_usdc peak_equity_usdc peak_at newest_fill measured_at"
        " sampled_at next_action_at",
        frozen="trader_id book",
    ),
    _ledger("equity_samples", changes="earned_usdc equity_usdc", frozen="trader_id book at"),
    _ledger(
        "loss_days",
        # The equity at the reset is null until a wallet's balance is known.
        changes="baseline_equity_usdc loss_usdc limit_usdc measured_at warned_at breached_at",
        frozen="trader_id book starts_at ends_at zone baseline_earned_usdc",
    ),
    _ledger(
        "flattens",
        changes="status closed waiting failed opening ended_at next_action_at",
        frozen="scope key book reason started_by started_at",
    ),
    _ledger(
        "followings",
        changes="mode mode_reason sizing fixed_usdc share_pct max_trade_usdc max_day_usdc max_leverage_x max_slippage_pct"
        " symbols max_losses max_drawdown_usdc counted_from version updated_at",
        frozen="follower_id leader_id created_at",
    ),
    _ledger(
        "copies",
        # The leader's position and fill too: after a reorganization the same trade stands in another block.
        changes=f"{_DUE} position_id fill_id status reason cuts collateral_usdc share_pct at_most_usdc leverage_x slippage_pct"
        " price ended_at orphaned_at",
        frozen="following_id key kind closed_pct created_at",
    ),
    _append_only("copy_signals"),
    _append_only("trackings"),
    # What a policy said is in the audit log.
    _loose("user_risk_policies"),
    # execution
    _ledger(
        "orders",
        changes="position_id fill_id venue_order_id accepted_in_block settled_in_block status reason ended_at",
        frozen="leg_id trader_id market_id book action direction collateral_usdc leverage_x slippage_pct take_profit stop_loss"
        " trace_id created_at",
    ),
    _ledger(
        "venue_orders",
        changes="is_canonical status ended_in_block ended_at",
        frozen="chain_id tx_hash ordinal log_index block_number block_hash kind venue_order_id trader_id pair_index venue_index"
        " direction collateral_usdc leverage_x wanted_price registered_at",
    ),
    _ledger(
        "tx_intents",
        changes=f"{_DUE} nonce reserved_at target calldata value_wei gas_limit built_at wanted_price status version failure_code"
        " cancel_reason doubted_at_block blocked_reason closed_at fee_ceiling_wei",
        frozen="order_id intent_key idempotency_key kind book sender_id priority deadline_at trace_id created_at",
    ),
    _ledger(
        "tx_sends",
        changes="state first_sent_at last_sent_at times_sent last_answer",
        frozen="intent_id seq purpose raw tx_hash fee_cap_wei tip_cap_wei created_at",
    ),
    _ledger(
        "tx_receipts",
        changes="is_canonical deep_at_block",
        frozen="send_id block_number block_hash is_success gas_used gas_price_wei l1_fee_wei seen_at",
    ),
    _ledger(
        "senders",
        changes=f"{_LANE} next_nonce status status_reason max_in_flight window_size window_threshold window_block waiting_nonce"
        " waiting_since_block fee_ceiling_wei gas_floor_wei balance_wei mined_count is_gas_low gas_looked_at is_treasury",
        frozen="chain_id address signer created_at",
    ),
    _current("account_looks"),
    _ledger(
        "differences",
        changes="state ours theirs last_seen_at last_block confirmed_at resolved_at resolution",
        frozen="trader_id kind what first_seen_at first_block",
    ),
    _append_only("wallet_flows"),
    _ledger(
        "level_updates",
        changes="status set_in_block",
        frozen="position_id take_profit stop_loss nonce asked_at deadline_at",
    ),
    _ledger("delegations", changes="expires_at is_home checked_at", frozen="trader_id sender_id"),
    _ledger("cursors", changes=f"{_LANE} number hash", frozen="stream chain_id"),
    _current("database_identities"),
    _ledger("chain_blocks", changes="is_canonical", frozen="chain_id number hash parent_hash mined_at"),
    # bots
    _ledger(
        "channels",
        changes=f"{_LANE} secret previous_secret previous_until status status_reason after_transaction failures failing_since"
        " resting_until",
        frozen="kind name url events accounts created_at",
    ),
    _ledger(
        "deliveries",
        changes=f"{_DUE} status last_status_code last_trouble replays delivered_at ended_at",
        frozen="event_id channel_id message_id thread body created_at",
    ),
    _ledger("journal_places", changes="transaction_number event_id", frozen="reader"),
    # vanta_site
    _current("heartbeats"),
    _append_only("violations"),
    # Django: people are deactivated, never deleted, since the log of what they did names them.
    _current("auth_user"),
    _append_only("django_admin_log"),
    # What a role may is settled with each migration; who has it is a row that comes and goes, and is audited.
    _shown("auth_group"),
    _shown("auth_group_permissions"),
    _loose("auth_user_groups"),
    _shown("auth_user_user_permissions"),
    _loose("django_session"),
    _shown("auth_permission"),
    _shown("django_content_type"),
    _shown("django_migrations"),
)
