import pytest

from devnet.demo import detail, realised, reason, shortened
from devnet.desk import Desk, Journey


def journey(**known: object) -> Journey:
    values = {"state": "filled", "timeline": [], "decision": {}, "orders": [], **known}
    return Journey(**values)  # type: ignore[arg-type]  # the test names only what it needs


def test_a_detail_is_one_line_without_what_is_empty() -> None:
    value = {"tx_hash": "0x" + "ab" * 32, "nonce": 0, "failure": "", "note": None}

    assert detail(value) == "tx_hash 0xabababab…  nonce 0"


def test_an_address_is_shown_whole() -> None:
    assert shortened("0x" + "ab" * 20) == "0x" + "ab" * 20


@pytest.mark.parametrize("state", ["denied", "expired", "filled", "canceled", "failed"])
def test_these_states_end_a_journey(state: str) -> None:
    assert journey(state=state).has_ended


@pytest.mark.parametrize("state", ["received", "ordered", "sent", "mined"])
def test_these_do_not(state: str) -> None:
    assert not journey(state=state).has_ended


def test_the_reason_of_a_denial_is_the_decisions_message() -> None:
    denied = journey(state="denied", decision={"code": "LEVERAGE", "message": "Leverage 51x exceeds max 50x"})

    assert reason(denied) == "Leverage 51x exceeds max 50x"


def test_the_reason_of_a_cancellation_is_its_orders_status() -> None:
    assert reason(journey(state="canceled", orders=[{"status": "CANCELED"}])) == "CANCELED"


def test_every_fill_of_a_closing_is_told() -> None:
    orders = [{"fills": [{"realised_pnl_usdc": "1.5"}]}, {"fills": [{"realised_pnl_usdc": "-0.25"}]}]

    assert realised(journey(orders=orders)) == "1.5, -0.25"


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    # echo -n '{"a":1}' | openssl dgst -sha256 -hmac secret
    expected = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"

    assert Desk(url="http://127.0.0.1:1", secret="secret").signature(b'{"a":1}') == expected
