"""The closed form of `POST /signals`: a parsed body in, a `SignalRequest` out, or the first thing wrong with it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trading.domain import form
from trading.domain.form import FormError
from trading.domain.protection import plain
from trading.domain.signal import PLAIN_SIDES, Side, SignalRequest
from trading.domain.units import Leverage, Percent, Price, Usdc


def read(body: Mapping[str, object]) -> SignalRequest:
    """The request that a body makes.

    Raises:
        FormError: for the first field that is wrong, in the order of the documentation.
    """
    _refuse_unknown(body)
    side = Side(form.one_of(body, "side", PLAIN_SIDES))
    form.check_meta(body.get("meta", {}))
    return SignalRequest(
        source=form.text(body, "source", limit=64),
        signal_id=form.text(body, "signal_id", limit=128),
        tg_user_id=form.integer(body, "tg_user_id"),
        symbol=form.symbol(body),
        side=side,
        slippage=form.slippage(body),
        price=form.optional(body, "price", form.positive(Price)),
        signaled_at=form.optional(body, "ts", form.moment),
        **(_exit_fields(body) if side is Side.CLOSE else _entry_fields(body)),
    )


_ENTRY_FIELDS = ("collateral_usdc", "leverage_x", "time_stop_minutes")
_EXIT_FIELDS = ("reduce_usdc", "reduce_pct")
_FIELDS = frozenset(
    (
        *(
            "source",
            "signal_id",
            "tg_user_id",
            "symbol",
            "side",
            "slippage_pct",
            "price",
            "take_profit",
            "stop_loss",
            "ts",
            "meta",
        ),
        *_ENTRY_FIELDS,
        *_EXIT_FIELDS,
    )
)


def _refuse_unknown(body: Mapping[str, object]) -> None:
    if body.keys() - _FIELDS:
        raise FormError("a field that this form doesn't have", field="", code="FIELD_UNKNOWN")


def _entry_fields(body: Mapping[str, object]) -> dict[str, Any]:
    _refuse_fields(body, _EXIT_FIELDS, "only for CLOSE")
    leverage = form.positive(Leverage)(body, "leverage_x")
    return {"collateral": form.positive(Usdc)(body, "collateral_usdc"), "leverage": leverage, **_guarded(body)}


def _guarded(body: Mapping[str, object]) -> dict[str, Any]:
    """The two plain prices, or a whole guard where there is more to say."""
    prices = _prices(body)
    span = form.optional(body, "time_stop_minutes", form.minutes)
    return prices if span is None else {"protection": replace(plain(**prices), time_stop=span)}


def _prices(body: Mapping[str, object]) -> dict[str, Price | None]:
    return {name: form.optional(body, name, form.positive(Price)) for name in ("take_profit", "stop_loss")}


def _exit_fields(body: Mapping[str, object]) -> dict[str, Any]:
    _refuse_fields(body, _ENTRY_FIELDS, "only for LONG and SHORT")
    if all(name in body for name in _EXIT_FIELDS):
        raise FormError("either reduce_usdc or reduce_pct", field="reduce_pct")
    return {
        "reduce": form.optional(body, "reduce_usdc", form.positive(Usdc)),
        "reduce_share": form.optional(body, "reduce_pct", form.positive(Percent)),
        **_prices(body),
    }


def _refuse_fields(body: Mapping[str, object], names: tuple[str, ...], why: str) -> None:
    for name in names:
        if name in body:
            raise FormError(why, field=name)
