"""What a request's values may be, and how amounts are written: strict, so that what the schema says is what is taken.

Each field says itself what it is in OpenAPI (`json_schema`).
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from rest_framework import serializers

from trading.domain.strict_json import Number
from trading.domain.units import Quantity

INT64 = 2**63 - 1
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
# Everything that a person can type in one line, and something in it that can be seen.
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$"
# Halves of characters, which JSON can escape and PostgreSQL can't keep.
_HALF = re.compile("[\ud800-\udfff]")
_DAY = re.compile(r"(19|20)\d{2}-\d{2}-\d{2}", re.ASCII)
_DIGITS = r"(0|[1-9][0-9]{0,11})"

Json = dict[str, Any]


class Strict(serializers.Field[Any, Any, Any, Any]):
    """A value of a body or of a query."""

    default_error_messages = {"invalid": "not valid"}

    @property
    def json_schema(self) -> Json:
        """What it is in OpenAPI."""
        raise NotImplementedError

    def to_representation(self, value: Any) -> Any:
        """As it is: a form only reads."""
        return value


class Line(Strict):
    """Text of one line that isn't blank."""

    def __init__(self, *, max_length: int, pattern: str = _LINE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._max_length, self._pattern = max_length, pattern
        # `$` alone would let a line's end pass.
        self._written = re.compile(pattern.removeprefix("^").removesuffix("$"))

    @property
    def json_schema(self) -> Json:
        """A string of a pattern."""
        return {"type": "string", "minLength": 1, "maxLength": self._max_length, "pattern": self._pattern}

    def to_internal_value(self, data: Any) -> str:
        """The text."""
        if not isinstance(data, str) or isinstance(data, Number):
            self.fail("invalid")
        if len(data) > self._max_length or _HALF.search(data) or not self._written.fullmatch(data):
            self.fail("invalid")
        return str(data)


class Word(Strict):
    """One of a few words."""

    def __init__(self, words: Iterable[StrEnum], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._words = {str(word): word for word in words}

    @property
    def json_schema(self) -> Json:
        """An enumeration."""
        return {"type": "string", "enum": list(self._words)}

    def to_internal_value(self, data: Any) -> StrEnum:
        """The word."""
        if not isinstance(data, str) or isinstance(data, Number) or data not in self._words:
            self.fail("invalid")
        return self._words[data]


class Typed(Strict):
    """The word that is typed out before what can't be taken back."""

    def __init__(self, word: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._word = word

    @property
    def json_schema(self) -> Json:
        """An enumeration of one."""
        return {"type": "string", "enum": [self._word]}

    def to_internal_value(self, data: Any) -> str:
        """Exactly the word."""
        if data != self._word:
            self.fail("invalid")
        return self._word


class Whole(Strict):
    """A whole number, at most of 63 bits."""

    def __init__(self, *, min_value: int = 0, max_value: int = INT64, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._min, self._max = min_value, max_value

    @property
    def json_schema(self) -> Json:
        """An integer of a range."""
        return {"type": "integer", "minimum": self._min, "maximum": self._max, "format": "int64"}

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not isinstance(data, Number) or not _WHOLE.fullmatch(data) or not self._min <= int(data) <= self._max:
            self.fail("invalid")
        return int(data)


class Flag(Strict):
    """True or false."""

    @property
    def json_schema(self) -> Json:
        """A boolean."""
        return {"type": "boolean"}

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class WrittenFlag(Flag):
    """True or false, in a query."""

    def to_internal_value(self, data: Any) -> bool:
        """The flag."""
        if data not in ("true", "false"):
            self.fail("invalid")
        return bool(data == "true")


class Amount(Strict):
    """A decimal of one unit, as a string or a number: above zero, or within the bounds that are given."""

    def __init__(self, unit: type[Quantity], *, least: str = "", most: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._unit = unit
        self._least = unit.of(least) if least else unit.from_raw(1)
        self._most = unit.of(most) if most else None

    @property
    def json_schema(self) -> Json:
        """A string of digits, or a number."""
        number: Json = {"type": "number", "minimum": float(self._least.decimal)}
        if self._most is not None:
            number["maximum"] = float(self._most.decimal)
        return {"anyOf": [{"type": "string", "pattern": f"^{self._pattern}$"}, number]}

    def to_internal_value(self, data: Any) -> Quantity:
        """The quantity."""
        if not isinstance(data, str) or not re.fullmatch(self._pattern, data, re.ASCII):
            self.fail("invalid")
        amount = self._unit.of(data)
        if amount < self._least or (self._most is not None and amount > self._most):
            self.fail("invalid")
        return amount

    @property
    def _pattern(self) -> str:
        sign = "-?" if self._least < self._unit.zero() else ""
        return rf"{sign}{_DIGITS}(\.[0-9]{{1,{self._unit.SCALE}}})?"


class Moment(Strict):
    """An instant, RFC 3339 with its offset."""

    @property
    def json_schema(self) -> Json:
        """A date and time."""
        return {"type": "string", "format": "date-time"}

    def to_internal_value(self, data: Any) -> datetime:
        """The instant, in UTC."""
        if not isinstance(data, str) or not _MOMENT.fullmatch(data):
            self.fail("invalid")
        try:
            return datetime.fromisoformat(data.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail("invalid")


class CalendarDay(Strict):
    """A date."""

    @property
    def json_schema(self) -> Json:
        """A date."""
        return {"type": "string", "format": "date"}

    def to_internal_value(self, data: Any) -> date:
        """The date."""
        if not isinstance(data, str) or not _DAY.fullmatch(data):
            self.fail("invalid")
        try:
            return date.fromisoformat(data)
        except ValueError:
            self.fail("invalid")


class Plain(serializers.Field[Any, Any, Any, Any]):
    """A quantity as a person writes it, in a string: no reader's float touches it."""

    json_schema = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "example": "12.5"}

    def to_representation(self, value: Any) -> str:
        """The number."""
        return str(value)
