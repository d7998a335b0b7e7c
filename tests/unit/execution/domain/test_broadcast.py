"""What a node's answer to a broadcast proves: the closed table, and that nothing outside it proves anything."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.domain.broadcast import CODES, PHRASES, STRENGTH, Answer, Meaning, meaning_of, strongest

# Nodes' own words, as their sources and operators' logs have them; written here again, apart from the table.
SAYINGS = (
    ("already known", Meaning.ACCEPTED),
    ("ALREADY_EXISTS: already known", Meaning.ACCEPTED),
    ("AlreadyKnown", Meaning.ACCEPTED),
    ("transaction already imported", Meaning.ACCEPTED),
    ("Tx: [0xabc] already Imported", Meaning.ACCEPTED),
    ("known transaction: 0xabc", Meaning.ACCEPTED),
    ("Known transaction", Meaning.ACCEPTED),
    ("INTERNAL_ERROR: existing txn with same hash", Meaning.ACCEPTED),
    ("nonce too low", Meaning.CONSUMED),
    ("nonce too low: next nonce 5, tx nonce 3", Meaning.CONSUMED),
    ("INTERNAL_ERROR: nonce too low", Meaning.CONSUMED),
    ("Nonce too low", Meaning.CONSUMED),
    ("OldNonce", Meaning.CONSUMED),
    ("OldNonce, Current nonce: 5, nonce of rejected tx: 3", Meaning.CONSUMED),
    ("replacement transaction underpriced", Meaning.SIBLING_LIVE),
    ("replacement transaction underpriced: new tx gas fee cap 1 <= 2 queued", Meaning.SIBLING_LIVE),
    ("FEE_TOO_LOW: replacement transaction underpriced", Meaning.SIBLING_LIVE),
    ("ReplacementNotAllowed", Meaning.SIBLING_LIVE),
    ("insufficient gas price to replace existing transaction", Meaning.SIBLING_LIVE),
    ("Tx: [0xabc] insufficient gas price to replace existing transaction", Meaning.SIBLING_LIVE),
    ("INTERNAL_ERROR: could not replace existing tx", Meaning.SIBLING_LIVE),
    ("max fee per gas less than block base fee: address 0x0, maxFeePerGas: 1, baseFee: 2", Meaning.UNDERPRICED),
    ("transaction underpriced", Meaning.UNDERPRICED),
    ("transaction underpriced: tip needed 1000000, tip permitted 0", Meaning.UNDERPRICED),
    ("transaction underpriced: gas tip cap 0, minimum needed 1", Meaning.UNDERPRICED),
    ("transaction gas price below minimum: gas tip cap 0, minimum needed 1", Meaning.UNDERPRICED),
    ("transaction priority fee below minimum required priority fee 1000", Meaning.UNDERPRICED),
    ("transaction feeCap 5 below chain minimum", Meaning.UNDERPRICED),
    ("FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 1, BaseFee: 7", Meaning.UNDERPRICED),
    ("FeeTooLowToCompete", Meaning.UNDERPRICED),
    ("FEE_TOO_LOW: underpriced", Meaning.UNDERPRICED),
    ("FEE_TOO_LOW: fee too low", Meaning.UNDERPRICED),
    ("Gas price below configured minimum gas price", Meaning.UNDERPRICED),
    ("Gas price below current base fee", Meaning.UNDERPRICED),
    ("insufficient funds for gas * price + value", Meaning.FUNDS),
    ("insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1", Meaning.FUNDS),
    ("insufficient funds for gas * price + value: have 0 want 1", Meaning.FUNDS),
    ("Insufficient funds for gas * price + value", Meaning.FUNDS),
    ("insufficient funds for transfer", Meaning.FUNDS),
    ("INTERNAL_ERROR: insufficient funds", Meaning.FUNDS),
    ("InsufficientFunds, Account balance: 0, cumulative cost: 1", Meaning.FUNDS),
    ("transaction overdraws from account", Meaning.FUNDS),
    ("Upfront cost exceeds account balance", Meaning.FUNDS),
    ("nonce too high", Meaning.BACKPRESSURE),
    ("nonce too high: tx nonce 9, gapped nonce 7", Meaning.BACKPRESSURE),
    ("NonceGap, Future nonce. Expected nonce: 7", Meaning.BACKPRESSURE),
    ("nonce too far in future", Meaning.BACKPRESSURE),
    ("Transaction nonce is too distant from current sender nonce", Meaning.BACKPRESSURE),
    ("gapped-nonce tx from delegated accounts", Meaning.BACKPRESSURE),
    ("delegation nonce gap", Meaning.BACKPRESSURE),
    ("delegation authority has pending transaction", Meaning.BACKPRESSURE),
    ("in-flight transaction limit reached for delegated accounts", Meaning.BACKPRESSURE),
    ("address already reserved", Meaning.BACKPRESSURE),
    ("account limit exceeded: pooled 16 txs", Meaning.BACKPRESSURE),
    ("future transaction tries to replace pending", Meaning.BACKPRESSURE),
    ("txpool is full", Meaning.BACKPRESSURE),
    ("transaction pool is full", Meaning.BACKPRESSURE),
    ("INTERNAL_ERROR: pending sub-pool is full", Meaning.BACKPRESSURE),
    ("INTERNAL_ERROR: baseFee sub-pool is full", Meaning.BACKPRESSURE),
    ("INTERNAL_ERROR: queued sub-pool is full", Meaning.BACKPRESSURE),
    ("INTERNAL_ERROR: spammer", Meaning.BACKPRESSURE),
    ("transaction discarded outright due to pool size constraints", Meaning.BACKPRESSURE),
    ("Too Many Requests", Meaning.BACKPRESSURE),
    ('429 Too Many Requests: {"jsonrpc":"2.0","error":{"code":-32016,"message":"over rate limit"},"id":1}', Meaning.BACKPRESSURE),
    ("rate limit exceeded", Meaning.BACKPRESSURE),
    ("over rate limit", Meaning.BACKPRESSURE),
    ("sender is over rate limit", Meaning.BACKPRESSURE),
    ("daily request count exceeded, request rate limited", Meaning.BACKPRESSURE),
    ("project ID request rate exceeded", Meaning.BACKPRESSURE),
    ("50/second request limit reached - reduce calls per second", Meaning.BACKPRESSURE),
    ("Your app has exceeded its compute units per second capacity.", Meaning.BACKPRESSURE),
    ("limit exceeded", Meaning.BACKPRESSURE),
    ("intrinsic gas too low", Meaning.FATAL),
    ("intrinsic gas too low: gas 1, minimum needed 21000", Meaning.FATAL),
    ("intrinsic gas too high -- CallGasCostMoreThanGasLimit", Meaning.FATAL),
    ("INTERNAL_ERROR: IntrinsicGas", Meaning.FATAL),
    ("Intrinsic gas exceeds gas limit", Meaning.FATAL),
    ("insufficient gas for floor data gas cost: gas 1, minimum needed 2", Meaning.FATAL),
    ("exceeds block gas limit", Meaning.FATAL),
    ("Transaction gas limit exceeds block gas limit", Meaning.FATAL),
    ("transaction's gas limit 9 exceeds block's gas limit 8", Meaning.FATAL),
    ("Transaction gas limit is greater than the block gas limit, gas_limit: 9, cap: 8", Meaning.FATAL),
    ("gas limit too high", Meaning.FATAL),
    ("transaction gas limit too high (cap: 16777216, tx: 20000000)", Meaning.FATAL),
    ("INTERNAL_ERROR: gas limit is too high", Meaning.FATAL),
    ("exceeds max transaction gas limit", Meaning.FATAL),
    ("TxGasLimitCapExceeded: Gas limit 20000000 exceeded cap of 16777216.", Meaning.FATAL),
    ("gas uint64 overflow", Meaning.FATAL),
    ("tx fee (1.23 ether) exceeds the configured cap (1.00 ether)", Meaning.FATAL),
    ("tx fee (9 wei) exceeds the configured cap (8 wei)", Meaning.FATAL),
    ("Transaction fee cap exceeded", Meaning.FATAL),
    ("max priority fee per gas higher than max fee per gas: address 0x0", Meaning.FATAL),
    ("Max priority fee per gas exceeds max fee per gas", Meaning.FATAL),
    ("InvalidMaxPriorityFeePerGas: Cannot be higher than maxFeePerGas.", Meaning.FATAL),
    ("max fee per gas higher than 2^256-1", Meaning.FATAL),
    ("max priority fee per gas higher than 2^256-1", Meaning.FATAL),
    ("invalid chain id for signer: have 1 want 8453", Meaning.FATAL),
    ("invalid chain ID", Meaning.FATAL),
    ("InvalidTxChainId: Expected 8453, got 1.", Meaning.FATAL),
    ("Wrong chainId", Meaning.FATAL),
    ("invalid sender", Meaning.FATAL),
    ("invalid sender: invalid transaction v, r, s values", Meaning.FATAL),
    ("invalid signature", Meaning.FATAL),
    ("invalid transaction signature", Meaning.FATAL),
    ("InvalidTxSignature: Signature is invalid.", Meaning.FATAL),
    ("failed to recover sender", Meaning.FATAL),
    ("failed to decode signed transaction", Meaning.FATAL),
    ("Failed to decode transaction", Meaning.FATAL),
    ("transaction type not supported", Meaning.FATAL),
    ("oversized data: transaction size 200000, limit 131072", Meaning.FATAL),
    ("transaction too large", Meaning.FATAL),
    ("max initcode size exceeded: code size 49153, limit 49152", Meaning.FATAL),
    ("nonce has max value", Meaning.FATAL),
    ("negative value", Meaning.FATAL),
)
# After these a nonce is signed anew, or waits: nobody but the table may say so.
REFUSALS = {Meaning.FATAL, Meaning.UNDERPRICED, Meaning.FUNDS, Meaning.BACKPRESSURE}
REFUSED = [text for text, meaning in SAYINGS if meaning in REFUSALS]
# What nodes and their gateways say when nobody knows.
TROUBLE = (
    *("", " ", "internal error", "Internal error", "timeout", "request timed out", "gateway timeout", "Bad Gateway"),
    *("upstream connect error or disconnect/reset before headers", "context deadline exceeded", "EOF", "execution timeout"),
    *("no backend is currently healthy to serve traffic", "backend is over capacity", "server busy", "header not found"),
    *("nonce", "funds", "underpriced", "gas", "limit", "unknown transaction", "block already known to nobody"),
    *("batch too large", "response too large", "method not found", "missing trie node", "gas limit reached"),
    *("replaced by transaction with higher tip", "error sending request for url", "Transaction was added to the mempool"),
    *("transaction was added to the mempool but wasn't confirmed within 6s", "sender not an eoa", "execution reverted"),
)


def _span(text: str) -> tuple[int, int]:
    """Where in a saying its phrase stands."""
    found = next(match for phrase in PHRASES if (match := phrase.pattern.search(text)))
    return found.span()


@pytest.mark.parametrize(("text", "meaning"), SAYINGS)
def test_a_node_is_understood_in_its_own_words(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) is meaning


@pytest.mark.parametrize(("text", "meaning"), SAYINGS)
def test_the_case_of_the_words_doesnt_matter(text: str, meaning: Meaning) -> None:
    assert meaning_of(text.upper()) is meaning_of(text.lower()) is meaning


def test_every_phrase_of_the_table_has_its_saying() -> None:
    used = {next(at for at, phrase in enumerate(PHRASES) if phrase.pattern.search(text)) for text, _ in SAYINGS}

    assert [phrase.pattern.pattern for at, phrase in enumerate(PHRASES) if at not in used] == []


@pytest.mark.parametrize("text", TROUBLE)
def test_words_outside_the_table_prove_nothing(text: str) -> None:
    assert meaning_of(text) is Meaning.UNKNOWN


@given(st.text())
def test_no_text_of_chance_is_a_refusal(text: str) -> None:
    assert meaning_of(text) is Meaning.UNKNOWN


@given(st.data())
def test_a_mutilated_phrase_is_no_refusal(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(REFUSED))
    begin, end = _span(text)
    # What stands behind a number is as good as another number.
    at = data.draw(st.sampled_from([at for at in range(begin, end) if text[at].isalpha()]))

    assert meaning_of(text[:at] + "ø" + text[at + 1 :]) not in REFUSALS


@given(st.data())
def test_a_phrase_inside_another_sentence_is_no_refusal(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(REFUSED))
    begin, end = _span(text)
    phrase = text[begin:end].lstrip(' :;,.[](){}"')
    before = data.draw(st.sampled_from(["not ", "un", "no longer ", "maybe ", "was it ", "ø", "replacement of "]))

    assert meaning_of(before + phrase) not in REFUSALS


@given(st.sampled_from(REFUSED), st.integers(min_value=1, max_value=60))
def test_half_a_phrase_is_no_refusal(text: str, cut: int) -> None:
    begin, end = _span(text)
    shortened = text[begin : max(begin, end - cut)]

    assert meaning_of(shortened) not in REFUSALS or any(shortened.strip(" :").lower() == said.lower() for said in REFUSED)


@given(st.text(alphabet=st.characters(exclude_characters="\n"), max_size=40))
def test_what_stands_behind_a_phrase_doesnt_change_it(behind: str) -> None:
    assert meaning_of(f"already known: {behind}") is Meaning.ACCEPTED


@pytest.mark.parametrize("code", CODES)
def test_a_code_speaks_where_the_words_are_new(code: int) -> None:
    assert meaning_of("some new words", code=code) is Meaning.BACKPRESSURE


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("text", "meaning"), SAYINGS)
def test_known_words_come_before_a_code(text: str, meaning: Meaning, code: int) -> None:
    assert meaning_of(text, code=code) is meaning


@given(st.integers())
def test_no_other_code_proves_anything(code: int) -> None:
    expected = Meaning.BACKPRESSURE if code in (429, -32005, -32016, -32017) else Meaning.UNKNOWN

    assert meaning_of("some new words", code=code) is expected


def test_the_strongest_of_several_answers_counts() -> None:
    order = ["accepted", "consumed", "sibling live", "unknown", "underpriced", "backpressure", "funds", "fatal content"]

    for stronger, weaker in itertools.combinations(order, 2):
        answers = [Answer(meaning=Meaning(weaker), text="w"), Answer(meaning=Meaning(stronger), text="s")]
        assert strongest(answers) == strongest(reversed(answers)) == Answer(meaning=Meaning(stronger), text="s")


def test_every_meaning_has_its_place_in_the_order() -> None:
    assert sorted(STRENGTH) == sorted(Meaning)


def test_no_answer_at_all_is_unknown() -> None:
    assert strongest([]) == Answer(meaning=Meaning.UNKNOWN)
