"""What breaks a constraint; and what the tables of the book refuse: positions, fills, guards, venue orders."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import models

from tests.factories.execution import LevelUpdateFactory, VenueOrderFactory
from tests.factories.paper import PaperFlowFactory
from tests.factories.reconciliation import DifferenceFactory
from tests.factories.trading import FillFactory, FiringFactory, PositionFactory, PositionLevelFactory, ProtectionFactory


@dataclass(frozen=True)
class Breach:
    """A change in raw SQL that a constraint must refuse."""

    constraint: str
    make: Callable[[], models.Model]
    change: str


def of(constraint: str, make: Callable[[], models.Model], *changes: str) -> list[Breach]:
    return [Breach(constraint, make, change) for change in changes]


OF_THE_BOOK = [
    *of("position_book_is_known", PositionFactory, "book = 'BOTH'"),
    *of("position_direction_is_known", PositionFactory, "direction = 'UP'"),
    *of(
        "position_is_closed_exactly_when_nothing_is_left",
        PositionFactory,
        "collateral_usdc = 0",
        "closed_at = now()",
        "status = 'CLOSED'",
        "status = 'CLOSED', closed_at = now()",
        "status = 'CLOSED', collateral_usdc = 0",
        "collateral_usdc = -1",
    ),
    *of("fill_kind_is_known", FillFactory, "kind = 'GIFT'"),
    *of(
        "fill_is_the_sum_of_its_parts",
        FillFactory,
        "price_pnl_usdc = 1",
        "realised_pnl_usdc = 1",
        "rollover_usdc = 1, realised_pnl_usdc = 1",
        "kind = 'CLOSE', price_pnl_usdc = 4, fee_usdc = 1, rollover_usdc = 1, funding_usdc = -1, realised_pnl_usdc = 2",
    ),
    *of("position_origin_is_known", PositionFactory, "origin = 'FOUND'"),
    *of("difference_kind_is_known", DifferenceFactory, "kind = 'ODD'"),
    *of(
        "difference_is_dated_as_its_state_says",
        DifferenceFactory,
        "state = 'CONFIRMED'",
        "confirmed_at = now()",
        "resolved_at = now()",
        "state = 'RESOLVED'",
        "state = 'LIMBO'",
    ),
    *of("paper_flow_kind_is_known", PaperFlowFactory, "kind = 'GIFT'"),
    *of("paper_flow_is_of_something", PaperFlowFactory, "amount_usdc = -1"),
    *of(
        "fill_says_what_is_left_exactly_when_it_resizes",
        FillFactory,
        "held_usdc = 50",
        "entry_price = 60000",
        "kind = 'INCREASE'",
        "kind = 'MARGIN', held_usdc = 50",
    ),
    *of("position_level_is_known", PositionLevelFactory, "level = 'MOON'"),
    *of("venue_order_status_is_known", VenueOrderFactory, "status = 'LOST'"),
    *of("venue_order_kind_is_known", VenueOrderFactory, "kind = 'GIFT'"),
    *of("venue_order_direction_is_known", VenueOrderFactory, "direction = 'UP'"),
    *of(
        "only_a_limit_has_no_number",
        VenueOrderFactory,
        "venue_order_id = NULL",
        "kind = 'LIMIT', venue_index = 0",
        "kind = 'LIMIT', venue_order_id = NULL",
    ),
    *of(
        "venue_order_has_ended_exactly_when_its_state_says_so",
        VenueOrderFactory,
        "status = 'FILLED'",
        "status = 'FILLED', ended_in_block = '0x1'",
        "ended_at = now()",
    ),
    *of("protection_direction_is_known", ProtectionFactory, "direction = 'UP'"),
    *of(
        "protection_has_a_stop_exactly_with_its_reason",
        ProtectionFactory,
        "stop_price = NULL",
        "stop_reason = ''",
        "stop_reason = 'WHIM'",
    ),
    *of("protection_was_replaced_by_somebody", ProtectionFactory, "replaced_at = now()", "replaced_by = 'tom'"),
    *of("firing_cause_is_known", FiringFactory, "cause = 'WHIM'"),
    *of("firing_fate_is_known", FiringFactory, "fate = 'LOST'"),
    *of("firing_closes_some_of_it", FiringFactory, "reduce_usdc = 0", "reduce_usdc = -1"),
    *of(
        "firing_is_tried_again_exactly_when_it_came_to_nothing",
        FiringFactory,
        "retry_at = now()",
        "fate = 'UNFILLED'",
    ),
    *of("level_update_status_is_known", LevelUpdateFactory, "status = 'LOST'"),
    *of("level_update_is_set_exactly_in_a_block", LevelUpdateFactory, "status = 'SET'", "set_in_block = '0x1'"),
]
