"""A leader who is let go: nobody enters with him anymore, and everybody leaves with him."""

from tests.factories.people import SUPER_ADMIN
from tests.integration.execution.test_copying import crowd
from tests.scenario.crowd import Crowd
from trading.services import leaders

__all__ = ["crowd"]


def test_a_leader_whom_nobody_watches_anymore_is_left_and_entered_no_more(crowd: Crowd) -> None:
    following = crowd.follow(123)
    crowd.trade()
    crowd.copy()
    leaders.stop(leader_id=crowd.leader.pk, by=SUPER_ADMIN, reason="enough", at=crowd.world.now)

    crowd.trade()
    crowd.copy()
    assert crowd.copied(following)[1:] == [("OPEN", "SKIPPED", "LEADER")]

    crowd.leave(crowd.held_by_leader())
    crowd.copy()
    assert crowd.held(following) == []
