"""What people paste, filled in as TradingView fills it, is an alert that we take."""

from collections.abc import Callable

import pytest

from trading.domain import sending
from trading.domain.signal import Side, SignalRequest, Stance
from trading.domain.source import Auth
from trading.domain.tradingview import alert, template

FILLED = {
    "{{ticker}}": "BTCUSDT.P",
    "{{interval}}": "15",
    "{{timenow}}": "2026-11-20T10:00:00Z",
    "{{close}}": "91000.5",
    "{{strategy.order.id}}": "Long",
    "{{strategy.order.action}}": "buy",
    "{{strategy.market_position}}": "long",
    "{{strategy.prev_market_position}}": "short",
    "{{strategy.position_size}}": "0.5",
    "{{strategy.order.contracts}}": "1",
}
FORMS = {"json": template.as_json, "text": template.as_text}


def read(text: str, *, account: int | None = None) -> SignalRequest:
    for placeholder, value in FILLED.items():
        text = text.replace(placeholder, value)
    return alert.read(alert.parse(text.encode()), source="chart", account=account)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_strategys_template_turns_it(form: Callable[..., str]) -> None:
    found = read(form(template.STRATEGY, account=7))

    assert (found.side, found.stance, found.tg_user_id, found.signal_id) == (
        Side.LONG,
        Stance.REACH,
        7,
        "BTCUSDT.P-15-Long-buy-2026-11-20T10:00:00Z",
    )
    assert found.protection is not None
    assert found.protection.is_simple


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_indicators_template_opens(form: Callable[..., str]) -> None:
    found = read(form(template.INDICATOR, account=None), account=123)

    assert (found.side, found.stance, found.tg_user_id) == (Side.LONG, Stance.ANOTHER, 123)


@pytest.mark.parametrize("kind", [template.STRATEGY, template.INDICATOR], ids=["strategy", "indicator"])
def test_both_forms_say_the_same(kind: dict[str, object]) -> None:
    texts = [form(kind, account=7) for form in FORMS.values()]

    assert read(texts[0]) == read(texts[1])


@pytest.mark.parametrize(("account", "is_named"), [(7, True), (None, False)])
def test_what_a_source_copies_is_an_address_and_templates_that_are_read(account: int | None, is_named: bool) -> None:
    text = sending.template(name="chart", auth=Auth.TOKEN, site="https://desk.example.org", account=account)

    assert "https://desk.example.org/hooks/tv/the secret" in text
    assert template.as_json(template.STRATEGY, account=account) in text
    assert template.as_json(template.INDICATOR, account=account) in text
    assert ("tg_user_id" in text) is is_named
