"""An exchange with a price service ends, whatever the service does."""

import time
from decimal import Decimal

import pytest

from tests.fakes.price_service import PriceService
from trading.adapters import exchange
from trading.adapters.exchange import Exchange
from trading.domain.errors import Unavailable


def _trouble(url: str) -> str:
    with pytest.raises(Unavailable) as caught:
        Exchange(source="test").get(url)
    assert caught.value.facts["source"] == "test"
    return str(caught.value.facts["error"])


def test_numbers_arrive_as_they_were_written(service: PriceService) -> None:
    service.body = b'{"usd": 67187.33589365664823, "whole": 5}'

    assert Exchange(source="test").get(service.url) == {"usd": Decimal("67187.33589365664823"), "whole": 5}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": NaN}', b"[" * 100_000, b'{"a": 1', b"\xff\xfe", b'{"a": ' + b"1" * 5_000 + b"}"]
)
def test_what_is_not_json_makes_the_service_unavailable(service: PriceService, body: bytes) -> None:
    service.body = body

    assert _trouble(service.url) == "not JSON"


@pytest.mark.parametrize("status", [204, 301, 401, 404, 429, 500, 503])
def test_only_200_is_an_answer(service: PriceService, status: int) -> None:
    service.status, service.body = status, b""

    assert _trouble(service.url) == f"HTTP {status}"


def test_an_answer_without_end_is_cut_off(service: PriceService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MAX_BYTES", 1_000)
    service.body = b" " * 1_001

    assert _trouble(service.url) == "too long"


def test_a_service_that_drips_is_given_up_at_the_deadline(service: PriceService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", 0.3)
    service.body, service.drip_seconds = b"x" * 100, 0.1

    begun = time.monotonic()
    trouble = _trouble(service.url)

    assert trouble == "too slow"
    assert time.monotonic() - begun < 1


def test_a_service_that_is_silent_is_given_up(service: PriceService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE_SECONDS", 0.2)
    service.body, service.drip_seconds = b"xx", 1.0

    assert _trouble(service.url) == "ReadTimeout"


@pytest.mark.parametrize(("url", "error"), [("http://127.0.0.1:1", "ConnectError"), ("nonsense", "UnsupportedProtocol")])
def test_nobody_there_is_unavailable(url: str, error: str) -> None:
    assert _trouble(url) == error


def test_the_address_is_not_in_the_trouble(service: PriceService) -> None:
    service.status = 500

    with pytest.raises(Unavailable) as caught:
        Exchange(source="test").get(f"{service.url}/secret-in-the-path")

    assert "secret" not in f"{caught.value.message} {caught.value.facts}"
