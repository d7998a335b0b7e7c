"""The acts on a position: what will happen is said before, and each is one audited call."""

from datetime import timedelta

from django.test import Client

from tests.factories.trading import PositionFactory, ProtectionFactory, QuoteFactory, SourceFactory
from tests.integration.vanta_site.control.desk import PAGE, acted
from trading import clock
from trading.domain.position import PositionStatus
from trading.domain.units import Price, Usdc
from trading.models import AuditRow, Position, Protection, Signal


def price_is(price: int) -> None:
    QuoteFactory(price=Price.of(price), published_at=clock.now(), max_age=timedelta(hours=1))


def page(console: Client, act: str, **said: object) -> str:
    return console.get(f"{PAGE}{act}/", said).content.decode()


def test_the_list_leads_to_what_can_be_done_with_what_is_open(console: Client) -> None:
    held = PositionFactory()
    PositionFactory(status=PositionStatus.OPEN)
    Position.objects.exclude(pk=held.pk).update(status="CLOSED", closed_at=clock.now(), collateral_usdc=Usdc.zero())

    listed = console.get("/admin/trading/position/").content.decode()

    for act in ("close-position", "breakeven", "attach-stop"):
        assert listed.count(f"{PAGE}{act}/?position=") == 1
        assert f"{PAGE}{act}/?position={held.pk}" in listed


def test_a_close_says_what_it_closes_and_is_one_signal(console: Client) -> None:
    SourceFactory(name="console", is_internal=True)
    position = PositionFactory()
    assert "$50 of collateral at 3x" in page(console, "close-position", position=position.pk)
    assert not Signal.objects.exists()

    (said,) = acted(console, "close-position", position=str(position.pk), reason="enough")

    signal = Signal.objects.get()
    assert (signal.side, signal.position_id, signal.source_name) == ("CLOSE", position.pk, "console")
    assert signal.intent_key in said
    row = AuditRow.objects.get(action="position.close")
    assert (row.actor, row.subject, row.reason) == ("ada", f"position:{position.pk}", "enough")


def test_breakeven_says_where_the_stop_goes(console: Client) -> None:
    row = ProtectionFactory()
    price_is(61_000)
    said = page(console, "breakeven", position=row.position_id)
    assert "Its stop stands at $57000 now (SET)." in said
    assert "It goes to about $60066" in said

    acted(console, "breakeven", position=str(row.position_id), reason="safe")

    assert Protection.objects.get().stop_price == Price.of(60_066)
    assert AuditRow.objects.get(action="protection.breakeven").reason == "safe"


def test_a_stop_is_attached(console: Client) -> None:
    position = PositionFactory()
    price_is(60_000)
    assert "No stop of ours guards it now." in page(console, "attach-stop", position=position.pk, stop="59000")

    acted(console, "attach-stop", position=str(position.pk), stop="59000", reason="safe")

    assert Protection.objects.get().stop_price == Price.of(59_000)


def test_a_stop_that_would_fire_at_once_is_refused_out_loud(console: Client) -> None:
    position = PositionFactory()
    price_is(60_000)

    (said,) = acted(console, "attach-stop", position=str(position.pk), stop="60000", reason="safe")

    assert said.endswith("(STOP_ON_WRONG_SIDE)")
    assert not Protection.objects.exists()


def test_what_is_not_open_or_is_no_price_is_asked_for_again(console: Client) -> None:
    position = PositionFactory()

    assert "No open position has this number." in page(console, "breakeven", position=999_999)
    for stop in ("0", "-1", "much", "NaN"):
        assert "errorlist" in page(console, "attach-stop", position=position.pk, stop=stop)
