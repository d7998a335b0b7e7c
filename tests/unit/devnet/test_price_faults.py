"""Price services that are troubled on demand."""

import json
from decimal import Decimal

import pytest

from devnet.price_faults import BadFault, Fault, PriceFault, PriceFaults, Reading, Source, SourceDead, obey

FIRST = Reading(answer=6_000_000_000_000, published_at=1_000)
SECOND = Reading(answer=6_100_000_000_000, published_at=1_002)


def _faults(**more: object) -> PriceFaults:
    faults = PriceFaults()
    obey(faults, "POST", json.dumps({"source": "pyth", **more}).encode(), {})
    return faults


def test_without_a_fault_a_reading_passes() -> None:
    assert PriceFaults().through(Source.PYTH, "BTC-USD", FIRST) == FIRST


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "lies", "percent": "1"}, Reading(answer=6_161_000_000_000, published_at=1_002)),
        ({"fault": "lies", "percent": "-0.5"}, Reading(answer=6_069_500_000_000, published_at=1_002)),
        ({"fault": "freezes"}, FIRST),
        ({"fault": "goes-back", "seconds": 60}, Reading(answer=6_100_000_000_000, published_at=942)),
        ({"fault": "hangs", "seconds": 0.001}, SECOND),
    ],
)
def test_a_fault_troubles_its_source_alone(fault: dict[str, object], said: Reading) -> None:
    faults = _faults(**fault)
    faults.through(Source.PYTH, "BTC-USD", FIRST)

    assert faults.through(Source.PYTH, "BTC-USD", SECOND) == said
    assert faults.through(Source.VENUE, "BTC-USD", SECOND) == SECOND


def test_each_market_freezes_at_its_own_price() -> None:
    faults = _faults(fault="freezes")
    faults.through(Source.PYTH, "BTC-USD", FIRST)

    assert faults.through(Source.PYTH, "ETH-USD", SECOND) == SECOND


def test_a_dead_one_says_nothing_until_it_is_mended() -> None:
    faults = _faults(fault="dead")
    with pytest.raises(SourceDead):
        faults.through(Source.PYTH, "BTC-USD", FIRST)

    obey(faults, "DELETE", b"", {"source": ["pyth"]})

    assert faults.through(Source.PYTH, "BTC-USD", FIRST) == FIRST


def test_a_frozen_one_that_is_given_the_fault_again_freezes_anew() -> None:
    faults = _faults(fault="freezes")
    faults.through(Source.PYTH, "BTC-USD", FIRST)

    faults.give(Source.PYTH, PriceFault(fault=Fault.FREEZES))

    assert faults.through(Source.PYTH, "BTC-USD", SECOND) == SECOND


def test_a_control_says_what_holds_and_mends_all() -> None:
    faults = _faults(fault="lies", percent="2.5")

    assert obey(faults, "GET", b"", {}) == {"pyth": {"fault": "lies", "percent": "2.5", "seconds": "60.0"}}
    assert obey(faults, "DELETE", b"", {}) == {}
    assert PriceFault(fault=Fault.LIES).percent == Decimal(1)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"5", b"{}", b'{"source": "pyth"}', b'{"fault": "lies"}', b'{"source": "chainlink", "fault": "lies"}'),
        *(b'{"source": "pyth", "fault": "sulks"}', b'{"source": "pyth", "fault": "lies", "percent": "much"}'),
    ],
)
def test_what_is_no_fault_is_refused(body: bytes) -> None:
    faults = PriceFaults()

    with pytest.raises(BadFault):
        obey(faults, "POST", body, {})

    assert faults.shown() == {}


def test_an_unknown_source_cannot_be_mended() -> None:
    with pytest.raises(BadFault):
        obey(PriceFaults(), "DELETE", b"", {"source": ["chainlink"]})
