"""`/metrics`: what the ledger knows, whoever did it."""

import itertools
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from execution.adapters.rpc_metrics import METHODS, Outcome
from risk.domain.decision import Denial, Verdict
from risk.domain.lock import LockKind
from tests.factories import NOW
from tests.factories.flow import filled, ordered
from tests.factories.risk import DecisionFactory, HaltFactory, LockFactory, LossDayFactory
from tests.factories.trading import FeedFactory, FillFactory, QuoteFactory, SignalFactory, SourceFactory
from trading import clock, conf
from trading.domain.mode import Mode
from trading.domain.price import Rejection
from trading.domain.signal import SignalStatus
from trading.domain.units import Usdc
from trading.models import ModeState, Signal, Source
from trading.services import journal, mode
from vanta_site import metrics
from vanta_site.tallies import Tally

pytestmark = pytest.mark.usefixtures("desk", "switch")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _fresh_ledger() -> None:
    """Totals that this process hasn't settled yet: another test's database had other rows."""
    metrics._ledger.cache_clear()


def _scraped(client: Client) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


def _of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_every_label_set_stands_at_zero_from_the_start(client: Client) -> None:
    samples = _scraped(client)

    assert _of(samples, "vanta_intent_duplicate_total") == 0
    assert _of(samples, "vanta_intent_illegal_transition_total") == 0
    assert _of(samples, "vanta_signals_received_total", source="default") == 0
    assert _of(samples, "vanta_exec_mode_changes_total", **{"from": "DRY", "to": "LIVE"}) == 0
    assert {code for name, labels in samples if name == "vanta_risk_denials_total" for _, code in labels} == set(Denial)
    assert _of(samples, "vanta_intents", status="SENT") == 0
    assert _of(samples, "vanta_exec_mode", mode="DRY") == 1
    assert _of(samples, "vanta_worker_heartbeat_timestamp_seconds", process="sweeper") == 0
    assert _of(samples, "vanta_node_answers_unknown_total") >= 0
    assert _of(samples, "vanta_rpc_healthy", endpoint="0") in (0, 1)
    assert _of(samples, "vanta_price_source_healthy", source="chainlink") == 0
    rejected = [dict(labels) for name, labels in samples if name == "vanta_price_rejected_total"]
    sources = django_settings.PRICE_SOURCES
    assert {(each["source"], each["reason"]) for each in rejected} == set(itertools.product(sources, Rejection))
    requests = [dict(labels) for name, labels in samples if name == "vanta_rpc_requests_total"]
    assert {(each["method"], each["outcome"]) for each in requests} >= set(itertools.product(METHODS, Outcome))


def test_a_source_is_shown_by_the_instant_at_which_it_was_heard(client: Client) -> None:
    SourceFactory(name="partner", last_heard_at=NOW, heartbeat_seconds=60)
    SourceFactory(name="gone", last_heard_at=NOW, heartbeat_seconds=60, is_enabled=False)
    created_at = Source.objects.get(name="default").created_at

    samples = _scraped(client)

    heard = {labels: value for (name, labels), value in samples.items() if name == "vanta_source_last_heard_timestamp_seconds"}
    assert heard == {(("source", "default"),): created_at.timestamp(), (("source", "partner"),): NOW.timestamp()}
    assert _of(samples, "vanta_source_heartbeat_seconds", source="partner") == 60
    assert ("vanta_source_heartbeat_seconds", (("source", "default"),)) not in samples
    assert _of(samples, "vanta_rate_limited_total", limit="source") >= 0


def test_the_flow_is_counted_where_it_stands(client: Client) -> None:
    filled()
    ordered()
    denied = SignalFactory(decided=SignalStatus.DENIED)
    DecisionFactory(signal=denied, verdict=Verdict.DENIED, code="LEVERAGE_ABOVE_MAX")

    samples = _scraped(client)

    assert _of(samples, "vanta_signals_received_total", source="default") == 3
    assert _of(samples, "vanta_signals_rejected_total", source="default", code="LEVERAGE_ABOVE_MAX") == 1
    assert _of(samples, "vanta_risk_denials_total", code="LEVERAGE_ABOVE_MAX") == 1
    assert _of(samples, "vanta_intent_created_total", kind="OPEN") == 2
    assert _of(samples, "vanta_tx_submissions_total") == 1
    assert (_of(samples, "vanta_intents", status="FINAL"), _of(samples, "vanta_intents", status="CREATED")) == (1, 1)
    assert _of(samples, "vanta_open_positions", symbol="BTC-USD") == 1
    assert _of(samples, "vanta_oldest_unsettled_intent_seconds") > 0


def test_a_second_opening_fill_of_a_position_is_a_violation(client: Client) -> None:
    flow = filled()
    FillFactory(position=flow.position, is_canonical=False)
    assert _of(_scraped(client), "vanta_intent_duplicate_total") == 0

    FillFactory(position=flow.position)

    assert _of(_scraped(client), "vanta_intent_duplicate_total") == 1


