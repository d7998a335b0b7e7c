"""The doors for signals, past what only people need: sessions, forms, messages, files, a dozen counters for each page."""

from collections.abc import Awaitable, Callable

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import resolve

from vanta_site import problems

# What Django's types say of every layer; nothing here is ever awaited.
Answer = HttpResponseBase | Awaitable[HttpResponseBase]
DOORS = ("/signals", "/hooks/tv/")


class ShortPath:
    """Takes a signal to its door, with the same answers, headers and checks of the host as on the whole path."""

    def __init__(self, get_response: Callable[[HttpRequest], Answer]) -> None:
        self._whole = get_response
        self._short = _layered()

    def __call__(self, request: HttpRequest) -> Answer:
        """Answer a request."""
        return self._short(request) if is_door(request.path_info) else self._whole(request)


def is_door(path: str) -> bool:
    """Whether signals come in at a path; what is below `/signals/` is for people too."""
    return path == DOORS[0] or path.startswith(DOORS[1])


def _layered() -> Callable[[HttpRequest], Answer]:
    """The door's few layers, from the inside out; each answers for what the one within raises, as Django's own do."""
    path: Callable[[HttpRequest], Answer] = convert_exception_to_response(_view)
    for layer in (XFrameOptionsMiddleware, CommonMiddleware, SecurityMiddleware):
        path = convert_exception_to_response(layer(path))
    return path


def _view(request: HttpRequest) -> HttpResponse:
    match = request.resolver_match = resolve(request.path_info)
    try:
        found: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except problems.KNOWN as error:
        return problems.answer_plainly(error)
    return found
