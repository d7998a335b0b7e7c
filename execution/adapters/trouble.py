"""How asking an endpoint of the chain can end without an answer that counts.

Unavailable     it doesn't answer, or makes no sense: whether our words arrived nobody knows
 ├─ NotSent     nothing of ours left for it
 │   └─ WrongChain
 ├─ Throttled   it says that it took nothing: too many requests
 ├─ Refused     it answered with an error: a verdict on the question, not on the endpoint
 └─ Behind      it answered from an old chain
"""

from trading.domain.errors import Unavailable


class NotSent(Unavailable):
    """No connection to an endpoint came about, so that it can't have heard us."""

    code = "RPC_NOT_SENT"


class WrongChain(NotSent):
    """An endpoint serves another chain; until its next probe it is neither read nor written to."""

    code = "WRONG_CHAIN"


class Throttled(Unavailable):
    """An endpoint turned a request away for its frequency."""

    code = "RPC_THROTTLED"


class Refused(Unavailable):
    """An endpoint answered a read with an error."""

    code = "RPC_REFUSED"


class Behind(Unavailable):
    """An endpoint's head is old, or went back."""

    code = "RPC_BEHIND"
