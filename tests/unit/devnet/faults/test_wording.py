import re

import pytest

from devnet.faults import wording
from devnet.faults.plan import BadRule, Fault, Rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("html", Rule(fault=Fault.HTML)),
        ("answer-lost=0.2", Rule(fault=Fault.ANSWER_LOST, chance=0.2)),
        (
            "stale=0.5,blocks=3,on=eth_blockNumber",
            Rule(fault=Fault.STALE, chance=0.5, blocks=3, on="eth_blockNumber"),
        ),
        ("http-502,forwards=true,times=2", Rule(fault=Fault.HTTP_502, forwards=True, times=2)),
        ("http-429,down_seconds=2,up_seconds=5.5", Rule(fault=Fault.HTTP_429, down_seconds=2.0, up_seconds=5.5)),
        ("item-refused,code=-32016,text=over rate limit", Rule(fault=Fault.ITEM_REFUSED, code=-32016, text="over rate limit")),
        (
            "answer-late,seconds=1,after_seconds=2,for_seconds=3",
            Rule(fault=Fault.ANSWER_LATE, seconds=1.0, after_seconds=2.0, for_seconds=3.0),
        ),
    ],
)
def test_an_option_is_read(text: str, rule: Rule) -> None:
    assert wording.from_option(text) == rule


@pytest.mark.parametrize("rule", [Rule(fault=fault) for fault in Fault], ids=lambda rule: rule.fault.value)
def test_every_fault_has_a_name_that_is_read(rule: Rule) -> None:
    assert wording.from_option(rule.fault.value) == rule


def test_json_is_one_rule_or_several() -> None:
    one = b'{"fault": "stale", "blocks": 3}'
    assert wording.from_json(one) == [Rule(fault=Fault.STALE, blocks=3)]
    several = wording.from_json(b'[{"fault": "html"}, {"fault": "wrong-hash", "forwards": false}]')
    assert several == [Rule(fault=Fault.HTML), Rule(fault=Fault.WRONG_HASH, forwards=False)]


def test_what_is_said_of_a_rule_makes_the_same_rule() -> None:
    rule = Rule(fault=Fault.STALE, chance=0.5, blocks=3, times=4, forwards=False)
    said = wording.to_json(rule)
    assert said == {"fault": "stale", "chance": 0.5, "blocks": 3, "times": 4, "forwards": False}
    assert wording.rule(said.pop("fault"), said) == rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("melting", "there is no fault melting; there are request-lost, "),
        ("html,color=red", "there is no setting color; there are chance, "),
        ("html=often", "chance can't be often"),
        ("html,times=1.5", "times can't be 1.5"),
        ("html,forwards=perhaps", "forwards can't be perhaps"),
        ("html,times", "times is not name=value"),
        ("html=2", "html: a chance lies between 0 and 1"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(text: str, message: str) -> None:
    with pytest.raises(BadRule, match=f"^{re.escape(message)}"):
        wording.from_option(text)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON: "),
        (b"\xff", "not JSON: "),
        (b"[1]", 'a rule is an object with a "fault"'),
        (b'{"chance": 1}', 'a rule is an object with a "fault"'),
        (b'{"fault": "html", "times": null}', "times can't be None"),
    ],
)
def test_json_that_makes_no_sense_is_named(body: bytes, message: str) -> None:
    with pytest.raises(BadRule, match=f"^{re.escape(message)}"):
        wording.from_json(body)
