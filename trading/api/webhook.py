"""`POST /signals`: size, authentication, strict parse, closed form, then one write.

No chain, no RPC and no price source is asked here, and nothing of the input is reflected.
"""

import re

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from trading.api import door, proving
from trading.domain import proof, signal_form, strict_json
from trading.domain.signal import SignalRequest
from trading.services import signals
from trading.services.proofs import Proven

_JSON = re.compile(r'application/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?', re.IGNORECASE | re.ASCII)


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> JsonResponse:
    """Take one signal and answer what became of it."""

    def work() -> signals.Acceptance | None:
        raw = door.body(request, types=_JSON, advice="send application/json")
        proven = _proven(request, raw)
        return door.accepted(raw, proven, read=lambda: (_read(raw, proven), None))

    return door.answered(work)


def _proven(request: HttpRequest, raw: bytes) -> Proven:
    """Who sent a body. Nothing in it is believed yet: a name only says whose secrets are tried."""
    proven = proving.prove(request, message=raw, names=proof.named(raw))
    if proven is None:
        raise door.unproven()
    return proven


def _read(raw: bytes, proven: Proven) -> SignalRequest:
    wanted = signal_form.read(strict_json.parse(raw))
    # A name that belongs to somebody else is answered like a bad signature: it says nothing about who exists.
    if not proven.speaks_for(wanted.source):
        raise door.unproven()
    return wanted
