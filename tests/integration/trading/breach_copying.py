"""Breaches of what copying rests on."""

from tests.factories.trading import LeaderFactory, TraderFactory
from tests.integration.trading.breach import of

OF_COPYING = [
    *of("trader_has_a_telegram_id_unless_it_leads", TraderFactory, "tg_user_id = NULL", "is_leader = true"),
    *of("trader_has_a_telegram_id_unless_it_leads", LeaderFactory, "tg_user_id = 7", "is_leader = false"),
]
