"""Who may send what. These are about the sender: they hold for exits too."""

from risk.domain.decision import Check, Denial
from risk.domain.rules.speech import check
from risk.domain.situation import Situation


def is_enabled(situation: Situation) -> Check:
    """The source hasn't been switched off since the signal came in."""
    source = situation.source
    value = "enabled" if source.is_enabled else "disabled"
    return check(Denial.SOURCE_DISABLED, source.is_enabled, value, "enabled", f"Source {source.name} is disabled")


def account_is_allowed(situation: Situation) -> Check | None:
    """The source may trade for this account; one that names nobody may trade for everybody."""
    source, account = situation.source, situation.account
    if not source.accounts:
        return None
    limit = ", ".join(map(str, sorted(source.accounts)))
    message = f"Source {source.name} can't trade for {account}"
    return check(Denial.SOURCE_ACCOUNT_NOT_ALLOWED, account in source.accounts, str(account), limit, message)


def symbol_is_allowed(situation: Situation) -> Check | None:
    """The source may trade this market; one that names none may trade all."""
    source, symbol = situation.source, situation.market.symbol
    if not source.symbols:
        return None
    limit = ", ".join(sorted(source.symbols))
    message = f"Source {source.name} can't trade {symbol}"
    return check(Denial.SOURCE_SYMBOL_NOT_ALLOWED, symbol in source.symbols, symbol, limit, message)
