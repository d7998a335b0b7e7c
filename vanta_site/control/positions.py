"""The acts on one position: close it, move its stop to breakeven, attach a stop; each says before what will happen."""

import json
from datetime import datetime

from django import forms

from risk.services import protections
from trading.domain import guarding
from trading.domain.people import Act
from trading.domain.position import Direction
from trading.domain.protection import AtPrice, Protection
from trading.domain.signal import Side, SignalRequest
from trading.domain.units import NotExact, Price
from trading.kinds import step, write
from trading.models import Position, Source
from trading.models import Protection as ProtectionRow
from trading.services import audit, signals
from vanta_site.control import forecast
from vanta_site.control.acts import ControlAct, Needed, Said, Word
from vanta_site.standing import Standing

# Whose signals a hand's closes are.
SOURCE = "console"


class PositionForm(forms.Form):
    """One open position, by its number."""

    position = forms.IntegerField(min_value=1)

    def clean_position(self) -> Position:
        """The position, if there is something left of it."""
        open_ones = Position.objects.open().ours().select_related("trader", "market")
        found = open_ones.filter(pk=self.cleaned_data["position"]).first()
        if found is None:
            raise forms.ValidationError("No open position has this number.")
        return found


class StopForm(PositionForm):
    """A position, and where it stops."""

    stop = forms.CharField(max_length=24, help_text="The price at which all of it is closed.")

    def clean_stop(self) -> Price:
        """A price above zero."""
        try:
            price = Price.of(self.cleaned_data["stop"])
        except NotExact as error:
            raise forms.ValidationError(error.message) from None
        if price <= Price.zero():
            raise forms.ValidationError("A price is above zero.")
        return price


def _needs(said: Said, _: datetime) -> Needed:
    return Needed(act=Act.TRADE, account=said["position"].trader.account)


def _called(position: Position) -> str:
    return f"position {position.pk}, {position.book} {position.direction} {position.market.symbol}"


def _guarded(position: Position) -> ProtectionRow | None:
    return ProtectionRow.objects.standing().filter(position=position).first()


def _guards(position: Position) -> str:
    row = _guarded(position)
    if row is None or row.stop_price is None:
        return "No stop of ours guards it now."
    return f"Its stop stands at ${row.stop_price} now ({row.stop_reason})."


def _foresee_close(said: Said, _: Standing, __: datetime) -> forecast.Lines:
    position = said["position"]
    return (
        f"All that is left of {_called(position)} is closed: ${position.collateral_usdc} of collateral at"
        f" {position.leverage_x}x.",
        "A close is a signal like any other; no pause and no limit keeps it. A LIVE one waits while nothing may be signed.",
        "What another close already has under way is left to it.",
    )


@step
def _close(said: Said, by: Word) -> str:
    position: Position = said["position"]
    name = f"close:{position.pk}:{by.at.isoformat()}"
    request = SignalRequest(
        source=SOURCE,
        signal_id=name,
        tg_user_id=position.trader.account,
        symbol=position.market.symbol,
        side=Side.CLOSE,
        position_id=position.pk,
    )
    raw = json.dumps({"source": SOURCE, "signal_id": name, "side": Side.CLOSE, "position": position.pk}).encode()
    _note(position, by=by)
    accepted = signals.accept(request=request, raw=raw, source=Source.objects.get(name=SOURCE), at=by.at)
    return f"A close of {_called(position)} is sent: {accepted.signal.intent_key}."


@write
def _note(position: Position, *, by: Word) -> None:
    audit.record(
        actor=by.person.name,
        action="position.close",
        subject=f"position:{position.pk}",
        before={"collateral_usdc": str(position.collateral_usdc)},
        after={},
        reason=by.reason,
        at=by.at,
    )


def _foresee_breakeven(said: Said, _: Standing, __: datetime) -> forecast.Lines:
    position = said["position"]
    guard = guarding.of(
        Protection(),
        entry=position.entry_price,
        direction=Direction(position.direction),
        cost=position.market.round_trip_pct,
        opened_at=position.opened_at,
    )
    return (
        _guards(position),
        f"It goes to about ${guard.breakeven}: the entry ${guard.entry}, and what both ways cost.",
        "A stop that stands closer stays. It is refused while the price isn't beyond that.",
    )


def _breakeven(said: Said, by: Word) -> str:
    row = protections.to_breakeven(position_id=said["position"].pk, by=_word(by))
    return f"The stop of {_called(said['position'])} stands at ${row.stop_price}."


def _foresee_stop(said: Said, _: Standing, __: datetime) -> forecast.Lines:
    row = _guarded(said["position"])
    kept = "Its targets, its trail and its time stop go: this guard takes their place." if row is not None else ""
    return (
        _guards(said["position"]),
        f"At ${said['stop']} or worse all of {_called(said['position'])} is closed.",
        *([kept] if kept else []),
    )


def _attach(said: Said, by: Word) -> str:
    wanted = Protection(stop=AtPrice(price=said["stop"]))
    row = protections.protect(position_id=said["position"].pk, wanted=wanted, by=_word(by))
    return f"The stop of {_called(said['position'])} stands at ${row.stop_price}."


def _word(by: Word) -> protections.Word:
    return protections.Word(person=by.person, reason=by.reason, at=by.at)


ACTS: dict[str, ControlAct] = {
    "close-position": ControlAct(
        title=lambda said: f"Close {_called(said['position'])}",
        needs=_needs,
        foresee=_foresee_close,
        do=_close,
        form=PositionForm,
        is_dangerous=True,
    ),
    "breakeven": ControlAct(
        title=lambda said: f"Breakeven for {_called(said['position'])}",
        needs=_needs,
        foresee=_foresee_breakeven,
        do=_breakeven,
        form=PositionForm,
    ),
    "attach-stop": ControlAct(
        title=lambda said: f"A stop for {_called(said['position'])}",
        needs=_needs,
        foresee=_foresee_stop,
        do=_attach,
        form=StopForm,
    ),
}
