"""`POST /hooks/tv/{token}`: TradingView's alerts, JSON or text.

TradingView can't sign: the token in the path is the proof. It sends `text/plain` where the text isn't JSON,
gives up after three seconds and never sends a 4xx again.
"""

import re

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from trading import clock
from trading.api import door
from trading.domain.signal import SignalRequest
from trading.domain.tradingview import alert
from trading.services import proofs, signals
from trading.services.proofs import Proven

_TEXT = re.compile(r'(application/json|text/plain)[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE | re.ASCII)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, token: str) -> JsonResponse:
    """Take one alert and answer what became of it."""

    def work() -> signals.Acceptance | None:
        raw = door.body(request, types=_TEXT, advice="send application/json or text/plain")
        proven = proofs.prove_token(token, at=clock.now())
        if proven is None:
            raise door.unproven()
        return door.accepted(raw, proven, read=lambda: _read(raw, proven))

    return door.answered(work)


def _read(raw: bytes, proven: Proven) -> tuple[SignalRequest | None, str]:
    said = alert.parse(raw)
    # A path may be seen on its way where a body isn't: who puts a token into the body as well is held to it.
    if said.secret and not proofs.is_token_of(proven.source, said.secret, at=proven.at):
        raise door.unproven()
    if alert.is_heartbeat(said):
        return None, said.kept
    accounts = proven.source.allowed_accounts
    wanted = alert.read(said, source=proven.source.name, account=accounts[0] if len(accounts) == 1 else None)
    return wanted, said.kept
