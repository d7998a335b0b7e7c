import pytest

from devnet.faults.plan import OF_ITEMS, BadRule, Drawn, Fault, Plan, Rule

SEND = "eth_sendRawTransaction"
RECEIPT = "eth_getTransactionReceipt"


def plan(*rules: Rule, seed: int = 7) -> Plan:
    made = Plan(seed=seed)
    for rule in rules:
        made.give(rule, now=0.0)
    return made


def strikes(made: Plan, count: int, *, now: float = 0.0) -> list[bool]:
    return [bool(made.draw([SEND], now=now)) for _ in range(count)]


def whole(drawn: Drawn) -> set[Fault]:
    return set(drawn.whole)


def test_without_rules_nothing_strikes() -> None:
    assert strikes(plan(), 100) == [False] * 100


def test_a_certain_fault_always_strikes_and_an_impossible_one_never() -> None:
    assert strikes(plan(Rule(fault=Fault.ANSWER_LOST)), 100) == [True] * 100
    assert strikes(plan(Rule(fault=Fault.ANSWER_LOST, chance=0.0)), 100) == [False] * 100


def test_the_same_seed_draws_the_same_faults_and_another_seed_others() -> None:
    rule = Rule(fault=Fault.ANSWER_LOST, chance=0.2)
    first = strikes(plan(rule), 1_000)
    assert first == strikes(plan(rule), 1_000)
    assert first != strikes(plan(rule, seed=8), 1_000)
    assert first.count(True) == 201


def test_a_further_rule_changes_nothing_for_the_first() -> None:
    rule = Rule(fault=Fault.ANSWER_LOST, chance=0.5)
    both = plan(rule, Rule(fault=Fault.HTML, chance=0.5))
    drawn = [Fault.ANSWER_LOST in both.draw([SEND], now=0.0).whole for _ in range(200)]
    assert drawn == strikes(plan(rule), 200)


def test_a_window_that_was_shut_changes_nothing_for_what_is_drawn_after_it() -> None:
    rule = Rule(fault=Fault.ANSWER_LOST, chance=0.5, after_seconds=10)
    made = plan(rule)
    assert strikes(made, 50, now=9.9) == [False] * 50
    open_from_the_start = plan(Rule(fault=Fault.ANSWER_LOST, chance=0.5))
    strikes(open_from_the_start, 50)
    assert strikes(made, 50, now=10.0) == strikes(open_from_the_start, 50)


def test_a_number_of_times_is_kept() -> None:
    assert strikes(plan(Rule(fault=Fault.ANSWER_LOST, times=3)), 5) == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("elapsed", "is_open"), [(4.9, False), (5.0, True), (7.9, True), (8.0, False)], ids=lambda value: str(value)
)
def test_a_window_opens_and_shuts(elapsed: float, is_open: bool) -> None:
    assert Rule(fault=Fault.HTML, after_seconds=5, for_seconds=3).is_open(elapsed) is is_open


@pytest.mark.parametrize(
    ("elapsed", "is_down"), [(0.0, True), (1.9, True), (2.0, False), (4.9, False), (5.0, True), (7.0, False)]
)
def test_a_flapping_node_is_down_and_up_in_turns(elapsed: float, is_down: bool) -> None:
    assert Rule(fault=Fault.REQUEST_LOST, down_seconds=2, up_seconds=3).is_open(elapsed) is is_down


def test_a_rule_for_one_method_strikes_no_other() -> None:
    made = plan(Rule(fault=Fault.ANSWER_LOST, on=SEND))
    assert whole(made.draw([RECEIPT], now=0.0)) == set()
    assert whole(made.draw([RECEIPT, SEND], now=0.0)) == {Fault.ANSWER_LOST}


def test_an_exchange_is_struck_once_however_many_requests_it_has() -> None:
    made = plan(Rule(fault=Fault.ANSWER_LOST, times=2))
    assert [whole(made.draw([SEND] * 10, now=0.0)) for _ in range(3)] == [{Fault.ANSWER_LOST}, {Fault.ANSWER_LOST}, set()]


def test_the_requests_of_a_batch_are_struck_one_by_one() -> None:
    made = plan(Rule(fault=Fault.ITEM_REFUSED, times=1, on=RECEIPT))
    drawn = made.draw([SEND, RECEIPT, RECEIPT], now=0.0)
    assert [[rule.fault for rule in rules] for rules in drawn.each] == [[], [Fault.ITEM_REFUSED], []]


def test_a_lie_about_sends_concerns_nothing_else() -> None:
    made = plan(Rule(fault=Fault.WRONG_HASH))
    assert not made.draw([RECEIPT, "eth_chainId"], now=0.0)
    assert made.draw([SEND], now=0.0)


def test_what_struck_is_counted_also_after_mending() -> None:
    made = plan(Rule(fault=Fault.ANSWER_LOST, times=2), Rule(fault=Fault.ITEM_MISSING))
    strikes(made, 3)
    assert [struck for _, struck in made.rules()] == [2, 3]
    made.clear()
    assert made.rules() == []
    assert made.struck() == {Fault.ANSWER_LOST: 2, Fault.ITEM_MISSING: 3}


def test_one_fault_is_mended_without_the_others() -> None:
    made = plan(Rule(fault=Fault.ANSWER_LOST), Rule(fault=Fault.HTML), Rule(fault=Fault.ANSWER_LOST, on=SEND))
    made.clear(Fault.ANSWER_LOST)
    assert [rule.fault for rule, _ in made.rules()] == [Fault.HTML]


def test_only_half_a_document_and_a_wrong_hash_reach_the_chain_by_their_nature() -> None:
    assert {fault for fault in Fault if Rule(fault=fault).is_forwarding} == {Fault.HALF_JSON, Fault.WRONG_HASH}
    assert Rule(fault=Fault.HTTP_502, forwards=True).is_forwarding
    assert not Rule(fault=Fault.WRONG_HASH, forwards=False).is_forwarding


@pytest.mark.parametrize(
    ("fault", "settings", "message"),
    [
        (Fault.HTML, {"chance": 1.1}, "html: a chance lies between 0 and 1"),
        (Fault.HTML, {"chance": -0.1}, "html: a chance lies between 0 and 1"),
        (Fault.HTML, {"up_seconds": 1.0}, "html: turns need down_seconds"),
        (Fault.WRONG_HASH, {"on": RECEIPT}, f"wrong-hash never strikes {RECEIPT}"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fault: Fault, settings: dict[str, object], message: str) -> None:
    with pytest.raises(BadRule, match=f"^{message}$"):
        Rule(fault=fault, **settings)  # type: ignore[arg-type]


def test_each_fault_of_single_requests_is_listed_once() -> None:
    assert list(OF_ITEMS) == list(Fault)[list(Fault).index(Fault.ITEM_REFUSED) :]
