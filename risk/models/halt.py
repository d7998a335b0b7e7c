"""Trading states that somebody set."""

from typing import Self

from django.db import models
from django.db.models import Q

from risk.domain.halt import HaltScope, StateHeld, TradingState
from risk.models.bounded import Bounded, BoundedQuerySet, bounds
from trading.models.lifecycle import choices, known_words, never_deleted

_STATES = (TradingState.REDUCING, TradingState.HALTED)


class HaltQuerySet(BoundedQuerySet["Halt"]):
    """Trading states, asked for in our words."""

    def meeting(self, *, tg_user_id: int) -> Self:
        """Those that an account's signals may meet."""
        return self.filter(~Q(scope=HaltScope.USER) | Q(key=str(tg_user_id)))


class Halt(Bounded):
    """A trading state other than ACTIVE of one scope, for as long as it holds."""

    scope = models.CharField(max_length=8, choices=choices(HaltScope))
    # The symbol, the source's name or the Telegram id; empty for GLOBAL.
    key = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=8, choices=choices(_STATES))

    objects = HaltQuerySet.as_manager()

    class Meta:
        db_table = "halts"
        constraints = [
            models.UniqueConstraint(name="one_halt_for_each_scope", fields=["scope", "key"], condition=Q(ended_at=None)),
            known_words("halt_scope_is_known", HaltScope, field="scope"),
            models.CheckConstraint(name="halt_state_is_known", condition=Q(state__in=[str(state) for state in _STATES])),
            models.CheckConstraint(
                name="halt_names_whom_its_scope_needs",
                condition=Q(scope=HaltScope.GLOBAL, key="") | (~Q(scope=HaltScope.GLOBAL) & ~Q(key="")),
            ),
            *bounds("halt"),
        ]
        triggers = [never_deleted()]

    def __str__(self) -> str:
        return f"{self.scope} {self.key} {self.state}".replace("  ", " ")

    def as_held(self) -> StateHeld:
        """The row in the domain's words."""
        return StateHeld(
            state=TradingState(self.state),
            scope=HaltScope(self.scope),
            key=self.key,
            reason=self.reason,
            set_by=self.placed_by,
            since=self.since,
            until=self.until,
        )
