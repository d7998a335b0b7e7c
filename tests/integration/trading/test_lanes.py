"""A lane has one holder at a time, and no ring on it is lost."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories.trading import TraderFactory
from trading import lanes, locks
from trading.kinds import write
from trading.lanes import LEASE_SECONDS, Lease, LeaseLost
from trading.models import Trader

pytestmark = pytest.mark.usefixtures("committed")


def ignore(_: Lease) -> None:
    pass


def lane_of(trader: Trader) -> tuple[int, bool, bool]:
    trader.refresh_from_db()
    return trader.epoch, trader.leased_until is not None, trader.rung_at is not None


def let_the_lease_end(trader: Trader) -> None:
    Trader.objects.filter(pk=trader.pk).update(leased_until=timezone.now() - timedelta(seconds=1))


@write
def rename(lease: Lease, name: str) -> None:
    trader = locks.account(lease)
    trader.name = name
    trader.save(update_fields=["name"])


def in_a_thread(work: Callable[[], None]) -> threading.Thread:
    def with_own_connection() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=with_own_connection)
    thread.start()
    return thread


def test_a_free_lane_is_taken_worked_and_let_go() -> None:
    trader, seen = TraderFactory(), []
    assert lanes.drain(Trader, trader.pk, lambda _: seen.append(lane_of(trader))) is True
    assert seen == [(1, True, False)]
    assert lane_of(trader) == (1, False, False)


def test_a_lease_lasts_ten_seconds_on_the_databases_clock() -> None:
    trader = TraderFactory()

    def measure(_: Lease) -> None:
        trader.refresh_from_db()
        with connection.cursor() as cursor:
            cursor.execute("SELECT leased_until - clock_timestamp() FROM traders WHERE id = %s", [trader.pk])
            (left,) = cursor.fetchone()
        assert timedelta(seconds=LEASE_SECONDS - 5) < left <= timedelta(seconds=LEASE_SECONDS)

    lanes.drain(Trader, trader.pk, measure)


def test_a_taken_lane_is_marked_and_left_alone() -> None:
    trader, inside = TraderFactory(), []

    def ring_once(_: Lease) -> None:
        if not inside:
            inside.append(lanes.drain(Trader, trader.pk, lambda _: pytest.fail("two holders")))
            inside.append(lane_of(trader))
        else:
            inside.append("again")

    assert lanes.drain(Trader, trader.pk, ring_once) is True
    # The holder hears the mark and works once more before it lets go.
    assert inside == [False, (1, True, True), "again"]
    assert lane_of(trader) == (1, False, False)


def test_each_ring_during_the_work_is_heard() -> None:
    trader, rounds = TraderFactory(), []

    def ring_three_times(_: Lease) -> None:
        rounds.append(len(rounds))
        if len(rounds) <= 3:
            lanes.drain(Trader, trader.pk, ignore)

    lanes.drain(Trader, trader.pk, ring_three_times)
    assert rounds == [0, 1, 2, 3]


def test_lanes_of_others_are_free() -> None:
    first, second, seen = TraderFactory(), TraderFactory(), []
    lanes.drain(Trader, first.pk, lambda _: seen.append(lanes.drain(Trader, second.pk, ignore)))
    assert seen == [True]


def test_a_lane_that_does_not_exist_is_not_worked() -> None:
    assert lanes.drain(Trader, 0, lambda _: pytest.fail("no such lane")) is False


def test_work_that_raises_frees_the_lane() -> None:
    trader = TraderFactory()

    def fail(_: Lease) -> None:
        raise LookupError("bad row")

    with pytest.raises(LookupError, match="bad row"):
        lanes.drain(Trader, trader.pk, fail)
    assert lane_of(trader) == (1, False, False)
    assert lanes.drain(Trader, trader.pk, ignore) is True


def test_a_lease_that_ended_is_succeeded_and_its_holder_can_write_no_more() -> None:
    trader, seen = TraderFactory(name="before"), []

    def sleep_through_the_lease(lease: Lease) -> None:
        let_the_lease_end(trader)
        lanes.drain(Trader, trader.pk, lambda successor: rename(successor, "by the successor"))
        with pytest.raises(LeaseLost):
            rename(lease, "by the sleeper")
        with pytest.raises(LeaseLost):
            lease.renew()
        seen.append(lane_of(trader))

    assert lanes.drain(Trader, trader.pk, sleep_through_the_lease) is True
    trader.refresh_from_db()
    assert trader.name == "by the successor"
    assert seen == [(2, False, False)]


@pytest.mark.parametrize("write_late", [lambda lease: lease.renew(), lambda lease: rename(lease, "late")], ids=["renew", "write"])
def test_losing_a_lane_ends_the_work_quietly(write_late: Callable[[Lease], None]) -> None:
    trader = TraderFactory(name="before")

    def sleep_through_the_lease(lease: Lease) -> None:
        let_the_lease_end(trader)
        lanes.drain(Trader, trader.pk, ignore)
        write_late(lease)
        pytest.fail("the sleeper went on")

    assert lanes.drain(Trader, trader.pk, sleep_through_the_lease) is True
    assert lane_of(trader) == (2, False, False)
    assert trader.name == "before"


def test_a_sleeper_does_not_free_its_successors_lane() -> None:
    trader, seen = TraderFactory(), []
    taken, slept = threading.Event(), threading.Event()

    def hold(_: Lease) -> None:
        taken.set()
        assert slept.wait(10)
        seen.append(lane_of(trader))

    def sleep_through_the_lease(lease: Lease) -> None:
        let_the_lease_end(trader)
        seen.append(in_a_thread(lambda: lanes.drain(Trader, trader.pk, hold)))
        assert taken.wait(10)

    lanes.drain(Trader, trader.pk, sleep_through_the_lease)
    slept.set()
    seen[0].join(10)
    assert seen[1:] == [(2, True, False)]
    assert lane_of(trader) == (2, False, False)


def test_renewing_holds_the_lane_longer() -> None:
    trader = TraderFactory()

    def renew(lease: Lease) -> None:
        let_the_lease_end(trader)
        lease.renew()
        trader.refresh_from_db()
        assert trader.leased_until is not None
        assert trader.leased_until > timezone.now()

    lanes.drain(Trader, trader.pk, renew)


def test_two_holders_never_work_a_lane_at_once_and_every_row_is_seen() -> None:
    trader = TraderFactory()
    due: set[int] = set()
    done: list[int] = []
    inside, most, guard = 0, 0, threading.Lock()

    def work(_: Lease) -> None:
        nonlocal inside, most
        with guard:
            inside += 1
            most = max(most, inside)
            found = sorted(due)
            due.difference_update(found)
        done.extend(found)
        with guard:
            inside -= 1

    def send(numbers: range) -> None:
        for number in numbers:
            with guard:
                due.add(number)
            lanes.drain(Trader, trader.pk, work)

    threads = [in_a_thread(lambda start=start: send(range(start, 100, 4))) for start in range(4)]
    for thread in threads:
        thread.join(60)
    assert most == 1
    # A ring that found the lane taken was heard by its holder: nothing is left over.
    assert sorted(done) == list(range(100))
    assert lane_of(trader)[1:] == (False, False)
