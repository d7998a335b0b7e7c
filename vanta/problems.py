"""What can go wrong between a program and the desk, by what the program can do about it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any


class Problem(Exception):
    """The desk didn't do what was asked; `code` is stable (docs of the API), `exit_code` is the command line's."""

    exit_code = 1

    def __init__(self, message: str, *, code: str, status: int = 0, field: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.field = code, status, field

    def __str__(self) -> str:
        where = f" ({self.field})" if self.field else ""
        return f"{self.args[0]}{where} [{self.code}]"


class Refused(Problem):
    """The desk understood, and said no: sending the same again changes nothing."""

    exit_code = 1


class Unrecognized(Problem):
    """The token isn't good, or not for this."""

    exit_code = 3


class Silent(Problem):
    """Nobody answered, or not now. Whether it was done isn't known: send the same again, under the same id."""

    exit_code = 4


class Unknown(Problem):
    """There is no such row, or none that this token sees."""

    exit_code = 5


_KINDS: tuple[tuple[frozenset[int], type[Problem]], ...] = (
    (frozenset({401, 403}), Unrecognized),
    (frozenset({404}), Unknown),
    (frozenset({429, 500, 502, 503, 504}), Silent),
)


def of_answer(status: int, document: Mapping[str, Any]) -> Problem:
    """The problem that an answer tells."""
    kind = next((kind for statuses, kind in _KINDS if status in statuses), Refused)
    message = str(document.get("message") or HTTPStatus(status).phrase)
    return kind(message, code=str(document.get("code", "")), status=status, field=str(document.get("field") or ""))
