"""The venue's topics and errors, as literals: a changed file is a changed venue."""

from itertools import chain

import pytest

from devnet.contract import artifact
from execution.adapters.veranta.abi import ERRORS, EVENTS

TOPICS = {
    "MarketOrderInitiated": "0xdf4eefe414d2dc9d6c031eb82661052d92b0a4f41e6b8a291d45045a000b90a3",
    "MarketExecuted": "0x194c5538fd1fd53a5ec20cd85e48e0a542b1cbfb713ee866339c38465118308a",
    "LimitExecuted": "0xa2dec9537892a111bd41f6fafe206c669b1f1fb95cf4cc574df3f2492fddd2d6",
    "MarketOpenCanceled": "0x4b2ef4d80a0964a9a8f43256d8111558389b384d2029743c1eeb6950b14d9c65",
    "MarketCloseCanceled": "0x3535b7356e09f0d6928a700d59b7867c7586a51f83a52da6054384d28ce1622e",
    "OpenLimitPlaced": "0xba01428df926e7985ce9ea864854311888230af3154a3b78b30b8c91cc32932b",
    "OpenLimitUpdated": "0x710a8db87f04e82a9de40076812593a965f4aa48693196d2144c07ff9710e890",
    "OpenLimitCanceled": "0x99b2cab0fe1db813d380331f51c117d5622d07c79686cc4ecd043e8d56ace094",
    "MarginUpdated": "0xfc0fadeeec4a08248340ffba253610fe6b83507fc885b536c6f3093094e70d2c",
}


@pytest.mark.parametrize(("name", "topic"), TOPICS.items())
def test_an_event_is_known_by_the_venues_topic(name: str, topic: str) -> None:
    assert EVENTS[topic].name == name


@pytest.mark.parametrize("contract", ["TradingRouter", "TradingStorage", "TradingCallbacks"])
def test_every_event_of_an_emitter_has_a_form(contract: str) -> None:
    events = {entry["name"] for entry in artifact(contract).abi if entry["type"] == "event"}

    assert events <= {form.name for form in EVENTS.values()} | {"OwnershipTransferred"}
    assert events


def test_a_form_tells_indexed_fields_from_plain_ones() -> None:
    form = EVENTS[TOPICS["MarketCloseCanceled"]]

    assert form.indexed == (("trader", "address"),)
    assert form.plain == (("orderId", "uint256"), ("pairIndex", "uint256"), ("index", "uint256"), ("timestamp", "uint256"))


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("0xcf5470d4", "PositionMismatch"),
        ("0xdf20a888", "PnlOrderNotAllowed"),
        ("0xfb284874", "BelowMinPosition"),
        ("0x62dd5ee3", "WrongSl"),
        ("0x7f527065", "WrongTp"),
        ("0x4c9b2c59", "HighSlippage"),
    ],
)
def test_an_error_is_known_by_its_selector(selector: str, name: str) -> None:
    assert ERRORS[selector] == name


def test_every_error_of_the_emitters_is_known() -> None:
    abis = chain.from_iterable(artifact(name).abi for name in ("TradingRouter", "TradingStorage", "TradingCallbacks"))

    assert {entry["name"] for entry in abis if entry["type"] == "error"} <= set(ERRORS.values())
