"""Alerts in both forms: what they mean, and the first thing wrong with those that mean nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trading.domain.form import FormError
from trading.domain.protection import AtMove, AtPrice, AtReward, Protection, Target, Trail
from trading.domain.signal import Side, SignalRequest, Size, SizeKind, Stance
from trading.domain.strict_json import AmbiguousBody, Malformed
from trading.domain.tradingview import alert
from trading.domain.units import Leverage, Multiple, Percent, Price, Usdc

ENTRY = {"size": {"type": "fixed", "value": "100"}, "leverage": "5"}
BASE = {"id": "x-1", "symbol": "BTCUSD"}
FULL = {
    "id": "BTCUSD-15-long-buy-2026-11-20T10:00:00Z",
    "ts": "2026-11-20T10:00:00Z",
    "symbol": "BINANCE:BTCUSDT.P",
    "action": "buy",
    "market_position": "long",
    "prev_market_position": "flat",
    "price": "91000.5",
    "size": {"type": "risk_pct", "value": "0.5"},
    "leverage": "5",
    "sl": {"type": "pct", "value": "1.0"},
    "tp": [{"type": "rr", "value": "1", "close_pct": "50"}, {"type": "rr", "value": "2", "close_pct": "50"}],
    "be_after_tp": 1,
    "trail": {"activate_pct": "1.5", "delta_pct": "0.5"},
    "test": False,
}
TEXT = (
    "id=BTCUSD-15-long-buy-2026-11-20T10:00:00Z;ts=2026-11-20T10:00:00Z;symbol=BINANCE:BTCUSDT.P;action=buy;market_position=long;"
    "prev_market_position=flat;price=91000.5;size=risk_pct:0.5;leverage=5;sl=pct:1.0;tp=rr:1@50,rr:2@50;be_after_tp=1;"
    "trail=1.5:0.5;test=false"
)


def read(body: dict[str, Any] | str, *, account: int | None = 123) -> SignalRequest:
    """The request of an alert of a source `chart`."""
    raw = body if isinstance(body, str) else json.dumps(body)
    return alert.read(alert.parse(raw.encode()), source="chart", account=account)


def refused(body: dict[str, Any] | str, *, account: int | None = 123) -> tuple[str, str]:
    """The code and the field of a refusal."""
    with pytest.raises(FormError) as refusal:
        read(body, account=account)
    return refusal.value.form_code, refusal.value.field


def test_a_whole_alert_says_everything() -> None:
    assert read(FULL) == SignalRequest(
        source="chart",
        signal_id="BTCUSD-15-long-buy-2026-11-20T10:00:00Z",
        tg_user_id=123,
        symbol="BTC-USD",
        side=Side.LONG,
        stance=Stance.REACH,
        size=Size(kind=SizeKind.RISK_PCT, share=Percent.of("0.5")),
        leverage=Leverage.of(5),
        price=Price.of("91000.5"),
        protection=Protection(
            stop=AtMove(share=Percent.of(1)),
            targets=tuple(Target(level=AtReward(multiple=Multiple.of(times)), close_share=Percent.of(50)) for times in (1, 2)),
            breakeven_after=1,
            trail=Trail(activate=Percent.of("1.5"), distance=Percent.of("0.5")),
        ),
        signaled_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
    )


def test_the_text_form_means_the_same() -> None:
    assert read(TEXT) == read(FULL)


@pytest.mark.parametrize(
    ("action", "side", "stance", "closes"),
    [
        ("long", Side.LONG, Stance.ANOTHER, None),
        ("buy", Side.LONG, Stance.ANOTHER, None),
        ("short", Side.SHORT, Stance.ANOTHER, None),
        ("sell", Side.SHORT, Stance.ANOTHER, None),
        ("add", Side.SAME, Stance.ANOTHER, None),
        ("reverse", Side.OPPOSITE, Stance.REACH, None),
        ("close", Side.CLOSE, Stance.ANOTHER, None),
        ("flat", Side.CLOSE, Stance.ANOTHER, None),
        ("close_long", Side.CLOSE, Stance.ANOTHER, Side.LONG),
        ("close_short", Side.CLOSE, Stance.ANOTHER, Side.SHORT),
        ("cancel", Side.CANCEL, Stance.ANOTHER, None),
    ],
)
def test_each_action_has_one_meaning(action: str, side: Side, stance: Stance, closes: Side | None) -> None:
    found = read(BASE | ENTRY | {"action": action})

    assert (found.side, found.stance, found.closes, found.reduce_share) == (side, stance, closes, None)
    assert (found.leverage is not None) is found.is_entry


def test_a_reduction_says_how_much() -> None:
    found = read(BASE | {"action": "reduce", "reduce_pct": "25"})

    assert (found.side, found.reduce_share) == (Side.CLOSE, Percent.of(25))
    assert refused(BASE | {"action": "reduce"}) == ("FIELD_MISSING", "reduce_pct")


# Where a strategy stood and stands, and its order → what is to be done.
STRATEGY = [
    ("flat", "long", "buy", Side.LONG, Stance.REACH, None),
    ("flat", "short", "sell", Side.SHORT, Stance.REACH, None),
    ("long", "short", "sell", Side.SHORT, Stance.REACH, None),
    ("short", "long", "buy", Side.LONG, Stance.REACH, None),
    ("long", "flat", "sell", Side.CLOSE, Stance.ANOTHER, None),
    ("short", "flat", "buy", Side.CLOSE, Stance.ANOTHER, None),
    ("long", "long", "buy", Side.LONG, Stance.GROW, None),
    ("short", "short", "sell", Side.SHORT, Stance.GROW, None),
    ("long", "long", "sell", Side.CLOSE, Stance.ANOTHER, Side.LONG),
    ("short", "short", "buy", Side.CLOSE, Stance.ANOTHER, Side.SHORT),
]


@pytest.mark.parametrize(("stood", "stands", "action", "side", "stance", "closes"), STRATEGY)
def test_where_a_strategy_stands_decides(
    stood: str, stands: str, action: str, side: Side, stance: Stance, closes: Side | None
) -> None:
    moved = {"prev_market_position": stood, "market_position": stands, "contracts": "1", "position_size": "3"}

    found = read(BASE | ENTRY | moved | {"action": action})

    assert (found.side, found.stance, found.closes) == (side, stance, closes)
    assert found.reduce_share == (Percent.of(25) if closes else None)


def test_without_an_action_the_position_alone_decides() -> None:
    assert (read(BASE | ENTRY | {"market_position": "short"}).side, read(BASE | {"market_position": "flat"}).side) == (
        Side.SHORT,
        Side.CLOSE,
    )


@pytest.mark.parametrize("action", ["close", "add", "cancel", "close_long"])
def test_an_action_of_our_own_is_stronger_than_the_position(action: str) -> None:
    body = BASE | ENTRY | {"action": action}

    assert read(body | {"market_position": "short"}) == read(body)


def test_a_strategy_that_sold_some_says_how_much_or_is_refused() -> None:
    sold = BASE | {"action": "sell", "prev_market_position": "long", "market_position": "long"}

    assert read(sold | {"reduce_pct": "10"}).reduce_share == Percent.of(10)
    assert read(sold | {"contracts": "0.5", "position_size": "-1.5"}).reduce_share == Percent.of(25)
    assert refused(sold) == ("FIELD_MISSING", "contracts")


@pytest.mark.parametrize(
    ("ticker", "symbol"),
    [
        ("BTCUSD", "BTC-USD"),
        ("btcusd", "BTC-USD"),
        ("BTC-USD", "BTC-USD"),
        ("BTC/USDT", "BTC-USD"),
        ("BTCUSDT", "BTC-USD"),
        ("ETHUSDC", "ETH-USD"),
        ("BYBIT:SOLUSDT.P", "SOL-USD"),
        ("COINBASE:ETHUSD", "ETH-USD"),
    ],
)
def test_a_chart_has_a_market(ticker: str, symbol: str) -> None:
    assert read(BASE | {"symbol": ticker, "action": "close"}).symbol == symbol


@pytest.mark.parametrize("ticker", ["BTCEUR", "BTC", "", "USD", "ＢＴＣUSD", "BTCUSD.X", "A:B:BTCUSD", "BTCUSD\n"])
def test_a_chart_that_we_do_not_know_has_none(ticker: str) -> None:
    assert refused(BASE | {"symbol": ticker, "action": "close"}) == ("SYMBOL_UNKNOWN", "symbol")


@pytest.mark.parametrize(
    ("size", "collateral", "share"),
    [
        (("fixed", "250.5"), Usdc.of("250.5"), None),
        (("balance_pct", "10"), None, Size(kind=SizeKind.BALANCE_PCT, share=Percent.of(10))),
        (("risk_pct", "0.5"), None, Size(kind=SizeKind.RISK_PCT, share=Percent.of("0.5"))),
    ],
)
def test_each_size_has_its_unit(size: tuple[str, str], collateral: Usdc | None, share: Size | None) -> None:
    found = read(BASE | ENTRY | {"action": "long", "size": dict(zip(("type", "value"), size, strict=True))})

    assert (found.collateral, found.size) == (collateral, share)


def test_plain_prices_are_plain_and_everything_else_is_a_guard() -> None:
    levels = {"sl": {"type": "price", "value": "90"}, "tp": [{"type": "price", "value": "110"}]}
    plain = read(BASE | ENTRY | levels | {"action": "long"})
    moving = read(BASE | ENTRY | levels | {"action": "long", "sl": {"type": "pct", "value": "1"}})
    bare = read(BASE | ENTRY | {"action": "long"})

    assert (plain.stop_loss, plain.take_profit, plain.protection) == (Price.of(90), Price.of(110), None)
    assert (bare.stop_loss, bare.take_profit, bare.protection) == (None, None, None)
    assert (moving.stop_loss, moving.take_profit) == (None, None)
    assert moving.protection == Protection(
        stop=AtMove(share=Percent.of(1)), targets=(Target(level=AtPrice(price=Price.of(110))),)
    )


@pytest.mark.parametrize("field", ["id", "symbol", "action", "price", "ts"])
def test_what_tradingview_did_not_fill_is_named(field: str) -> None:
    assert refused(FULL | {field: "{{strategy.order.price}}"}) == ("UNEXPANDED_PLACEHOLDER", field)


def test_an_unfilled_placeholder_is_seen_inside_of_what_nests() -> None:
    assert refused(FULL | {"sl": {"type": "pct", "value": "{{plot_0}}"}}) == ("UNEXPANDED_PLACEHOLDER", "sl")
    assert refused("id=1;symbol=BTCUSD;action={{strategy.order.action}}") == ("UNEXPANDED_PLACEHOLDER", "action")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id": ""}, "FIELD_INVALID", "id"),
        ({"id": "x" * 129}, "FIELD_INVALID", "id"),
        ({"ts": "yesterday"}, "FIELD_INVALID", "ts"),
        ({"price": "1e5"}, "FIELD_INVALID", "price"),
        ({"price": "0"}, "FIELD_INVALID", "price"),
        ({"action": "moon"}, "FIELD_INVALID", "action"),
        ({"action": "BUY"}, "FIELD_INVALID", "action"),
        ({"market_position": "up"}, "FIELD_INVALID", "market_position"),
        ({"prev_market_position": "up"}, "FIELD_INVALID", "prev_market_position"),
        ({"size": "100"}, "FIELD_INVALID", "size"),
        ({"size": {"type": "all", "value": "1"}}, "FIELD_INVALID", "type"),
        ({"size": {"type": "fixed"}}, "FIELD_INVALID", "size"),
        ({"size": {"type": "fixed", "value": "1", "more": "2"}}, "FIELD_INVALID", "size"),
        ({"size": {"type": "balance_pct", "value": "100.1"}}, "FIELD_INVALID", "value"),
        ({"leverage": "-5"}, "FIELD_INVALID", "leverage"),
        ({"sl": {"type": "rr", "value": "1"}}, "FIELD_INVALID", "type"),
        ({"tp": []}, "FIELD_INVALID", "tp"),
        ({"tp": [{"type": "pct", "value": "1"}] * 6}, "FIELD_INVALID", "tp"),
        ({"tp": [{"type": "pct", "value": "1", "close_pct": "60"}] * 2}, "FIELD_INVALID", "tp"),
        ({"be_after_tp": 3}, "FIELD_INVALID", "be_after_tp"),
        ({"be_after_tp": "1"}, "FIELD_INVALID", "be_after_tp"),
        ({"trail": {"activate_pct": "1"}}, "FIELD_INVALID", "trail"),
        ({"time_stop_minutes": 0}, "FIELD_INVALID", "time_stop_minutes"),
        ({"time_stop_minutes": "60"}, "FIELD_INVALID", "time_stop_minutes"),
        ({"time_stop_minutes": 43_201}, "FIELD_INVALID", "time_stop_minutes"),
        ({"test": "yes"}, "FIELD_INVALID", "test"),
        ({"meta": "text"}, "FIELD_INVALID", "meta"),
        ({"stop": "90"}, "FIELD_UNKNOWN", ""),
        ({"secret": 5}, "FIELD_INVALID", "secret"),
    ],
)
def test_the_first_wrong_field_is_named(changes: dict[str, Any], code: str, field: str) -> None:
    assert refused(FULL | changes) == (code, field)


@pytest.mark.parametrize("missing", ["id", "symbol", "size", "leverage"])
def test_what_an_entry_needs_must_be_there(missing: str) -> None:
    assert refused({name: value for name, value in FULL.items() if name != missing}) == ("FIELD_MISSING", missing)


def test_a_target_in_multiples_of_the_risk_needs_a_stop() -> None:
    assert refused({name: value for name, value in FULL.items() if name != "sl"}) == ("FIELD_MISSING", "sl")


def test_an_alert_of_a_source_with_several_accounts_names_one() -> None:
    assert read(FULL | {"tg_user_id": 7}, account=None).tg_user_id == 7
    assert refused(FULL, account=None) == ("FIELD_MISSING", "tg_user_id")


def test_the_secret_is_taken_out_of_what_is_kept() -> None:
    found = alert.parse(json.dumps(FULL | {"secret": "s3cr3t"}).encode())

    assert (found.secret, json.loads(found.kept)) == ("s3cr3t", FULL | {"be_after_tp": "1"})


def test_the_secret_of_a_text_is_taken_out_too() -> None:
    found = alert.parse(f"{TEXT};secret=s3cr3t".encode())

    assert (found.secret, "s3cr3t" in found.kept) == ("s3cr3t", False)


def test_without_a_secret_an_alert_is_kept_word_for_word() -> None:
    assert alert.parse(TEXT.encode()).kept == TEXT


@pytest.mark.parametrize(
    "raw", [b"", b" ", b"hello", b"a=b;hello", b"=b", b"action", "action=bück".encode(), b"\xff", b"[1]", b";;"]
)
def test_what_is_neither_form_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        alert.parse(raw)


@pytest.mark.parametrize("raw", [b"id=1;id=2", b'{"id":"1","id":"2"}'])
def test_a_field_that_occurs_twice_is_ambiguous(raw: bytes) -> None:
    with pytest.raises(AmbiguousBody):
        alert.parse(raw)


@pytest.mark.parametrize(
    ("pair", "field"), [("size=5", "size"), ("sl=pct:1:2", "sl"), ("tp=rr", "tp"), ("tp=rr:1@50,", "tp"), ("trail=1", "trail")]
)
def test_a_short_form_must_be_whole(pair: str, field: str) -> None:
    assert refused(f"id=1;symbol=BTCUSD;action=long;leverage=5;{pair}") == ("FIELD_INVALID", field)


def test_spaces_and_a_last_semicolon_say_nothing() -> None:
    assert read(" id=x-1 ; symbol=BTCUSD;action=close;\n") == read(BASE | {"action": "close"})


def test_a_time_stop_is_minutes_in_both_forms() -> None:
    text = "id=x-1;symbol=BTCUSD;action=long;size=fixed:100;leverage=5;time_stop_minutes=90"

    for said in (BASE | ENTRY | {"action": "long", "time_stop_minutes": 90}, text):
        assert read(said).protection == Protection(time_stop=timedelta(minutes=90))
