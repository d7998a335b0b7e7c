"""The state machines as rows: how to make one, and which columns fit which state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from bots.domain import channel, delivery
from bots.domain.channel import ChannelStatus
from bots.domain.delivery import DeliveryStatus
from bots.models import Channel, Delivery
from execution.domain import intent, order
from execution.domain.intent import IntentStatus
from execution.models import Order, TxIntent
from risk.domain import copying, flatten
from risk.domain.copying import CopyStatus
from risk.domain.flatten import FlattenStatus
from risk.models import Copy, Flatten
from tests.factories import NOW
from tests.factories.bots import ChannelFactory, DeliveryFactory
from tests.factories.copying import CopyFactory
from tests.factories.execution import OrderFactory, TxIntentFactory
from tests.factories.risk import FlattenFactory
from tests.factories.trading import PositionFactory, SignalFactory
from trading.domain import position, signal
from trading.domain.lifecycle import Lifecycle
from trading.domain.position import PositionStatus
from trading.domain.signal import SignalStatus
from trading.models import Position, Signal

Columns = dict[str, Any]


@dataclass(frozen=True)
class Machine:
    """One table, its lifecycle, and the other columns that each state's constraints ask for."""

    model: type[models.Model]
    lifecycle: Lifecycle[Any]
    make: Callable[..., models.Model]
    columns: Callable[[Any], Columns]

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def trigger(self) -> str:
        (found,) = [each for each in self.model._meta.triggers if each.name.endswith("_moves_by_its_table")]
        return found.get_pgid(self.model)


def _signal(state: SignalStatus) -> Columns:
    is_waiting = state in (SignalStatus.AWAITING, SignalStatus.RECEIVED)
    return {"decided_at": None if is_waiting else NOW, "next_action_at": NOW if is_waiting else None}


def _position(state: PositionStatus) -> Columns:
    is_open = state is PositionStatus.OPEN
    return {"closed_at": None if is_open else NOW, "collateral_usdc": 50 if is_open else 0}


def _order(state: order.OrderStatus) -> Columns:
    return {"ended_at": NOW if state in order.ENDED else None}


def _intent(state: IntentStatus) -> Columns:
    is_over = state in intent.LIFECYCLE.terminal
    columns: Columns = {"closed_at": NOW if is_over else None, "next_action_at": None if is_over else NOW}
    if state in intent.WITH_NONCE:
        columns |= {"nonce": 7, "reserved_at": NOW}
    if state is IntentStatus.SENT:
        # Proven to be used by something else: what is sent may be given up so, and not otherwise.
        columns |= {"blocked_reason": intent.Blocked.NONCE, "doubted_at_block": 1}
    if state in intent.WITHOUT_NONCE:
        columns |= {"nonce": None, "reserved_at": None}
    return columns


def _flatten(state: FlattenStatus) -> Columns:
    is_running = state is FlattenStatus.RUNNING
    return {"ended_at": None if is_running else NOW, "next_action_at": NOW if is_running else None}


def _channel(state: ChannelStatus) -> Columns:
    return {"status_reason": "" if state is ChannelStatus.ACTIVE else "a drill"}


def _delivery(state: DeliveryStatus) -> Columns:
    is_owed = state is DeliveryStatus.PENDING
    return {"ended_at": None if is_owed else NOW, "next_action_at": NOW if is_owed else None, "delivered_at": NOW}


def _copy(state: CopyStatus) -> Columns:
    is_waiting = state in (CopyStatus.OWED, CopyStatus.PLANNED)
    columns: Columns = {"ended_at": None if is_waiting else NOW, "next_action_at": NOW if is_waiting else None}
    return columns | {"reason": "STALE" if state is CopyStatus.SKIPPED else ""}


MACHINES = {
    "copy": Machine(Copy, copying.LIFECYCLE, CopyFactory, _copy),
    "channel": Machine(Channel, channel.LIFECYCLE, ChannelFactory, _channel),
    "delivery": Machine(Delivery, delivery.LIFECYCLE, DeliveryFactory, _delivery),
    "flatten": Machine(Flatten, flatten.LIFECYCLE, FlattenFactory, _flatten),
    "signal": Machine(Signal, signal.LIFECYCLE, SignalFactory, _signal),
    "position": Machine(Position, position.LIFECYCLE, PositionFactory, _position),
    "order": Machine(Order, order.LIFECYCLE, OrderFactory, _order),
    "intent": Machine(TxIntent, intent.LIFECYCLE, TxIntentFactory, _intent),
}


def force(machine: Machine, row: models.Model, state: Any) -> None:
    """Say to PostgreSQL itself that the row is in a state, with all that belongs to it."""
    columns = {"status": str(state)} | machine.columns(state)
    said = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {machine.table} SET {said} WHERE id = %s", [*columns.values(), row.pk])


def row_in(machine: Machine, state: Any) -> models.Model:
    """A row that came to a state by legal moves only."""
    birth, *moves = way_to(machine.lifecycle, state)
    row = machine.make() if birth == machine.lifecycle.initial[0] else machine.make(status=birth)
    for each in moves:
        force(machine, row, each)
    return row


def way_to(lifecycle: Lifecycle[Any], state: Any) -> list[Any]:
    """The shortest way from a birth to a state, both told."""
    ways: dict[Any, list[Any]] = {initial: [initial] for initial in lifecycle.initial}
    for reached in (growing := list(ways)):
        for following in lifecycle.moves[reached]:
            if following not in ways:
                ways[following] = [*ways[reached], following]
                growing.append(following)
    return ways[state]


def state_of(machine: Machine, row: models.Model) -> str:
    """What PostgreSQL holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT status FROM {machine.table} WHERE id = %s", [row.pk])
        return str(cursor.fetchone()[0])
