"""A lifecycle's table as PostgreSQL's own rule: unknown states, illegal moves and odd births are refused there too."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import pgtrigger
from django.db import models
from pgtrigger.core import Trigger

from trading.domain.lifecycle import Lifecycle


class LifecycleTrigger(Trigger):
    """Refuses an insert in a state that isn't initial, and an update that the table doesn't have."""

    when = pgtrigger.Before

    def __init__(self, *, lifecycle: Lifecycle[Any], field: str = "status") -> None:
        self._lifecycle = lifecycle
        self._field = field
        super().__init__(name=f"{lifecycle.name}_moves_by_its_table", operation=pgtrigger.Insert | pgtrigger.UpdateOf(field))

    def get_func(self, model: Any) -> str:
        """The function's body, written from the table."""
        column = model._meta.get_field(self._field).column
        pairs = [f"{source}>{target}" for source, following in self._lifecycle.moves.items() for target in following]
        return f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.{column} NOT IN ({_quoted(self._lifecycle.initial)}) THEN
                    RAISE EXCEPTION 'a {self._lifecycle.name} is not born %', NEW.{column} USING ERRCODE = 'check_violation';
                END IF;
            ELSIF NEW.{column} <> OLD.{column} AND OLD.{column} || '>' || NEW.{column} NOT IN ({_quoted(pairs)}) THEN
                RAISE EXCEPTION 'a {self._lifecycle.name} can not go from % to %', OLD.{column}, NEW.{column}
                    USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words) or "''"


def append_only(name: str) -> Trigger:
    """A trigger for a ledger: its rows are neither changed nor deleted."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


def never_deleted() -> Trigger:
    """A trigger for rows that may move on but never vanish."""
    return pgtrigger.Protect(name="is_never_deleted", operation=pgtrigger.Delete)


def known_states(lifecycle: Lifecycle[Any], *, field: str = "status") -> models.CheckConstraint:
    """A constraint that knows the table's states."""
    return models.CheckConstraint(
        name=f"{lifecycle.name}_status_is_known", condition=models.Q(**{f"{field}__in": [str(s) for s in lifecycle.states]})
    )


def known_words(name: str, words: type[StrEnum], *, field: str) -> models.CheckConstraint:
    """A constraint that knows an enum's words."""
    return models.CheckConstraint(name=name, condition=models.Q(**{f"{field}__in": [str(word) for word in words]}))


def choices(words: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """An enum's words for Django's `choices`."""
    return [(str(word), str(word)) for word in words]
