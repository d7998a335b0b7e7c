"""One round of the desk's stages, as its tasks would run them."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import QuerySet

from execution.adapters.accounts import DeskAccounts
from execution.desk import Desk
from execution.services import indexing, orders, senders
from risk.models import Leg
from risk.services import decisions
from tests.chaos.crew import Round
from trading.domain import signal_form, strict_json
from trading.models import Signal, Source
from trading.services import signals

Stage = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """Works rounds with one set of adapters."""

    desk: Desk

    def __call__(self, told: Round) -> list[str]:
        """Work a round; what each stage that failed said. The others go on: so do the tasks."""
        return [said for stage in self._stages(told) if (said := _said(stage))]

    def _stages(self, told: Round) -> Iterator[Stage]:
        def clock() -> datetime:
            return told.now

        yield from (partial(accept, raw, told.now) for raw in told.bodies)
        for trader_id in _due(Signal.objects.filter(next_action_at__lte=told.now), told.lanes.traders):
            yield partial(
                decisions.drain, trader_id=trader_id, switch=self.desk.switch, accounts=DeskAccounts(self.desk), clock=clock
            )
        for trader_id in _due(Leg.objects.due(at=told.now).order_by(), told.lanes.traders):
            yield partial(orders.take_in, trader_id=trader_id, at=told.now)
        for sender_id in told.lanes.senders:
            yield partial(senders.drain, sender_id=sender_id, desk=self.desk, clock=clock)
        yield partial(indexing.drain, desk=self.desk, clock=clock)


def accept(raw: bytes, at: datetime) -> None:
    """What the door does with an authentic body."""
    request = signal_form.read(strict_json.parse(raw))
    signals.accept(request=request, raw=raw, source=Source.objects.get(name=Source.DEFAULT), at=at)


def _due(rows: QuerySet[Any], traders: Sequence[int]) -> list[int]:
    # Asked when the stage before is over: it made them due.
    due = set(rows.filter(trader_id__in=traders).values_list("trader_id", flat=True))
    return [key for key in traders if key in due]


def _said(stage: Stage) -> str:
    try:
        stage()
    except Exception:  # noqa: BLE001 - as a task's failure: it is noted, and the sweep comes again
        return traceback.format_exc()
    return ""
