"""Breaches of what traders and those who copy them rest on."""

from tests.factories.copying import CopyFactory, FollowingFactory, TrackingFactory
from tests.factories.trading import LeaderFactory, TraderFactory
from tests.integration.trading.breach import of

_SENT = "status = 'SENT', ended_at = now(), next_action_at = NULL"
_ADDRESS = "0x" + "ab" * 20
OF_COPYING = [
    *of("trader_address_is_an_address", TraderFactory, "address = '0x12'", f"address = '{_ADDRESS[:-1]}g'", "address = ''"),
    *of("trader_has_a_telegram_id_unless_it_leads", TraderFactory, "tg_user_id = NULL", "is_leader = true"),
    *of("trader_has_a_telegram_id_unless_it_leads", LeaderFactory, "tg_user_id = 7", "is_leader = false"),
    *of("following_is_of_somebody_else", FollowingFactory, "leader_id = follower_id"),
    *of("following_mode_is_known", FollowingFactory, "mode = 'MAYBE'"),
    *of(
        "following_has_the_size_that_its_sizing_needs",
        FollowingFactory,
        "fixed_usdc = NULL",
        "fixed_usdc = 0",
        "share_pct = 1",
        "sizing = 'MIRROR'",
        "sizing = 'MIRROR', share_pct = 1",
        "sizing = 'EQUITY_PCT', fixed_usdc = NULL",
        "sizing = 'EQUITY_PCT', fixed_usdc = NULL, share_pct = 0",
        "sizing = 'ALL_IN'",
    ),
    *of(
        "following_caps_are_above_nothing",
        FollowingFactory,
        "max_trade_usdc = 0",
        "max_day_usdc = 0",
        "max_leverage_x = 0.5",
        "max_slippage_pct = 0",
        "max_slippage_pct = 11",
        "max_losses = 0",
        "max_drawdown_usdc = 0",
    ),
    *of("copy_status_is_known", CopyFactory, "status = 'LOST'"),
    *of("copy_kind_is_known", CopyFactory, "kind = 'GIFT'"),
    *of(
        "copy_ends_sent_or_skipped_for_a_reason",
        CopyFactory,
        "reason = 'STALE'",
        "ended_at = now()",
        "next_action_at = NULL",
        "status = 'SENT', next_action_at = NULL",
        f"{_SENT}, reason = 'STALE'",
        "status = 'SKIPPED', ended_at = now(), next_action_at = NULL",
        "status = 'SKIPPED', reason = 'STALE', next_action_at = NULL",
    ),
    *of("tracking_book_is_known", TrackingFactory, "book = 'BOTH'"),
    *of("tracking_adds_up", TrackingFactory, "follower_net_usdc = 1", "size_usdc = 1", "exit_usdc = 1, fees_usdc = 1"),
    *of("copy_is_orphaned_only_once_sent", CopyFactory, "orphaned_at = now()"),
]
TWINS_OF_COPYING = {
    "one_following_for_each_pair": (FollowingFactory, {}),
    "one_copy_of_each_trade": (CopyFactory, {}),
    "one_tracking_for_each_day_and_book": (TrackingFactory, {}),
}
