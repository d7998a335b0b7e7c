"""What an exit needs, on both sides."""

from risk.domain.decision import Denial
from risk.domain.rules import exits
from tests.unit.risk.domain.rules.table import Pass, Refusal, refusal
from tests.unit.risk.domain.situations import close, held

PASSES: list[Pass] = [
    (exits.something_to_close, close()),
    (exits.close_size, close(usdc=50)),
    (exits.close_size, close(usdc=51)),
    (exits.close_size, close(pct=100)),
    (exits.close_size, close(pct=102)),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            exits.something_to_close,
            close(closable=closable),
            Denial.NOTHING_TO_CLOSE,
            value="$0",
            limit="an open position",
            message="No open position in BTC-USD",
        )
        for closable in ((), (held(0),))
    ),
    refusal(
        exits.something_to_close,
        close(pct="0.0000001"),
        Denial.NOTHING_TO_CLOSE,
        value="$0",
        limit="an open position",
        message="0.0000001% of $50 in BTC-USD is nothing",
    ),
    *(
        refusal(
            exits.close_size,
            close(usdc=usdc),
            Denial.CLOSE_ABOVE_POSITION,
            value=f"${usdc}",
            limit="$51",
            message=f"Close size ${usdc} exceeds position $50",
        )
        for usdc in ("51.05", "51.000001")
    ),
    refusal(
        exits.close_size,
        close(pct="102.1"),
        Denial.CLOSE_ABOVE_POSITION,
        value="102.1%",
        limit="102%",
        message="Close size 102.1% exceeds the position",
    ),
    refusal(
        exits.close_size,
        close(usdc="0.000002", closable=(held("0.000001"),)),
        Denial.CLOSE_ABOVE_POSITION,
        value="$0.000002",
        # 0.00000102, rounded down: a tolerance is no gift.
        limit="$0.000001",
        message="Close size $0.000002 exceeds position $0.000001",
    ),
]
