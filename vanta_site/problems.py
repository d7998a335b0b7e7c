"""Errors as answers: RFC 9457 documents with our codes, from one table."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.response import Response
from rest_framework.views import exception_handler

from trading.domain.errors import Conflict, Denied, Invalid, Unavailable, VantaError

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"

# What the caller can do → the status that says so.
STATUS: tuple[tuple[type[VantaError], HTTPStatus], ...] = (
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Conflict, HTTPStatus.CONFLICT),
    (Denied, HTTPStatus.FORBIDDEN),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(error: VantaError) -> HTTPStatus:
    """The status of an error of ours; one of no known kind is our own fault."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def document(*, status: HTTPStatus, code: str, detail: str) -> dict[str, Any]:
    """A problem as RFC 9457 writes it, with `code` and `message` for our own clients."""
    return {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "code": code, "message": detail}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's handler: our errors by the table, the framework's own as it would."""
    problem = _problem(error)
    if problem is not None:
        return Response(problem, status=problem["status"], content_type=CONTENT_TYPE)
    response: Response | None = exception_handler(error, context)
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
        problem = _problem(error)
        return None if problem is None else JsonResponse(problem, status=problem["status"], content_type=CONTENT_TYPE)


def _problem(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, VantaError):
        log.warning("request.refused", code=error.code, **error.facts)
        return document(status=status_of(error), code=error.code, detail=error.message)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("request.database_unavailable", error=type(error).__name__)
        unavailable = HTTPStatus.SERVICE_UNAVAILABLE
        return document(status=unavailable, code=DATABASE_UNAVAILABLE, detail="the database doesn't answer; send it again")
    return None
