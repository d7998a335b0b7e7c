"""What to paste into a TradingView alert, for a strategy or for an indicator, in either form."""

import json

_SIZE = {"type": "risk_pct", "value": "0.5"}
_COMMON = {"ts": "{{timenow}}", "symbol": "{{ticker}}", "price": "{{close}}"}
_LEVELS = {"leverage": "5", "sl": {"type": "pct", "value": "1.0"}, "tp": [{"type": "rr", "value": "2"}]}

# A strategy's alert fires for each of its orders: where it stands afterwards decides what is done.
STRATEGY: dict[str, object] = {
    "id": "{{ticker}}-{{interval}}-{{strategy.order.id}}-{{strategy.order.action}}-{{timenow}}",
    **_COMMON,
    "action": "{{strategy.order.action}}",
    "market_position": "{{strategy.market_position}}",
    "prev_market_position": "{{strategy.prev_market_position}}",
    "position_size": "{{strategy.position_size}}",
    "contracts": "{{strategy.order.contracts}}",
    "size": _SIZE,
    **_LEVELS,
    "test": False,
}
# An indicator's alert says what to do: long, short, close, close_long, close_short, reduce, add, reverse, flat, cancel.
INDICATOR: dict[str, object] = {
    "id": "{{ticker}}-{{interval}}-long-{{timenow}}",
    **_COMMON,
    "action": "long",
    "size": _SIZE,
    **_LEVELS,
    "test": False,
}


def as_json(template: dict[str, object], *, account: int | None) -> str:
    """The message to paste. `account`: whose, where the source trades for more than one."""
    whose = {} if account is None else {"tg_user_id": account}
    return json.dumps({**template, **whose}, indent=1)


def as_text(template: dict[str, object], *, account: int | None) -> str:
    """The same in one line of pairs."""
    whose = {} if account is None else {"tg_user_id": account}
    return ";".join(f"{name}={_short(value)}" for name, value in {**template, **whose}.items())


def _short(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return ":".join(str(part) for part in value.values())
        case list():
            return ",".join(_short(each) for each in value)
        case _:
            return str(value)
