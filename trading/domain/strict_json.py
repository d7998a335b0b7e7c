"""JSON as it should have been: one meaning for each text, no surprises, bounded work.

Numbers stay as they were written (`Number`), so that no parser's rounding and no
exponent with a million digits can reach us.
"""

import json
import re
from typing import NoReturn

from trading.domain.errors import Invalid

MAX_DEPTH = 8
# A string without its end counts as one too, or the search would start again at each quote in it:
# seconds of work for 16 KiB.
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(byte for byte in range(256) if byte not in _STEPS)


class Malformed(Invalid):
    """The body isn't JSON as we take it; `position` is the byte or character at which it went wrong."""

    code = "BODY_MALFORMED"


class AmbiguousBody(Invalid):
    """The body is JSON that two readers could read differently."""

    code = "BODY_AMBIGUOUS"


class Number(str):
    """A JSON number, as written."""

    __slots__ = ()


def parse(raw: bytes) -> dict[str, object]:
    """The object that a body holds, numbers as `Number`.

    Raises:
        Malformed: if it isn't UTF-8, isn't JSON, or isn't an object.
        AmbiguousBody: if a key occurs twice, it nests deeper than MAX_DEPTH, or holds NaN or Infinity.
    """
    text = _decoded(raw)
    _check_depth(raw)
    try:
        body = json.loads(text, object_pairs_hook=_unique, parse_int=Number, parse_float=Number, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise Malformed(f"not JSON at position {error.pos}", position=error.pos) from None
    if not isinstance(body, dict):
        raise Malformed("not a JSON object", position=0)
    return body


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at position {error.start}", position=error.start) from None


def _check_depth(raw: bytes) -> None:
    # Before the parser runs: it recurses, and a deep body would exhaust its stack.
    depth = 0
    for bracket in _STRINGS.sub(b"", raw).translate(None, _OTHERS):
        depth += _STEPS[bracket]
        if depth > MAX_DEPTH:
            raise AmbiguousBody(f"nested deeper than {MAX_DEPTH}")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise AmbiguousBody("a key occurs twice")
    return body


def _refuse(_: str) -> NoReturn:
    raise AmbiguousBody("NaN and Infinity are not numbers here")
