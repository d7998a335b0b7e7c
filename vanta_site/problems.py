"""Errors as answers: RFC 9457 documents with our codes, from one table."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from trading.api.parsing import MAX_BODY_BYTES, BodyTooLarge
from trading.api.positions import KeyMissing
from trading.domain.errors import Conflict, Denied, Invalid, Unavailable, VantaError
from trading.domain.form import FormError
from trading.domain.strict_json import Malformed

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"

NOT_FOUND = "NOT_FOUND"
# Errors of ours, and a database that is gone; any other is a mistake, and goes its way.
KNOWN = (VantaError, OperationalError, InterfaceError)

# What the caller can do → the status that says so. The first that fits.
STATUS: tuple[tuple[type[VantaError], HTTPStatus], ...] = (
    (Malformed, HTTPStatus.BAD_REQUEST),
    (KeyMissing, HTTPStatus.BAD_REQUEST),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Denied, HTTPStatus.FORBIDDEN),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)
# The framework's own errors in our words; its words may repeat what was sent. Both kinds of failed authentication are one.
FRAMEWORK: tuple[tuple[type[Exception], str, str], ...] = (
    (exceptions.NotAuthenticated, "TOKEN_INVALID", "send a good token"),
    (exceptions.AuthenticationFailed, "TOKEN_INVALID", "send a good token"),
    (exceptions.PermissionDenied, "FORBIDDEN", "not from there"),
    (exceptions.NotFound, NOT_FOUND, "there is nothing here"),
    (Http404, NOT_FOUND, "there is nothing here"),
    (exceptions.MethodNotAllowed, "METHOD_NOT_ALLOWED", "see Allow"),
    (exceptions.NotAcceptable, "NOT_ACCEPTABLE", "only application/json is spoken here"),
    (exceptions.UnsupportedMediaType, "CONTENT_TYPE_UNSUPPORTED", "send application/json, as it is"),
    (exceptions.Throttled, "TOO_MANY_REQUESTS", "see Retry-After"),
    (BodyTooLarge, "BODY_TOO_LARGE", f"at most {MAX_BODY_BYTES} bytes"),
)
# By the framework's code of a field's error.
FIELD = {"required": ("FIELD_MISSING", "missing"), "null": ("FIELD_INVALID", "must not be null")}
MEANINGS = {
    400: "The body isn't JSON (`BODY_MALFORMED`), or the request isn't named (`IDEMPOTENCY_KEY_MISSING`).",
    401: "No good token, and no login (`TOKEN_INVALID`).",
    403: "The caller's roles, or the token's scopes, don't allow it (`NOT_ALLOWED`).",
    404: "There is no such row, or none that the caller sees (`NOT_FOUND`).",
    406: "Only JSON is answered (`NOT_ACCEPTABLE`).",
    409: "Things stand otherwise: look again. The code says how.",
    413: "The body is too large (`BODY_TOO_LARGE`).",
    415: "Only plain JSON is read (`CONTENT_TYPE_UNSUPPORTED`).",
    422: "A field is missing, unknown or wrong. The code and `field` say which.",
    429: "The token called too often (`TOO_MANY_REQUESTS`): see Retry-After.",
    503: "Something that is needed doesn't answer: send it again (`DATABASE_UNAVAILABLE`, `UNAVAILABLE`).",
}


def status_of(error: VantaError) -> HTTPStatus:
    """The status of an error of ours; one of no known kind is our own fault."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def document(*, status: HTTPStatus, code: str, detail: str, **more: object) -> dict[str, Any]:
    """A problem as RFC 9457 writes it, with `code` and `message` for our own clients."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "code": code}
    return {**problem, "message": detail, **more}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler: every error that somebody can cause is a problem document."""
    problem = _known(error) if isinstance(error, KNOWN) else _of_field(error)
    if problem is not None:
        return Response(problem, status=problem["status"], content_type=CONTENT_TYPE)
    response: Response | None = exception_handler(error, context)
    if response is not None:
        # Its headers stay: what to authenticate with, what is allowed, when to come back.
        response.data, response.content_type = _of_framework(error), CONTENT_TYPE
    return response


class ProblemMiddleware:
    """Answers for plain views what `answer` does for REST framework's, and nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> JsonResponse | None:
        """A problem document for an error that we know; any other goes its way."""
        return answer_plainly(error) if isinstance(error, KNOWN) else None


def answer_plainly(error: VantaError | OperationalError | InterfaceError) -> JsonResponse:
    """The problem document of an error that we know."""
    problem = _known(error)
    return JsonResponse(problem, status=problem["status"], content_type=CONTENT_TYPE)


def _known(error: VantaError | OperationalError | InterfaceError) -> dict[str, Any]:
    if isinstance(error, VantaError):
        code = error.form_code if isinstance(error, FormError) else error.code
        log.warning("request.refused", code=code, **error.facts)
        return document(status=status_of(error), code=code, detail=error.message, **_named(error))
    log.error("request.database_unavailable", error=type(error).__name__)
    unavailable = HTTPStatus.SERVICE_UNAVAILABLE
    return document(status=unavailable, code=DATABASE_UNAVAILABLE, detail="the database doesn't answer; send it again")


def _named(error: VantaError) -> dict[str, object]:
    """Which field, or which place; of the other facts nothing is told."""
    return {name: error.facts[name] for name in ("field", "position") if name in error.facts}


def _of_field(error: Exception) -> dict[str, Any] | None:
    """The first field that a form refused. What was said there isn't repeated."""
    if not isinstance(error, exceptions.ValidationError):
        return None
    codes: Any = error.get_codes()
    field, found = next(iter(codes.items())) if isinstance(codes, dict) else ("", codes)
    code, message = FIELD.get(str(found[0]), ("FIELD_INVALID", "not valid: the schema says what is"))
    return document(status=HTTPStatus.UNPROCESSABLE_ENTITY, code=code, detail=message, field=field)


def _of_framework(error: Exception) -> dict[str, Any]:
    kind, code, detail = next((row for row in FRAMEWORK if isinstance(error, row[0])), (Exception, "REFUSED", "refused"))
    status = HTTPStatus.NOT_FOUND if kind is Http404 else HTTPStatus(getattr(error, "status_code", HTTPStatus.BAD_REQUEST))
    return document(status=status, code=code, detail=detail)
