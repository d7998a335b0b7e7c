"""A delivery's course: the waits between attempts, what a target may ask for, and when it is given up."""

from datetime import timedelta

import pytest

from bots.domain import delivery
from bots.domain.delivery import LONGEST_WAIT, MOST_ATTEMPTS, RETRIES, Answer, DeliveryStatus, Trouble
from tests.factories import NOW

NO = Answer(trouble=Trouble.CONNECTION)


def waited(answer: Answer, *, attempts: int = 1, message_id: str = "msg_1") -> timedelta:
    return delivery.wait(answer, attempts=attempts, message_id=message_id, now=NOW)


@pytest.mark.parametrize(
    ("statuses", "trouble"),
    [((200, 201, 204, 299), ""), ((410,), "gone"), ((199, 300, 301, 307, 308, 400, 404, 409, 429, 500, 503), "refused")],
)
def test_only_a_2xx_is_a_yes(statuses: tuple[int, ...], trouble: str) -> None:
    assert {delivery.trouble_of(status) for status in statuses} == {trouble}


def test_the_schedule_is_the_specifications_and_outlasts_three_days() -> None:
    hours = [0, 0, 0, 2, 5, 10, 14, 20, 24]
    assert [int(step.total_seconds() // 3_600) for step in RETRIES] == hours
    assert MOST_ATTEMPTS == 10
    assert sum(RETRIES, timedelta(0)) == timedelta(days=3, hours=3, minutes=35, seconds=5)


@pytest.mark.parametrize("attempts", range(1, MOST_ATTEMPTS))
def test_a_wait_is_its_step_and_up_to_a_fifth_more(attempts: int) -> None:
    step = RETRIES[attempts - 1]
    waits = [waited(NO, attempts=attempts, message_id=f"msg_{number}") for number in range(200)]

    assert step <= min(waits) < step * 1.05
    assert step * 1.15 < max(waits) <= step * 1.2
    assert waits == [waited(NO, attempts=attempts, message_id=f"msg_{number}") for number in range(200)]


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (429, "120", timedelta(seconds=120)),
        (503, " 7 ", timedelta(seconds=7)),
        (429, "Fri, 02 Jan 2026 03:14:05 GMT", timedelta(minutes=10)),
        (429, "999999999999999999999", LONGEST_WAIT),
        (429, "Fri, 02 Jan 2099 03:14:05 GMT", LONGEST_WAIT),
        (429, "Thu, 01 Jan 2026 03:14:05 GMT", timedelta(0)),
        (429, "-5", timedelta(0)),
        (429, "١٢", timedelta(0)),
        (429, "soon", timedelta(0)),
        (429, "", timedelta(0)),
        (500, "120", timedelta(0)),
        (None, "120", timedelta(0)),
    ],
)
def test_a_target_may_ask_for_a_wait_of_a_day_at_most(status: int | None, said: str, expected: timedelta) -> None:
    answer = Answer(trouble=Trouble.STATUS, status=status, retry_after=said)
    assert delivery.asked_wait(answer, now=NOW) == expected


def test_what_is_asked_for_never_shortens_a_wait() -> None:
    assert waited(Answer(trouble=Trouble.STATUS, status=429, retry_after="1"), attempts=4) >= RETRIES[3]
    assert waited(Answer(trouble=Trouble.STATUS, status=429, retry_after="60")) == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("answer", "attempts", "expected"),
    [
        (Answer(trouble=Trouble.NONE, status=200), 1, DeliveryStatus.DELIVERED),
        (Answer(trouble=Trouble.NONE, status=200), MOST_ATTEMPTS, DeliveryStatus.DELIVERED),
        (NO, MOST_ATTEMPTS - 1, DeliveryStatus.PENDING),
        (NO, MOST_ATTEMPTS, DeliveryStatus.FAILED),
    ],
)
def test_it_is_given_up_after_the_last_attempt(answer: Answer, attempts: int, expected: DeliveryStatus) -> None:
    assert delivery.after(answer, attempts=attempts) is expected
