"""The same signals, whatever tasks come twice, in another order or side by side: the same transactions are mined."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.machine import fates, invariants, snapshot
from tests.machine.stand import Stand, Task

# A turn: the tasks of up to three workers, each beginning at a failpoint of the one before it.
TURNS = st.lists(st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=3), st.integers(1, 25)), max_size=16)


def work_together(stand: Stand, tasks: Sequence[Task], *, at: int) -> None:
    """Tasks of several workers, one inside the other."""
    first, *others = tasks
    with fates.interrupted_at(at, lambda: work_together(stand, others, at=at) if others else None):
        stand.do(first)


def mined_keys(*, senders: int, signals: Sequence[int], turns: Sequence[tuple[list[int], int]]) -> dict[str, int]:
    """What is executed on the chain, and how often, once nothing is left to do."""
    stand = Stand(nodes=2, senders=senders)
    try:
        for trader in signals:
            stand.tell(trader=trader)
        for numbers, at in turns:
            tasks = stand.tasks
            work_together(stand, [tasks[number % len(tasks)] for number in numbers], at=at)
            stand.mine()
        stand.come_to_rest()
        now = snapshot.take(stand, before=None)
        invariants.check(invariants.ALWAYS | invariants.AT_REST, stand, before=now, now=now)
        return dict(stand.ledger.effects())
    finally:
        stand.close()


@settings(max_examples=15, database=None, suppress_health_check=list(HealthCheck))
@given(senders=st.integers(1, 3), signals=st.lists(st.integers(0, 2), min_size=1, max_size=6), turns=TURNS)
def test_whatever_the_order_of_tasks_the_same_is_mined(
    transactional_db: None, senders: int, signals: list[int], turns: list[tuple[list[int], int]]
) -> None:
    once = mined_keys(senders=1, signals=signals, turns=())

    again = mined_keys(senders=senders, signals=signals, turns=turns)

    assert again == once
    assert sorted(once.values()) == [1] * len(signals)


def test_a_task_that_is_left_out_is_seen(transactional_db: None) -> None:
    stand = Stand(nodes=2, senders=1)
    stand.tell(trader=0)
    stand.close()

    assert stand.ledger.effects() == {}
