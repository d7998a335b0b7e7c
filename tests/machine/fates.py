"""What can happen to a worker at one of its failpoints: it dies, it is rung again, or it sleeps while another one takes over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.db import connection

from trading import failpoints, kinds


class Fate(StrEnum):
    """What happens there."""

    DIES = "the process is gone; what wasn't committed never was"
    IS_RUNG = "the same task comes a second time, while this one runs"
    SLEEPS = "it sleeps longer than its lease, another one does the work, and it wakes"


class Killed(BaseException):
    """The process is gone: nobody catches it."""


class Moment:
    """The n-th failpoint from here on; `act` is called there, once. Where a transaction is open it waits if it must."""

    def __init__(self, number: int, act: Callable[[], None], *, is_anywhere: bool) -> None:
        self._left = number
        self._act = act
        self._is_anywhere = is_anywhere

    def __call__(self, point: str) -> None:
        """Hear of a failpoint."""
        if not self._is_anywhere and kinds.is_in_transaction():
            return
        self._left -= 1
        if self._left == 0:
            self._act()


@contextmanager
def dying_at(number: int) -> Iterator[None]:
    """Let this process die at a failpoint: from then on nothing of it reaches the database, not even to tidy up.

    Raises:
        Killed: if it comes that far.
    """
    grave = _Grave()
    with connection.execute_wrapper(grave), failpoints.listening(Moment(number, grave.lie_down, is_anywhere=True)):
        yield


@contextmanager
def interrupted_at(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Let something else happen at a failpoint outside of transactions."""
    with failpoints.listening(Moment(number, act, is_anywhere=False)):
        yield


class _Grave:
    """A database connection's owner, alive until it lies down."""

    def __init__(self) -> None:
        self._is_dead = False

    def lie_down(self) -> None:
        self._is_dead = True
        raise Killed

    def __call__(self, execute: Callable[..., Any], *statement: Any) -> Any:
        if self._is_dead:
            raise Killed
        return execute(*statement)
