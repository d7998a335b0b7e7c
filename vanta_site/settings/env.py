"""Reads the environment once, typed; a bad value stops the start and names its variable.

Every variable that the site reads passes through `read`, so `read.names` is the full list,
and a test holds `.env.example` to it.
"""

from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent.parent

# The process's environment wins over `.env`: read_env never overwrites what is set.
environ.Env.read_env(ROOT / ".env")


T = TypeVar("T")


class _Required:
    """Marks a variable without a default."""


REQUIRED = _Required()


def _flag(raw: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if raw.lower() not in known:
        raise ValueError("must be true or false")
    return known[raw.lower()]


def _decimal(raw: str) -> Decimal:
    try:
        number = Decimal(raw)
    except InvalidOperation:
        raise ValueError("must be a decimal number") from None
    if not number.is_finite():
        raise ValueError("must be a finite number")
    return number


def _pairs(raw: str) -> dict[str, str]:
    parts = [part.strip().partition("=") for part in raw.split(",") if part.strip()]
    if not all(name and value for name, _, value in parts):
        raise ValueError("must be NAME=VALUE pairs")
    return {name: value for name, _, value in parts}


def _items(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _whole(raw: str) -> int:
    try:
        return int(raw)
    except ValueError:
        raise ValueError("must be whole numbers") from None


class Environment:
    """Typed access to variables; remembers the name of each that was asked for."""

    def __init__(self, source: environ.Env) -> None:
        self._source = source
        self.names: set[str] = set()

    def text(self, name: str, default: str | _Required = REQUIRED, *, example: str = "") -> str:
        """The variable as it stands."""
        return self._typed(name, default, str, example or "some text")

    def flag(self, name: str, default: bool) -> bool:  # noqa: FBT001 - the value itself
        """The variable as true or false."""
        return self._typed(name, default, _flag, "true")

    def whole(self, name: str, default: int) -> int:
        """The variable as an integer."""
        return self._typed(name, default, lambda raw: int(raw), str(default))

    def decimal(self, name: str, default: str) -> Decimal:
        """The variable as an exact decimal."""
        return self._typed(name, Decimal(default), _decimal, default)

    def items(self, name: str, default: tuple[str, ...] = (), *, example: str = "a,b") -> tuple[str, ...]:
        """The variable split at its commas."""
        return self._typed(name, default, _items, example)

    def wholes(self, name: str, *, example: str = "1,2") -> tuple[int, ...]:
        """The variable split at its commas, each part an integer."""
        return self._typed(name, (), lambda raw: tuple(_whole(part) for part in _items(raw)), example)

    def pairs(self, name: str, default: tuple[str, ...] = (), *, example: str) -> dict[str, str]:
        """The variable as names with a value each: `A=1,B=2`."""
        return self._typed(name, _pairs(",".join(default)), _pairs, example)

    def choices(self, name: str, options: Collection[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """The variable as some of a few words, in its order."""

        def some_of(raw: str) -> tuple[str, ...]:
            words = tuple(dict.fromkeys(part.strip() for part in raw.split(",") if part.strip()))
            if not words or not set(words) <= set(options):
                raise ValueError(f"must be some of {', '.join(options)}")
            return words

        return self._typed(name, default, some_of, ",".join(default))

    def choice(self, name: str, options: tuple[str, ...], default: str) -> str:
        """The variable as one of a few words."""

        def one_of(raw: str) -> str:
            if raw not in options:
                raise ValueError(f"must be one of {', '.join(options)}")
            return raw

        return self._typed(name, default, one_of, options[0])

    def is_set(self, name: str) -> bool:
        """Whether somebody gave the variable a value."""
        self.names.add(name)
        return bool(self._source.ENVIRON.get(name))

    def _typed(self, name: str, default: T | _Required, convert: Callable[[str], T], example: str) -> T:
        self.names.add(name)
        raw = self._source.ENVIRON.get(name, "")
        if raw == "":
            return self._default(name, default, example)
        try:
            return convert(raw)
        except ValueError as error:
            # The value itself may be a secret: only the variable's name is shown.
            raise ImproperlyConfigured(f"{name}: {error}; for example {name}={example}") from None

    @staticmethod
    def _default(name: str, default: T | _Required, example: str) -> T:
        if isinstance(default, _Required):
            raise ImproperlyConfigured(f"{name} is not set; for example {name}={example}")
        return default


read = Environment(environ.Env())
