"""The kinds of function, told apart by their decorator.

write      opens one transaction and commits once; raises when called inside another
statement  a write that is one statement, of which PostgreSQL makes a transaction: no BEGIN and no COMMIT to wait for
piece      part of a write: raises unless a transaction is open
step       durable: no transaction is open before or after it; it asks the outside and calls writes
ask        an adapter's call to the outside: raises while a transaction is open

So no network call can sit inside a transaction, and no write can hide inside another. On each side of a
write's commit and of an ask stands a failpoint.
(The distinction is kraken-tech's django-subatomic's; that package needs a newer Python.)
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

from trading import failpoints

P = ParamSpec("P")
R = TypeVar("R")

# The ranks of the row locks that the open transaction holds (`trading.locks`).
held_locks: ContextVar[tuple[int, ...]] = ContextVar("held_locks", default=())


class WrongKind(RuntimeError):
    """A function was called with a transaction open that must not be, or without one that must."""


def is_in_transaction() -> bool:
    """Whether a transaction of ours is open; the one that Django's TestCase wraps around a test doesn't count."""
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def write(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one transaction of its own."""
    point = failpoints.name_of(function)

    @wraps(function)
    def in_one_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        token = held_locks.set(())
        try:
            with transaction.atomic(durable=True):
                result = function(*args, **kwargs)
                failpoints.reach(point, "before commit")
        finally:
            held_locks.reset(token)
        failpoints.reach(point, "committed")
        return result

    return in_one_transaction


def statement(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one statement: all of it is stored, or nothing, by the time it is answered.

    "Before commit" comes before it, since a process that ends in the middle leaves what one leaves that never asked.
    """
    point = failpoints.name_of(function)

    @wraps(function)
    def in_one_statement(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_in_transaction(function.__qualname__)
        failpoints.reach(point, "before commit")
        result = function(*args, **kwargs)
        failpoints.reach(point, "committed")
        return result

    return in_one_statement


def piece(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a part of somebody's write."""

    @wraps(function)
    def in_a_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        if not is_in_transaction():
            raise WrongKind(f"{function.__qualname__} is a piece of a write: call it inside one")
        return function(*args, **kwargs)

    return in_a_transaction


def step(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one that may ask the outside."""

    @wraps(function)
    def without_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_in_transaction(function.__qualname__)
        result = function(*args, **kwargs)
        refuse_in_transaction(function.__qualname__)
        return result

    return without_transaction


def ask(function: Callable[P, R]) -> Callable[P, R]:
    """Make an adapter's function one that talks to the outside."""
    point = failpoints.name_of(function)

    @wraps(function)
    def outside_of_transactions(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_in_transaction(function.__qualname__)
        failpoints.reach(point, "asked")
        result = function(*args, **kwargs)
        failpoints.reach(point, "answered")
        return result

    return outside_of_transactions


def refuse_in_transaction(who: str) -> None:
    """Pass if no transaction is open.

    Raises:
        WrongKind: if one is.
    """
    if is_in_transaction():
        raise WrongKind(f"{who} talks to the outside: no transaction may be open")
