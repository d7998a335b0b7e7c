"""A signal's way into its table, in one statement."""

from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from trading.models import prepared

if TYPE_CHECKING:
    from trading.models.signal import Signal

# Found by the statement itself.
_FOUND = ("trader_id", "market_id", "book")
# What it asks for is looked up as it is now, and written only where all of it was found: nobody else's
# transaction fits in between, and nothing needs to be remembered.
_STATEMENT = """
    WITH said AS (
        SELECT * FROM jsonb_populate_record(NULL::signals, %(row)s::jsonb)
    ), named AS (
        SELECT positions.trader_id, positions.market_id, symbol, positions.book
        FROM said JOIN positions ON positions.id = said.position_id JOIN markets ON markets.id = positions.market_id
        JOIN traders ON traders.id = positions.trader_id AND NOT traders.is_leader
        UNION ALL
        SELECT traders.id, markets.id, symbol, NULL
        FROM said
        LEFT JOIN traders ON traders.tg_user_id = %(tg_user_id)s::bigint AND traders.is_enabled
        LEFT JOIN markets ON markets.symbol = %(symbol)s::text AND markets.is_listed
        WHERE said.position_id IS NULL
    ), wanted AS (
        SELECT CASE
            WHEN configured = 'LIVE' AND %(may_be_live)s::boolean AND (confirmed_by <> '' OR NOT %(needs_two)s::boolean)
            THEN 'LIVE' ELSE 'PAPER'
        END AS book
        FROM mode_state WHERE id = 1
    ), placed AS (
        SELECT named.trader_id, named.market_id, named.symbol, CASE
            WHEN said.is_test THEN 'PAPER'
            WHEN named.book IS NOT NULL THEN named.book
            ELSE coalesce(
                -- An exit belongs to the book in which there is something to close, the wanted one first.
                (
                    SELECT positions.book FROM positions
                    WHERE NOT %(is_entry)s::boolean AND status = 'OPEN'
                        AND positions.trader_id = named.trader_id AND positions.market_id = named.market_id
                    ORDER BY positions.book = wanted.book DESC LIMIT 1
                ),
                wanted.book
            )
        END AS book
        FROM said CROSS JOIN named CROSS JOIN wanted
    ), added AS (
        INSERT INTO signals (trader_id, market_id, book, {columns})
        SELECT placed.trader_id, placed.market_id, placed.book, {values} FROM placed CROSS JOIN said
        WHERE placed.trader_id IS NOT NULL AND placed.market_id IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING id, intent_key, trace_id, side, book, received_at
    ), told AS (
        INSERT INTO journal (kind, subject, trace_id, facts, at)
        SELECT %(kind)s, 'signal:' || id, trace_id,
            jsonb_build_object('intent_key', intent_key, 'side', side, 'symbol', symbol, 'book', added.book), received_at
        FROM added CROSS JOIN placed
    )
    SELECT trader_id, market_id, symbol, book, (SELECT id FROM added) FROM placed
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is looked up while a signal is added, and what the journal calls it."""

    tg_user_id: int
    symbol: str
    # Whether the environment allows LIVE, and whether a wish for it needs a second person.
    may_be_live: bool
    needs_two: bool
    is_entry: bool
    kind: str


class Missing(StrEnum):
    """What there is not, so that nothing was added."""

    POSITION = "POSITION"
    TRADER = "TRADER"
    MARKET = "MARKET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """Where a signal belongs, and its number; None: one of its identity was there."""

    trader_id: int
    market_id: int
    symbol: str
    book: str
    pk: int | None


def add(signal: "Signal", wish: Wish) -> Added | Missing:
    """Insert a signal and its event, unless one of its identity is there."""
    said = {name: value for name in _columns(type(signal)) if (value := getattr(signal, name)) is not None}
    given = {name: prepared.text(getattr(wish, name)) for name in _ASKED} | {"row": prepared.text(said)}
    found = prepared.rows(_statement(type(signal)), given)
    return _added(*found[0]) if found else Missing.POSITION


def _added(trader_id: int | None, market_id: int | None, symbol: str, book: str, pk: int | None) -> Added | Missing:
    if trader_id is None:
        return Missing.TRADER
    if market_id is None:
        return Missing.MARKET
    return Added(trader_id=trader_id, market_id=market_id, symbol=symbol, book=book, pk=pk)


_ASKED = tuple(field.name for field in fields(Wish))


@cache
def _columns(model: "type[Signal]") -> tuple[str, ...]:
    """The columns that a signal says itself."""
    own = (field.attname for field in model._meta.concrete_fields if not field.primary_key)
    return tuple(name for name in own if name not in _FOUND)


@cache
def _statement(model: "type[Signal]") -> str:
    columns = _columns(model)
    return _STATEMENT.format(columns=", ".join(columns), values=", ".join(f"said.{name}" for name in columns))
