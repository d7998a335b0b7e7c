"""Which endpoint is worth asking, and whose chain is the newest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain.endpoint import FAULTS_TO_OPEN, LONGEST_PAUSE, Circuit, EndpointState, hedge_delay, is_current

HEADS = st.integers(min_value=0, max_value=1_000)


def _after(faults: int, *, now: float = 0.0) -> Circuit:
    circuit = Circuit()
    for _ in range(faults):
        circuit = circuit.faulted(now=now, chance=0)
    return circuit


@pytest.mark.parametrize(("faults", "is_open"), [(0, False), (4, False), (5, True), (6, True)])
def test_the_fifth_fault_in_a_row_opens_a_circuit(faults: int, is_open: bool) -> None:
    circuit = _after(faults)

    assert (circuit.is_open, circuit.may_be_asked(now=0.5)) == (is_open, not is_open)


def test_pauses_double_up_to_the_longest() -> None:
    assert [_after(faults).probe_at for faults in range(5, 12)] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]


def test_a_month_of_faults_is_no_longer_than_the_longest_pause() -> None:
    assert Circuit(faults=10**9).faulted(now=0, chance=0).probe_at == LONGEST_PAUSE


@pytest.mark.parametrize(("chance", "probe_at"), [(0, 11.0), (0.5, 11.25), (1, 11.5)])
def test_chance_adds_up_to_half_of_a_pause(chance: float, probe_at: float) -> None:
    assert Circuit(faults=FAULTS_TO_OPEN - 1).faulted(now=10, chance=chance).probe_at == probe_at


def test_one_probe_at_a_time() -> None:
    circuit = _after(5)
    assert circuit.may_be_asked(now=1.0)

    probing = circuit.probing(now=1.0, chance=0)

    assert (probing.is_open, probing.may_be_asked(now=1.9), probing.may_be_asked(now=2.0)) == (True, False, True)


def test_another_chain_opens_a_circuit_at_once() -> None:
    assert Circuit().opened(now=0, chance=0) == Circuit(faults=5, probe_at=1.0)
    assert Circuit(faults=7).opened(now=0, chance=0) == Circuit(faults=8, probe_at=8.0)


@pytest.mark.parametrize(
    ("head", "peak", "others", "expected"),
    [
        (100, 0, [], True),
        (97, 0, [100], True),
        (96, 0, [100], False),
        (96, 0, [90, 100], False),
        (104, 0, [100], True),
        # It went back: believed if nobody is ahead of it.
        (99, 100, [], True),
        (50, 100, [], True),
        (99, 100, [99, 98], True),
        (99, 100, [100], False),
        # It caught up.
        (100, 100, [102], True),
        (100, 100, [104], False),
    ],
)
def test_a_head_is_current_if_nobody_is_far_ahead(head: int, peak: int, others: list[int], expected: bool) -> None:
    assert is_current(head, peak=peak, others=others) is expected


@given(st.lists(st.tuples(HEADS, HEADS), min_size=1))
def test_somebody_is_always_current(nodes: list[tuple[int, int]]) -> None:
    heads = [head for head, _ in nodes]

    current = [is_current(head, peak=peak, others=[*heads[:at], *heads[at + 1 :]]) for at, (head, peak) in enumerate(nodes)]

    assert any(current)


@pytest.mark.parametrize(
    ("latencies", "delay"),
    [
        ([], 0.25),
        ([0.001] * 7, 0.25),
        ([0.001] * 8, 0.05),
        ([0.2] * 50, 0.2),
        ([0.1] * 47 + [0.4] * 3, 0.4),
        ([0.1] * 48 + [0.4] * 2, 0.1),
        ([9.0] * 50, 1.0),
    ],
)
def test_a_second_endpoint_is_asked_after_the_95th_percentile(latencies: list[float], delay: float) -> None:
    assert hedge_delay(latencies) == delay


@pytest.mark.parametrize(
    ("is_healthy", "faults", "head", "expected"),
    [(True, 0, 7, False), (False, 0, None, False), (False, 0, 7, True), (True, 1, 7, True), (False, 5, None, True)],
)
def test_one_that_fails_or_is_behind_needs_a_look(is_healthy: bool, faults: int, head: int | None, expected: bool) -> None:
    state = EndpointState(endpoint=0, is_healthy=is_healthy, is_primary=False, faults=faults, head=head)

    assert state.needs_a_look is expected
