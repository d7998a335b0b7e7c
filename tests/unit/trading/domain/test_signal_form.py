"""The closed form of a signal: every field at its edges."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import signal_form, strict_json
from trading.domain.protection import AtPrice, Protection, Target
from trading.domain.signal import Side
from trading.domain.signal_form import FormError
from trading.domain.units import Leverage, Percent, Price, Usdc

ENTRY = {
    "source": "desk",
    "signal_id": "1",
    "tg_user_id": 123,
    "symbol": "BTC-USD",
    "side": "LONG",
    "collateral_usdc": "50",
    "leverage_x": "3",
}
EXIT = {"source": "desk", "signal_id": "1", "tg_user_id": 123, "symbol": "BTC-USD", "side": "CLOSE"}


class Raw:
    """A JSON number as it should stand in the body."""

    def __init__(self, text: str) -> None:
        self.text = text


def read(base: dict[str, object], **changes: object) -> signal_form.SignalRequest:
    fields = ", ".join(
        f"{json.dumps(name)}: {value.text if isinstance(value, Raw) else json.dumps(value)}"
        for name, value in (base | changes).items()
    )
    return signal_form.read(strict_json.parse(f"{{{fields}}}".encode()))


def refused(base: dict[str, object], **changes: object) -> tuple[str, str]:
    with pytest.raises(FormError) as refusal:
        read(base, **changes)
    return refusal.value.field, refusal.value.form_code


def test_an_entry_is_read_with_its_units() -> None:
    request = read(ENTRY, price="60000.5", take_profit=66_000, stop_loss="54000", ts="2026-01-02T03:04:05Z", meta={"why": "test"})
    assert request == signal_form.SignalRequest(
        source="desk",
        signal_id="1",
        tg_user_id=123,
        symbol="BTC-USD",
        side=Side.LONG,
        collateral=Usdc.of(50),
        leverage=Leverage.of(3),
        slippage=Percent.of("0.5"),
        price=Price.of("60000.5"),
        take_profit=Price.of(66_000),
        stop_loss=Price.of(54_000),
        signaled_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def test_a_close_without_a_measure_is_of_everything() -> None:
    request = read(EXIT)
    assert (request.reduce, request.reduce_share, request.collateral, request.leverage) == (None, None, None, None)


def test_a_close_may_say_how_much() -> None:
    assert read(EXIT, reduce_usdc="10.5").reduce == Usdc.of("10.5")
    assert read(EXIT, reduce_pct=50).reduce_share == Percent.of(50)


@pytest.mark.parametrize("name", sorted(ENTRY))
def test_an_entry_misses_none_of_its_fields(name: str) -> None:
    assert refused({key: value for key, value in ENTRY.items() if key != name}) == (name, "FIELD_MISSING")


@pytest.mark.parametrize("name", sorted(EXIT))
def test_a_close_misses_none_of_its_fields(name: str) -> None:
    assert refused({key: value for key, value in EXIT.items() if key != name}) == (name, "FIELD_MISSING")


@pytest.mark.parametrize("name", ["sidee", "Side", "side ", "collateral", "user_id", "__proto__", "", "é", "\ud800"])
def test_an_unknown_field_is_refused_without_repeating_it(name: str) -> None:
    assert refused(ENTRY, **{name: "x"}) == ("", "FIELD_UNKNOWN")


@pytest.mark.parametrize(
    "name", ["source", "signal_id", "tg_user_id", "symbol", "side", "collateral_usdc", "leverage_x", "slippage_pct", "price",
             "take_profit", "stop_loss", "ts", "meta"],
)  # fmt: skip
@pytest.mark.parametrize("value", [None, True, False, [], ["1"]])
def test_no_field_takes_null_truth_or_a_list(name: str, value: object) -> None:
    assert refused(ENTRY, **{name: value})[0] == name


@pytest.mark.parametrize(("name", "limit"), [("source", 64), ("signal_id", 128)])
def test_a_name_is_as_long_as_its_limit_and_no_longer(name: str, limit: int) -> None:
    assert getattr(read(ENTRY, **{name: "x" * limit}), name) == "x" * limit
    assert refused(ENTRY, **{name: "x" * (limit + 1)}) == (name, "FIELD_INVALID")


@pytest.mark.parametrize("name", ["source", "signal_id"])
@pytest.mark.parametrize(
    "value", ["", "é", "a\n", "a\r\nb", "\x00", "\x7f", "а", "\u200b", "\u202e", "İ", "\ud800", Raw("12"), {}]
)
def test_a_name_is_printable_ascii(name: str, value: object) -> None:
    assert refused(ENTRY, **{name: value}) == (name, "FIELD_INVALID")


@pytest.mark.parametrize("value", [" ", "~", "' OR 1=1 --", "{{7*7}}", "a:b"])
def test_any_printable_ascii_is_a_name(value: str) -> None:
    assert read(ENTRY, source=value).source == value


@pytest.mark.parametrize(("value", "number"), [("1", 1), ("9223372036854775807", 2**63 - 1)])
def test_a_user_is_a_positive_integer_of_64_bits(value: str, number: int) -> None:
    assert read(ENTRY, tg_user_id=Raw(value)).tg_user_id == number


@pytest.mark.parametrize(
    "value",
    [Raw("0"), Raw("-1"), Raw("-0"), Raw("9223372036854775808"), Raw("1" + "0" * 5_000), Raw("1.0"), Raw("1e3"), "123", "١٢٣"],
)
def test_anything_else_is_not_a_user(value: object) -> None:
    assert refused(ENTRY, tg_user_id=value) == ("tg_user_id", "FIELD_INVALID")


@pytest.mark.parametrize("value", ["long", "BUY", "", " LONG", "LONG ", "LONG\n", "ＬＯＮＧ", Raw("1"), {}])
def test_a_side_is_one_of_three_words(value: object) -> None:
    assert refused(ENTRY, side=value) == ("side", "FIELD_INVALID")


@pytest.mark.parametrize("value", ["DOGE", "BTC-EUR", "ВТС-USD", "", "BTC-USD\n"])
def test_a_symbol_has_the_form_of_a_market(value: str) -> None:
    assert refused(ENTRY, symbol=value) == ("symbol", "SYMBOL_UNKNOWN")


@pytest.mark.parametrize("value", ["50", Raw("50"), Raw("50.0"), "50.000000"])
def test_an_amount_comes_as_string_or_number(value: object) -> None:
    assert read(ENTRY, collateral_usdc=value).collateral == Usdc.of(50)


@pytest.mark.parametrize(
    ("name", "scale"),
    [("collateral_usdc", 6), ("leverage_x", 10), ("slippage_pct", 10), ("price", 10), ("take_profit", 10), ("stop_loss", 10)],
)
def test_an_amount_has_the_decimals_of_its_unit_and_no_more(name: str, scale: int) -> None:
    read(ENTRY, **{name: "0." + "0" * (scale - 1) + "1"})
    assert refused(ENTRY, **{name: "0." + "0" * scale + "1"}) == (name, "FIELD_INVALID")


@pytest.mark.parametrize("name", ["collateral_usdc", "leverage_x", "price", "take_profit", "stop_loss", "slippage_pct"])
@pytest.mark.parametrize(
    "value",
    ["0", "0.0", "-1", "-0", "+1", "1e2", "1E2", "1e1000000", "01", ".5", "5.", "1_000", "1,000", " 1", "1 ", "1\n", "", "NaN",
     "Infinity", "0x10", "１", "١", "1" * 13, "1;", "½", Raw("1e2"), Raw("-1"), Raw("0"), Raw("-0"), Raw("1e1000000"), {}],
)  # fmt: skip
def test_an_amount_is_a_plain_positive_decimal(name: str, value: object) -> None:
    assert refused(ENTRY, **{name: value}) == (name, "FIELD_INVALID")


def test_twelve_digits_are_the_longest_amount() -> None:
    assert read(ENTRY, collateral_usdc="999999999999.999999").collateral == Usdc.from_raw(10**18 - 1)


def test_slippage_is_half_a_percent_unless_said_and_ten_at_most() -> None:
    assert read(ENTRY).slippage == Percent.of("0.5")
    assert read(ENTRY, slippage_pct="10").slippage == Percent.of(10)
    assert refused(ENTRY, slippage_pct="10.0000000001") == ("slippage_pct", "FIELD_INVALID")


@pytest.mark.parametrize("name", ["reduce_usdc", "reduce_pct"])
def test_an_entry_reduces_nothing(name: str) -> None:
    assert refused(ENTRY, **{name: "1"}) == (name, "FIELD_INVALID")


@pytest.mark.parametrize("name", ["collateral_usdc", "leverage_x"])
@pytest.mark.parametrize("value", ["1", None])
def test_a_close_puts_nothing_up(name: str, value: object) -> None:
    assert refused(EXIT, **{name: value}) == (name, "FIELD_INVALID")


def test_a_close_has_one_measure() -> None:
    assert refused(EXIT, reduce_usdc="1", reduce_pct="1") == ("reduce_pct", "FIELD_INVALID")


@pytest.mark.parametrize("name", ["reduce_usdc", "reduce_pct"])
@pytest.mark.parametrize("value", [None, "0", "-1", True, [], "1e2"])
def test_a_reduction_is_a_plain_positive_decimal(name: str, value: object) -> None:
    assert refused(EXIT, **{name: value}) == (name, "FIELD_INVALID")


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T04:04:05+01:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.25Z", datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456-00:00", datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
        (Raw("0"), datetime(1970, 1, 1, tzinfo=UTC)),
        (Raw("1767323045"), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_time_is_rfc_3339_or_epoch_seconds(value: object, moment: datetime) -> None:
    read_back = read(ENTRY, ts=value).signaled_at
    assert read_back == moment
    assert read_back is not None
    assert read_back.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
     "2026-01-02T24:04:05Z", "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+24:00", "20260102T030405Z", "2026-W01-5T03:04:05Z",
     "2026-01-02T03:04:05.1234567Z", "２０26-01-02T03:04:05Z", "2026-01-02T03:04:05Z\n", "now", "", "1767323045",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", Raw("1767323045.5"), Raw("1e9"), Raw("1767323045000"),
     Raw("9999999999999999999"), Raw("-9999999999999"), {}],
)  # fmt: skip
def test_anything_else_is_not_a_time(value: object) -> None:
    assert refused(ENTRY, ts=value) == ("ts", "FIELD_INVALID")


def test_meta_is_an_object_of_at_most_4_kib() -> None:
    around = len('{"k": ""}')
    read(ENTRY, meta={"k": "x" * (4_096 - around)})
    assert refused(ENTRY, meta={"k": "x" * (4_097 - around)}) == ("meta", "FIELD_INVALID")
    assert refused(ENTRY, meta={"k": "é" * 2_050}) == ("meta", "FIELD_INVALID")


@pytest.mark.parametrize("value", ["text", Raw("1"), [], None, True])
def test_meta_is_nothing_but_an_object(value: object) -> None:
    assert refused(ENTRY, meta=value) == ("meta", "FIELD_INVALID")


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\x7f", "\x85", "\ud800"])
@pytest.mark.parametrize("place", ["value", "key", "list", "deep"])
def test_meta_holds_no_control_character_anywhere(character: str, place: str) -> None:
    meta = {
        "value": {"k": f"a{character}b"},
        "key": {f"a{character}": 1},
        "list": {"k": [1, [character]]},
        "deep": {"k": {"k": {"k": character}}},
    }[place]
    assert refused(ENTRY, meta=meta) == ("meta", "FIELD_INVALID")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=3,
)


def refusal_of(changes: dict[str, object]) -> FormError | None:
    body = strict_json.parse(json.dumps(ENTRY | changes).encode())
    try:
        signal_form.read(body)
    except FormError as refusal:
        return refusal
    return None


@given(st.dictionaries(st.sampled_from([*ENTRY, "ts", "meta", "price", "reduce_pct", "slippage_pct"]), json_values))
def test_any_body_is_a_request_or_names_one_of_its_fields(changes: dict[str, object]) -> None:
    refusal = refusal_of(changes)
    assert refusal is None or refusal.field in changes


def test_a_time_stop_makes_a_guard_of_the_plain_prices() -> None:
    request = read(ENTRY, take_profit="70000", stop_loss="50000", time_stop_minutes=90)

    assert (request.take_profit, request.stop_loss) == (None, None)
    assert request.protection == Protection(
        stop=AtPrice(price=Price.of(50_000)),
        targets=(Target(level=AtPrice(price=Price.of(70_000))),),
        time_stop=timedelta(minutes=90),
    )