def test_a_move_that_the_table_does_not_have_is_a_violation(client: Client) -> None:
    flow = filled()
    assert _of(_scraped(client), "vanta_intent_illegal_transition_total") == 0
    filled()
    assert _of(_scraped(client), "vanta_intent_illegal_transition_total") == 0

    with transaction.atomic():
        journal.record("intent.sent", flow.intent, at=NOW, trace_id=flow.intent.trace_id)

    assert _of(_scraped(client), "vanta_intent_illegal_transition_total") == 1
    assert _of(_scraped(client), "vanta_intent_illegal_transition_total") == 1


def test_switches_and_stops_are_counted(client: Client) -> None:
    mode.switch_to(mode=Mode.LIVE, switch=conf.mode_switch(), actor="ada", reason="go", at=NOW)
    mode.stop_everything(switch=conf.mode_switch(), actor="ada", origin="admin", reason="drill", at=NOW)

    samples = _scraped(client)

    assert _of(samples, "vanta_exec_mode_changes_total", **{"from": "DRY", "to": "LIVE"}) == 1
    assert _of(samples, "vanta_emergency_stop_activations_total") == 1
    assert _of(samples, "vanta_emergency_stop") == 1


def test_each_source_shows_the_age_of_its_quotes_its_health_and_what_was_rejected(client: Client) -> None:
    now = clock.now()
    FeedFactory(name="venue", symbols=["BTC-USD"], answered_at=now, rejections={"OUTLIER": 3})
    FeedFactory(name="pyth", symbols=["BTC-USD"], answered_at=now)
    FeedFactory(name="silent", symbols=["BTC-USD"])
    for source in ("venue", "pyth", "gone"):
        QuoteFactory(source=source, published_at=now - timedelta(seconds=60))

    samples = _scraped(client)

    ages = {labels: value for (name, labels), value in samples.items() if name == "vanta_price_age_seconds"}
    assert {dict(labels)["source"]: min(round(age, -1), 1e9) for labels, age in ages.items()} == {
        "venue": 60,
        "pyth": 60,
        "silent": 1e9,
    }
    assert _of(samples, "vanta_price_rejected_total", source="venue", reason="OUTLIER") == 3
    assert _of(samples, "vanta_price_rejected_total", source="pyth", reason="STALE") == 0
    assert _of(samples, "vanta_price_source_healthy", source="venue") == 1
    assert _of(samples, "vanta_price_source_healthy", source="silent") == 0


def test_the_worst_loss_and_what_is_locked_are_seen(client: Client) -> None:
    assert _of(_scraped(client), "vanta_daily_loss_used_ratio") == 0
    for lost, limit in ((500, 2_000), (1_500, 2_000), (-10, 2_000), (7, None), (7, 0)):
        LossDayFactory(loss_usdc=Usdc.of(lost), limit_usdc=None if limit is None else Usdc.of(limit))
    yesterday = clock.now() - timedelta(days=1)
    LossDayFactory(starts_at=yesterday - timedelta(days=1), ends_at=yesterday, loss_usdc=Usdc.of(9), limit_usdc=Usdc.of(1))
    LockFactory()
    LockFactory(kind=LockKind.COOLDOWN, until=NOW + timedelta(minutes=1))
    HaltFactory()

    samples = _scraped(client)

    assert _of(samples, "vanta_daily_loss_used_ratio") == 0.75
    assert (_of(samples, "vanta_locks", kind="MANUAL"), _of(samples, "vanta_locks", kind="COOLDOWN")) == (1, 0)
    assert (_of(samples, "vanta_halts", state="REDUCING"), _of(samples, "vanta_halts", state="HALTED")) == (1, 0)


def test_no_label_names_a_signal_a_person_or_a_transaction(client: Client) -> None:
    flow = filled()

    text = client.get("/metrics").content.decode()

    for secret in (flow.signal.signal_id, flow.signal.trace_id, flow.signal.trader.address, flow.send.tx_hash):
        assert secret not in text


def test_metrics_can_be_turned_off(client: Client, settings: object) -> None:
    settings.METRICS_ENABLED = False

    assert client.get("/metrics").status_code == 404


def test_a_tally_is_right_while_rows_settle_behind_it(django_assert_num_queries: object) -> None:
    tally = Tally(Signal.objects.all, "side", margin=2)
    counts = []
    for _ in range(7):
        SignalFactory()
        counts.append(tally.read()["LONG",])

    assert counts == [1, 2, 3, 4, 5, 6, 7]
    with django_assert_num_queries(2):
        tally.read()
    newest = Signal.objects.latest("pk").pk
    assert newest - 3 <= tally._settled_up_to <= newest - 2


@pytest.mark.django_db(transaction=True)
def test_the_mode_row_is_read_not_remembered(client: Client) -> None:
    _scraped(client)
    ModeState.objects.filter(pk=1).update(emergency_stop=True)

    assert _of(_scraped(client), "vanta_emergency_stop") == 1
