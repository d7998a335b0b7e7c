"""What a table of rules is made of: situations that pass, and refusals with the whole check."""

from risk.domain.decision import Check, Denial, Rule
from risk.domain.situation import Situation

Pass = tuple[Rule, Situation]
Refusal = tuple[Rule, Situation, Check]


def refusal(rule: Rule, given: Situation, code: Denial, *, value: str, limit: str, message: str) -> Refusal:
    """A situation in which a rule says no, and how it says it."""
    return rule, given, Check(code=code, passed=False, value=value, limit=limit, message=message)
