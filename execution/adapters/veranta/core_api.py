"""The venue's core service: new levels for positions."""

from http import HTTPStatus

import httpx
from django.conf import settings

from execution.adapters.veranta import typed_intents
from execution.domain.levels import LevelsIntent, LevelsRefused
from trading.domain.errors import Unavailable

_TIMEOUT_SECONDS = 5.0


def put_levels(intent: LevelsIntent, signature: str) -> None:
    """Hand the venue's operator a signed intent; its event tells when it is done.

    Raises:
        LevelsRefused: if the venue refuses it.
        Unavailable: if it doesn't answer; what it does then is unknown, and harmless.
    """
    level = "sl" if intent.levels.stop_loss is not None else "tp"
    place = f"global-{level}-{intent.trader}-{intent.pair_index}-{intent.venue_index}"
    said = {"userIntent": "0x" + typed_intents.encoded(intent).hex(), "signedMessage": signature}
    try:
        answer = httpx.put(f"{settings.VERANTA_CORE_API_URL}/price-triggers/{place}", json=said, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise Unavailable("the venue's core service doesn't answer", error=type(error).__name__) from None
    if answer.is_client_error and answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        raise LevelsRefused("the venue refuses the levels", status=answer.status_code)
    if not answer.is_success:
        raise Unavailable("the venue's core service takes nothing now", status=answer.status_code)
