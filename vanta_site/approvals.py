"""The Approvals page: what waits for a person's word, with the price that it would meet, and the two answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from trading import clock, selectors
from trading.domain import people as roles
from trading.domain import protection
from trading.domain.errors import VantaError
from trading.domain.people import Act, Person
from trading.domain.price import PriceView
from trading.domain.signal import SizeKind
from trading.models import Signal
from trading.services import approvals, people

NOTHING = "–"
# What is older has expired, or is about to.
MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One signal that waits, in the words of the page."""

    signal: Signal
    seconds_left: int
    size: str
    guard: str
    price_now: str
    may_answer: bool


class AnswerForm(forms.Form):
    """Which signal, which word, and why."""

    signal = forms.IntegerField(min_value=1)
    word = forms.ChoiceField(choices=[("grant", "Approve"), ("decline", "Decline")])
    reason = forms.CharField(max_length=500)


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Show what waits, the oldest first, or take one answer and show it again."""
    if request.method == "POST":
        _answer(request)
        return HttpResponseRedirect(request.path)
    context = {
        **admin.site.each_context(request),
        "title": "Approvals",
        "waiting": _waiting(people.of_user(request.user), now=clock.now()),
    }
    return TemplateResponse(request, "vanta/approvals.html", context)


def _answer(request: HttpRequest) -> None:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
        return
    said = form.cleaned_data
    speak = {"grant": approvals.grant, "decline": approvals.decline}[said["word"]]
    try:
        signal = speak(signal_id=said["signal"], person=people.of_user(request.user), reason=said["reason"], at=clock.now())
    except VantaError as error:
        messages.error(request, f"{error.message} ({error.code})")
    else:
        messages.success(request, f"Answered: {signal.intent_key} is {signal.status}.")


def _waiting(person: Person, *, now: datetime) -> list[Waiting]:
    found = Signal.objects.awaiting().filter(expires_at__gte=now).select_related("source", "trader", "market")
    signals = list(found[:MOST])
    views = selectors.price_views(now=now, symbols=_symbols(signals))
    return [_line(signal, views.get(signal.market.symbol), person=person, now=now) for signal in signals]


def _symbols(signals: Iterable[Signal]) -> set[str]:
    return {signal.market.symbol for signal in signals}


def _line(signal: Signal, view: PriceView | None, *, person: Person, now: datetime) -> Waiting:
    left = (signal.expires_at or now) - now
    return Waiting(
        signal=signal,
        seconds_left=left // timedelta(seconds=1),
        size=_size(signal),
        guard=_guard(signal),
        price_now=str(view.agreed.price) if view and view.agreed else NOTHING,
        may_answer=roles.may(person, Act.TRADE, account=signal.trader.account),
    )


def _size(signal: Signal) -> str:
    if signal.collateral_usdc:
        return f"{signal.collateral_usdc} USDC"
    return f"{signal.size_pct}% of {_OF[SizeKind(signal.size_kind)]}"


_OF = {
    SizeKind.RISK_PCT: "the equity at risk",
    SizeKind.BALANCE_PCT: "the free balance",
    SizeKind.EQUITY_PCT: "the equity",
}


def _guard(signal: Signal) -> str:
    """Its stop and targets, as it says them."""
    if signal.protection is None:
        said = {"stop": signal.stop_loss, "target": signal.take_profit}
        return ", ".join(f"{name} {price}" for name, price in said.items() if price) or NOTHING
    guard = protection.of_json(signal.protection)
    levels = [("stop", guard.stop), *(("target", each.level) for each in guard.targets)]
    return ", ".join(f"{name} {level}" for name, level in levels if level is not None)
