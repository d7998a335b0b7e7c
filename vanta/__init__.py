"""A client of a running desk, for programs and for the command line; it knows the API and nothing of the desk's code.

with Desk(url="http://localhost:8090", token=token) as desk:
    sent = desk.send_signal(symbol="BTC-USD", side="LONG", tg_user_id=123, collateral_usdc="50", leverage_x="3")
    for journey in desk.follow(sent.id):
        print(journey.state)
"""

from vanta.answers import Acceptance, Event, Journey, Mode, Moment, Page, Position
from vanta.desk import Desk
from vanta.problems import Problem, Refused, Silent, Unknown, Unrecognized

__all__ = [
    "Acceptance",
    "Desk",
    "Event",
    "Journey",
    "Mode",
    "Moment",
    "Page",
    "Position",
    "Problem",
    "Refused",
    "Silent",
    "Unknown",
    "Unrecognized",
]
