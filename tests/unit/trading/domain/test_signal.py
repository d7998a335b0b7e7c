"""A signal's identity and words."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.domain.signal import LIFECYCLE, Side, SignalRequest, SignalStatus, fingerprint, intent_key, normalized_symbol

printable = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=12)
tricky = st.text(alphabet="ab:%3A~/#", min_size=1, max_size=4)
parts = printable | tricky


def test_the_key_names_source_and_id() -> None:
    assert intent_key(source="desk", signal_id="2026-01.a_b") == "sig:desk:2026-01.a_b"


@pytest.mark.parametrize(
    ("part", "encoded"),
    [(":", "%3A"), ("%", "%25"), ("~", "%7E"), ("/", "%2F"), (" ", "%20"), ("#", "%23"), ("+", "%2B"), ("é", "%C3%A9")],
)
def test_everything_outside_the_plain_characters_is_encoded(part: str, encoded: str) -> None:
    assert intent_key(source=part, signal_id=part) == f"sig:{encoded}:{encoded}"


@given(st.tuples(parts, parts), st.tuples(parts, parts))
@example(("a:b", "c"), ("a", "b:c"))
@example(("a%3Ab", "c"), ("a:b", "c"))
@example(("a", "b#2"), ("a", "b"))
def test_two_identities_never_share_a_key(first: tuple[str, str], second: tuple[str, str]) -> None:
    keys = [intent_key(source=source, signal_id=signal_id) for source, signal_id in (first, second)]
    assert (keys[0] == keys[1]) == (first == second)


@given(parts, parts)
def test_a_key_has_exactly_its_two_colons(source: str, signal_id: str) -> None:
    assert intent_key(source=source, signal_id=signal_id).count(":") == 2


def test_the_longest_names_fit_their_column() -> None:
    assert len(intent_key(source=":" * 64, signal_id=":" * 128)) == 581


def test_a_fingerprint_is_of_the_bytes_not_of_their_meaning() -> None:
    assert fingerprint(b"{}") == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert fingerprint(b"{ }") != fingerprint(b"{}")


@pytest.mark.parametrize("written", ["BTC-USD", "BTC/USD", "BTCUSD", "btc-usd", "Btc/Usd", "btcusd"])
def test_a_market_has_one_name_however_it_is_written(written: str) -> None:
    assert normalized_symbol(written) == "BTC-USD"


@pytest.mark.parametrize(
    "written",
    ["", "BTC", "BTC-EUR", "BTC_USD", "BTC--USD", " BTC-USD", "BTC-USD\n", "BTC-USD ", "ВТС-USD", "BTC‐USD", "ＢＴＣ-USD",
     "B\u200bTC-USD", "A-USD", "ABCDEFGHIJK-USD", "BTC-USD;DROP", "bıt-usd", "BTC\x00-USD"],
)  # fmt: skip
def test_what_is_not_a_market_has_no_name(written: str) -> None:
    assert normalized_symbol(written) is None


@pytest.mark.parametrize(("side", "is_entry"), [(Side.LONG, True), (Side.SHORT, True), (Side.CLOSE, False)])
def test_everything_but_a_close_is_an_entry(side: Side, is_entry: bool) -> None:
    assert SignalRequest(source="a", signal_id="b", tg_user_id=1, symbol="BTC-USD", side=side).is_entry is is_entry


def test_only_a_signal_set_aside_comes_back() -> None:
    assert LIFECYCLE.terminal == set(SignalStatus) - {SignalStatus.AWAITING, SignalStatus.RECEIVED, SignalStatus.SET_ASIDE}
    assert LIFECYCLE.moves[SignalStatus.SET_ASIDE] == (SignalStatus.RECEIVED,)
