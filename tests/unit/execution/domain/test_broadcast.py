"""What a node's answer to a broadcast proves: the closed table, and that nothing outside it proves anything."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain.broadcast import STRENGTH, Answer, Meaning, meaning_of, strongest

# Nodes' own words, as their sources and operators' logs have them; written here again, apart from the table.
SAYINGS = (
    ("already known", Meaning.ACCEPTED),
    ("transaction already imported", Meaning.ACCEPTED),
    ("known transaction: 0xabc", Meaning.ACCEPTED),
    ("nonce too low: next nonce 8, tx nonce 7", Meaning.CONSUMED),
    ("OldNonce", Meaning.CONSUMED),
    ("replacement transaction underpriced", Meaning.SIBLING_LIVE),
    ("max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1, baseFee: 2", Meaning.UNDERPRICED),
    ("transaction underpriced: gas tip cap 0, minimum needed 1", Meaning.UNDERPRICED),
    ("FeeTooLow", Meaning.UNDERPRICED),
    ("insufficient funds for gas * price + value", Meaning.FUNDS),
    ("nonce too high", Meaning.BACKPRESSURE),
    ("txpool is full", Meaning.BACKPRESSURE),
    ("transaction pool is full", Meaning.BACKPRESSURE),
    ("in-flight transaction limit reached for delegated accounts", Meaning.BACKPRESSURE),
    ("Too Many Requests", Meaning.BACKPRESSURE),
    ("rate limit exceeded", Meaning.BACKPRESSURE),
    ("intrinsic gas too low", Meaning.FATAL),
    ("exceeds block gas limit", Meaning.FATAL),
    ("gas limit too high", Meaning.FATAL),
    ("invalid chain id for signer: have 1 want 8453", Meaning.FATAL),
    ("invalid sender", Meaning.FATAL),
    ("invalid signature", Meaning.FATAL),
    ("oversized data: transaction size 200000", Meaning.FATAL),
    ("transaction too large", Meaning.FATAL),
)


@pytest.mark.parametrize(("text", "meaning"), SAYINGS)
def test_a_node_is_understood_in_its_own_words(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) is meaning


@pytest.mark.parametrize(("text", "meaning"), SAYINGS)
def test_the_case_of_the_words_doesnt_matter(text: str, meaning: Meaning) -> None:
    assert meaning_of(text.upper()) is meaning_of(text.lower()) is meaning


def test_a_replacement_that_is_underpriced_isnt_merely_underpriced() -> None:
    assert meaning_of("replacement transaction underpriced: new tx gas fee cap 1 <= 2 queued") is Meaning.SIBLING_LIVE


@pytest.mark.parametrize(
    "text", ["", " ", "internal error", "timeout", "upstream connect error", "Bad Gateway", "nonce", "funds"]
)
def test_words_outside_the_table_prove_nothing(text: str) -> None:
    assert meaning_of(text) is Meaning.UNKNOWN


@given(st.text())
def test_no_text_without_the_tables_words_is_ever_believed(text: str) -> None:
    words = (
        "known",
        "imported",
        "nonce",
        "underpriced",
        "fee",
        "funds",
        "pool",
        "limit",
        "many",
        "invalid",
        "gas",
        "data",
        "large",
    )
    if not any(word in text.lower() for word in words):
        assert meaning_of(text) is Meaning.UNKNOWN


@given(st.data())
def test_a_mutilated_phrase_is_never_fatal(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([text for text, meaning in SAYINGS if meaning is Meaning.FATAL]))
    words = text.split()
    place = data.draw(st.integers(min_value=0, max_value=min(len(words) - 1, 1)))
    letter = data.draw(st.sampled_from([at for at, character in enumerate(words[place]) if character.isalnum()]))
    words[place] = words[place][:letter] + "ø" + words[place][letter + 1 :]

    assert meaning_of(" ".join(words)) is Meaning.UNKNOWN


@given(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=40))
def test_what_stands_around_a_phrase_doesnt_make_it_fatal(around: str) -> None:
    assert meaning_of(f"already known {around}") is Meaning.ACCEPTED


def test_the_strongest_of_several_answers_counts() -> None:
    order = ["accepted", "consumed", "sibling live", "unknown", "underpriced", "backpressure", "funds", "fatal content"]

    for stronger, weaker in itertools.combinations(order, 2):
        answers = [Answer(meaning=Meaning(weaker), text="w"), Answer(meaning=Meaning(stronger), text="s")]
        assert strongest(answers) == strongest(reversed(answers)) == Answer(meaning=Meaning(stronger), text="s")


def test_every_meaning_has_its_place_in_the_order() -> None:
    assert sorted(STRENGTH) == sorted(Meaning)


def test_no_answer_at_all_is_unknown() -> None:
    assert strongest([]) == Answer(meaning=Meaning.UNKNOWN)
