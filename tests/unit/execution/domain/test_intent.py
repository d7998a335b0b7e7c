"""An intent's identity and its way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain.intent import (
    LIFECYCLE,
    UNMINED,
    WITH_NONCE,
    WITHOUT_NONCE,
    IntentKind,
    IntentStatus,
    idempotency_key,
    leg_key,
)
from trading.domain.lifecycle import IllegalMove
from trading.domain.signal import intent_key

# The moves as the design writes them, apart from the code.
MOVES = """
CREATED     > BUILDING EXPIRED CANCELED
BUILDING    > BUILT FAILED EXPIRED CANCELED
BUILT       > SENDING BUILDING FAILED EXPIRED CANCELED SIMULATED
SENDING     > SENT RETRYING MINED
RETRYING    > SENDING SENT MINED
SENT        > MINED RBF_PENDING RETRYING CANCELED
RBF_PENDING > SENT MINED
MINED       > FINAL REVERTED CANCELED SENT
FINAL       >
REVERTED    >
CANCELED    >
FAILED      >
SIMULATED   >
EXPIRED     >
"""
WRITTEN_OUT = {
    source.strip(): set(targets.split()) for source, targets in (line.split(">") for line in MOVES.strip().splitlines())
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(IntentStatus, IntentStatus)))
def test_an_intent_moves_exactly_as_it_is_written(source: IntentStatus, target: IntentStatus) -> None:
    assert LIFECYCLE.allows(source=source, target=target) is (str(target) in WRITTEN_OUT[source])


def test_an_intent_with_a_nonce_never_fails() -> None:
    for source in WITH_NONCE:
        for target in (IntentStatus.FAILED, IntentStatus.EXPIRED):
            with pytest.raises(IllegalMove):
                LIFECYCLE.check(source=source, target=target)


def test_every_state_but_canceled_says_whether_there_is_a_nonce() -> None:
    assert WITH_NONCE | WITHOUT_NONCE | {IntentStatus.CANCELED} == set(IntentStatus)
    assert not WITH_NONCE & WITHOUT_NONCE
    assert {"SENDING", "SENT", "RETRYING", "RBF_PENDING"} == UNMINED


def test_the_effects_identity_is_a_hash_of_what_it_is() -> None:
    key = idempotency_key(intent_key="sig:desk:1", tg_user_id=123, leg=1, kind=IntentKind.OPEN)

    # sha256 of `sig:desk:1|123|1|OPEN`, computed by sha256sum.
    assert key == "a12bed35c77487bf97183f89e3467772ea5335be52993808da21a30853c0795a"


parts = st.tuples(
    st.builds(intent_key, source=st.text(min_size=1, max_size=8), signal_id=st.text(min_size=1, max_size=8)),
    st.integers(min_value=1, max_value=10**12),
    st.integers(min_value=1, max_value=99),
    st.sampled_from(IntentKind),
)


@given(one=parts, other=parts)
def test_distinct_effects_have_distinct_identities(
    one: tuple[str, int, int, IntentKind], other: tuple[str, int, int, IntentKind]
) -> None:
    keys = {idempotency_key(intent_key=key, tg_user_id=user, leg=leg, kind=kind) for key, user, leg, kind in (one, other)}

    assert len(keys) == len({one, other})


def test_only_further_legs_say_their_number() -> None:
    assert [leg_key(intent_key="sig:desk:1", leg=leg) for leg in (1, 2, 3)] == ["sig:desk:1", "sig:desk:1#2", "sig:desk:1#3"]
