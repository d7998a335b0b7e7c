"""Bodies: small, plain, JSON, and of one meaning."""

from typing import IO, Any

from rest_framework.exceptions import APIException, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from trading.domain import strict_json

MAX_BODY_BYTES = 16 * 1024


class BodyTooLarge(APIException):
    """Nothing that is asked for here needs so many bytes."""

    status_code = 413
    default_detail = f"at most {MAX_BODY_BYTES} bytes"
    default_code = "BODY_TOO_LARGE"


class Body(dict[str, object]):
    """A parsed body that remembers its bytes: they are a signal's identity."""

    raw: bytes = b""


class StrictJsonParser(BaseParser):
    """`trading.domain.strict_json` in REST framework's place."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], _: str | None = None, __: Any = None) -> Body:
        """The body.

        Raises:
            BodyTooLarge: if it is longer than anything asked for.
            Malformed, AmbiguousBody: if it isn't JSON, or could be read in two ways.
        """
        if stream.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":  # type: ignore[attr-defined]  # the request itself
            raise UnsupportedMediaType("an encoded body")
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise BodyTooLarge
        body = Body(strict_json.parse(raw))
        body.raw = raw
        return body
