"""`GET /signals/{intent_key}`: where a signal stands, for its source and for the desk's own people."""

from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils.encoding import escape_uri_path
from django.views.decorators.http import require_GET

from execution import selectors
from execution.models import TxIntent, TxReceipt, TxSend
from execution.selectors import OrderStanding
from risk.models import Decision
from trading.api import proving
from trading.domain.people import Act, may
from trading.domain.signal import source_of
from trading.models import Fill, Signal
from trading.selectors import Moment
from trading.services import people

Json = dict[str, Any]


@require_GET
def show(request: HttpRequest, intent_key: str) -> JsonResponse:
    """A signal's journey, decimals as strings.

    The key is taken as it was sent, since it holds percent signs of its own; one that was
    encoded once more on its way is found too.
    """
    path = _raw_path(request)
    keys = (path.rpartition("/")[2], intent_key)
    seen = _seen(request, path=path, keys=keys)
    if seen is None:
        return _refused(HTTPStatus.UNAUTHORIZED, "SIGNATURE_INVALID", "the signature doesn't match")
    signal = _first(keys, seen)
    if signal is None:
        return _refused(HTTPStatus.NOT_FOUND, "SIGNAL_UNKNOWN", "there is no such signal")
    return JsonResponse(document(selectors.journey(signal)))


def document(journey: selectors.Journey) -> Json:
    """The journey as JSON."""
    signal = journey.signal
    return {
        "intent_key": signal.intent_key,
        "state": journey.stage,
        "book": signal.book,
        "trace_id": signal.trace_id,
        "received_at": signal.received_at.isoformat(),
        "timeline": [_moment(moment) for moment in journey.timeline],
        "decision": None if journey.decision is None else _decision(journey.decision),
        "orders": [_order(standing) for standing in journey.orders],
    }


def _raw_path(request: HttpRequest) -> str:
    """The path as the client sent and signed it; gunicorn keeps it, other servers have it escaped again."""
    raw: str = request.META.get("RAW_URI") or escape_uri_path(request.path)
    return raw.partition("?")[0]


def _seen(request: HttpRequest, *, path: str, keys: tuple[str, ...]) -> QuerySet[Signal] | None:
    """The signals that a caller may ask for: the desk's people all, a source its own; None: nobody's caller."""
    if may(people.of_user(request.user), Act.SEE):
        return Signal.objects.all()
    names = {name for name in map(source_of, keys) if name}
    proven = proving.prove(request, message=path.encode(), names=names)
    return None if proven is None else Signal.objects.filter(source=proven.source)


def _first(keys: tuple[str, ...], seen: QuerySet[Signal]) -> Signal | None:
    by_key = {signal.intent_key: signal for signal in seen.filter(intent_key__in=keys)}
    return next((by_key[key] for key in keys if key in by_key), None)


def _refused(status: HTTPStatus, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)


def _moment(moment: Moment) -> Json:
    return {"event": moment.event, "at": moment.at.isoformat(), "ms": moment.ms, "detail": moment.facts}


def _decision(decision: Decision) -> Json:
    checks = [
        {
            "code": check["code"],
            "value": check["value"],
            "limit": check["limit"],
            "verdict": "pass" if check["passed"] else "fail",
        }
        for check in decision.checks
    ]
    return {"verdict": decision.verdict, "code": decision.code, "message": decision.message, "checks": checks}


def _order(standing: OrderStanding) -> Json:
    order = standing.order
    return {
        "action": order.action,
        "side": order.direction,
        "status": order.status,
        "reason": order.reason,
        "market": order.market.symbol,
        "collateral_usdc": str(order.collateral_usdc),
        "leverage_x": str(order.leverage_x),
        "position_id": order.position_id,
        "fills": [_fill(fill) for fill in standing.fills],
        "intent": _intent(standing.intent),
    }


def _fill(fill: Fill) -> Json:
    return {
        "kind": fill.kind,
        "price": str(fill.price),
        "collateral_usdc": str(fill.collateral_usdc),
        "fee_usdc": str(fill.fee_usdc),
        "rollover_usdc": str(fill.rollover_usdc),
        "funding_usdc": str(fill.funding_usdc),
        "price_pnl_usdc": str(fill.price_pnl_usdc),
        "payout_usdc": str(fill.payout_usdc),
        "realised_pnl_usdc": str(fill.realised_pnl_usdc),
        "tx_hash": fill.tx_hash,
    }


def _intent(intent: TxIntent) -> Json:
    return {
        "intent_key": intent.intent_key,
        "status": intent.status,
        "nonce": intent.nonce,
        "failure_code": intent.failure_code,
        "blocked_reason": intent.blocked_reason,
        "sends": [_send(send) for send in intent.sends.all()],
    }


def _send(send: TxSend) -> Json:
    return {
        "seq": send.seq,
        "purpose": send.purpose,
        "tx_hash": send.tx_hash,
        "state": send.state,
        "fee_cap_wei": str(send.fee_cap_wei),
        "receipts": [_receipt(receipt) for receipt in send.receipts.all()],
    }


def _receipt(receipt: TxReceipt) -> Json:
    return {
        "block_number": receipt.block_number,
        "is_success": receipt.is_success,
        "is_canonical": receipt.is_canonical,
    }
