"""What a newcomer sees after one command, and what a killed worker can't break."""

import json
import signal

import pytest

from tests.e2e.desk import RunningDesk

pytestmark = pytest.mark.slow

TRADERS = range(500, 510)


def test_the_demo_opens_and_closes_a_position(desk: RunningDesk) -> None:
    printed = desk.make("demo", seconds=120)

    assert "the position is open at" in printed
    assert "realised PnL" in printed


def test_the_drills_payload_sent_twice_at_once_and_again_is_one_position(desk: RunningDesk) -> None:
    body = {
        "source": "drill",
        "signal_id": "test-001",
        "tg_user_id": 123,
        "symbol": "BTC-USD",
        "side": "LONG",
        "collateral_usdc": 5,
        "leverage_x": 2,
        "slippage_pct": 0.5,
    }

    codes = sorted(desk.send_at_once([body, body]))
    assert desk.until(desk.is_idle, seconds=90)
    again = desk.send(**body).status_code

    assert (codes, again) == ([200, 202], 200)
    assert desk.number("SELECT COUNT(*) FROM tx_intents WHERE intent_key LIKE '%drill%test-001%'") == 1
    assert desk.number("SELECT COUNT(*) FROM positions WHERE status = 'OPEN' AND collateral_usdc < 5") == 1
    assert desk.rows("SELECT indexname FROM pg_indexes WHERE tablename='tx_intents' AND indexname LIKE '%idem%'") == [
        ["uq_tx_intents_idem"]
    ]


def test_signals_sent_while_nobody_works_all_arrive(desk: RunningDesk) -> None:
    bodies = [
        {
            "source": "asleep",
            "signal_id": f"{each}",
            "tg_user_id": 124,
            "symbol": "SOL-USD",
            "side": "SHORT",
            "collateral_usdc": "20",
            "leverage_x": "2",
            "slippage_pct": "2",
        }
        for each in range(4)
    ]
    workers = (("celery", "worker"), ("manage.py", "sweeper"))
    for words in workers:
        assert desk.tell(signal.SIGSTOP, *words) > 0

    codes = desk.send_at_once(bodies)
    untouched = desk.number("SELECT count(*) FROM signals WHERE source_name = 'asleep' AND status = 'RECEIVED'")
    for words in workers:
        desk.tell(signal.SIGCONT, *words)

    assert (codes, untouched) == ([202] * 4, 4)
    assert desk.until(desk.is_idle, seconds=120)
    assert _ends(desk, "asleep") == {"FILLED"}


@pytest.mark.parametrize("is_killed", [False, True], ids=["left alone", "every worker killed in the middle"])
def test_a_hundred_signals_at_once_are_neither_lost_nor_doubled(desk: RunningDesk, is_killed: bool) -> None:
    name = "killed" if is_killed else "calm"
    for trader in TRADERS:
        desk.command("python", "manage.py", "trader", "add", "--tg-user-id", str(trader))
    bodies = [
        {
            "source": name,
            "signal_id": f"{each}",
            "tg_user_id": TRADERS[each % len(TRADERS)],
            "symbol": "ETH-USD",
            "side": "LONG",
            "collateral_usdc": "20",
            "leverage_x": "2",
            "slippage_pct": "2",
        }
        for each in range(100)
    ]

    codes = desk.send_at_once(bodies)
    if is_killed:
        assert desk.tell(signal.SIGKILL, "celery", "worker") > 0

    assert codes == [202] * 100
    assert desk.until(desk.is_idle, seconds=240)
    assert _ends(desk, name) <= {"FILLED", "CANCELED", "DENIED", "EXPIRED", "REJECTED", "signal EXPIRED", "signal DENIED"}
    # While every worker is dead nobody asks for prices: what the sweeper decides then has none to be decided at.
    assert _denials(desk, name) <= ({"PRICE_STALE"} if is_killed else set())
    assert desk.number(f"SELECT count(*) FROM signals WHERE source_name = '{name}' AND status <> 'RECEIVED'") == 100
    assert _doubled(desk) == 0
    _nothing_is_missing_on_the_chain(desk)


def _ends(desk: RunningDesk, source: str) -> set[str]:
    ends = desk.rows(
        f"""SELECT DISTINCT coalesce(orders.status, 'signal ' || signals.status)
            FROM signals LEFT JOIN decisions ON decisions.signal_id = signals.id
            LEFT JOIN legs ON legs.decision_id = decisions.id LEFT JOIN orders ON orders.leg_id = legs.id
            WHERE signals.source_name = '{source}'"""
    )
    return {end for (end,) in ends}


def _denials(desk: RunningDesk, source: str) -> set[str]:
    codes = desk.rows(
        f"""SELECT DISTINCT decisions.code FROM decisions JOIN signals ON signals.id = decisions.signal_id
            WHERE signals.source_name = '{source}' AND decisions.verdict = 'DENIED'"""
    )
    return {code for (code,) in codes}


def _doubled(desk: RunningDesk) -> int:
    """Orders with more than one opening fill, or with more than one mined send."""
    return desk.number(
        """SELECT (SELECT count(*) FROM (SELECT position_id FROM fills WHERE kind = 'OPEN' AND is_canonical
                                         GROUP BY position_id HAVING count(*) > 1) AS twice)
                + (SELECT count(*) FROM (SELECT intent_id FROM tx_receipts JOIN tx_sends ON tx_sends.id = send_id
                                         WHERE is_canonical GROUP BY intent_id HAVING count(*) > 1) AS twice)"""
    )


def _nothing_is_missing_on_the_chain(desk: RunningDesk) -> None:
    ((address, next_nonce),) = desk.rows("SELECT address, next_nonce FROM senders")
    filled = desk.number("SELECT count(*) FROM orders WHERE status = 'FILLED' AND book = 'LIVE' AND action = 'OPEN'")

    assert desk.chain_count(address) == int(next_nonce)
    assert desk.number("SELECT count(*) FROM positions WHERE book = 'LIVE'") == filled


def test_the_command_line_opens_a_position_and_closes_it(desk: RunningDesk) -> None:
    sent = desk.command("vanta", "signal", "send", "--symbol", "ETH-USD", "--side", "SHORT", "--account", "125", *_SMALL)
    (held,) = [json.loads(line) for line in desk.command("vanta", "--json", "positions", "--account", "125").splitlines()]
    closed = desk.command("vanta", "close", str(held["id"]))

    assert (sent.splitlines()[-1], closed.splitlines()[-1]) == ("filled", "filled")
    assert (held["symbol"], held["direction"]) == ("ETH-USD", "SHORT")
    assert desk.command("vanta", "--json", "positions", "--account", "125") == ""


_SMALL = ("--collateral", "60", "--leverage", "2", "--slippage-pct", "2")
