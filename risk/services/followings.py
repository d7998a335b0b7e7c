"""Followings: made, changed and turned by people, stopped by what they lost."""

from datetime import datetime
from typing import Any

from risk.domain import authority, following
from risk.domain.following import FollowMode, Sizing, Stopped, Terms
from risk.models import Following
from trading import locks
from trading.domain.errors import Conflict, Invalid
from trading.domain.people import Act, Person
from trading.domain.position import PositionStatus
from trading.domain.units import Leverage, Percent, Usdc
from trading.kinds import piece, write
from trading.models import Market, Position, Trader
from trading.services import audit, journal

_MOST_SLIPPAGE = Percent.of(10)
_ONE = Leverage.of(1)


class FollowingUnknown(Invalid):
    """There is no such following, leader or account."""

    code = "FOLLOWING_UNKNOWN"


class FollowsAlready(Conflict):
    """The account follows this leader; that following is changed, or turned on again."""

    code = "FOLLOWS_ALREADY"


class TermsRefused(Invalid):
    """Terms that mean nothing: a size that its sizing doesn't have, a cap of nothing, a market that isn't there."""

    code = "TERMS_INVALID"


@write
def follow(*, tg_user_id: int, leader_id: int, terms: Terms, person: Person, reason: str, at: datetime) -> Following:
    """Let an account copy a leader from now on.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person doesn't trade for the account.
        FollowingUnknown: if there is no such account, or nobody watches such a leader.
        FollowsAlready: if it does already.
        TermsRefused: if the terms mean nothing.
    """
    authority.check(person, Act.TRADE, reason=reason, account=tg_user_id)
    follower = Trader.objects.filter(tg_user_id=tg_user_id).first()
    leader = Trader.objects.leaders().filter(pk=leader_id, is_enabled=True).first()
    if follower is None or leader is None:
        raise FollowingUnknown("there is no such account, or nobody watches such a leader", field="leader")
    _check(terms)
    locks.accounts([follower.pk, leader.pk])
    if Following.objects.filter(follower=follower, leader=leader).exists():
        raise FollowsAlready("the account follows this leader already: change that following, or turn it on")
    row = Following(follower=follower, leader=leader, mode_reason=reason, counted_from=at, created_at=at, updated_at=at)
    row.take(terms)
    row.save(force_insert=True)
    _note(row, "following.create", before={}, by=person.name, reason=reason, at=at)
    return row


def act_for(row: Following, terms: Terms) -> Act:
    """What a person must be allowed for other terms, as they stand now; `change` asks again, under the lock."""
    return Act.RAISE_LIMITS if following.raised(row.terms, terms) else Act.LOWER_LIMITS


@write
def change(*, following_id: int, terms: Terms, person: Person, reason: str, at: datetime) -> Following:
    """Give a following other terms: for what is copied from now on. A higher cap takes who may raise limits.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person may not.
        FollowingUnknown: if there is no such following.
        TermsRefused: if the terms mean nothing.
    """
    row = locked(following_id)
    authority.check(person, Act.LOWER_LIMITS, reason=reason, account=row.follower.account)
    if following.raised(row.terms, terms):
        # The desk's to allow, whoever's cap it is.
        authority.check(person, Act.RAISE_LIMITS, reason=reason)
    _check(terms)
    before = said(row)
    row.take(terms)
    return _save(row, "following.change", before=before, by=person.name, reason=reason, at=at)


@write
def turn(*, following_id: int, mode: FollowMode, person: Person, reason: str, at: datetime) -> Following:
    """Copy from now on what this mode says. Turned on, what was lost before doesn't count against it anymore.

    Raises:
        ReasonMissing: if nobody says why.
        NotAllowed: if the person doesn't trade for the account.
        FollowingUnknown: if there is no such following.
    """
    row = locked(following_id)
    authority.check(person, Act.TRADE, reason=reason, account=row.follower.account)
    before = said(row)
    if mode is FollowMode.ON and row.mode != mode:
        row.counted_from = at
    row.mode, row.mode_reason = mode, reason
    return _save(row, "following.turn", before=before, by=person.name, reason=reason, at=at)


@piece
def review(follower: Trader, *, at: datetime) -> None:
    """Stop what lost as much as it may; the caller holds the account's lock."""
    limited = Following.objects.select_for_update(no_key=True, of=("self",)).filter(follower=follower, mode=FollowMode.ON)
    for row in limited.exclude(max_losses=None, max_drawdown_usdc=None).select_related("follower", "leader").order_by("pk"):
        why = following.stopped(_profits(row), row.terms)
        if why is not None:
            _stop(row, why, at=at)


@piece
def locked(following_id: int) -> Following:
    """A following, under its follower's lock and its own.

    Raises:
        FollowingUnknown: if there is none of that number.
    """
    follower = Following.objects.filter(pk=following_id).values_list("follower_id", flat=True).first()
    if follower is None:
        raise FollowingUnknown("there is no such following", following=following_id)
    locks.accounts([follower])
    rows = Following.objects.select_for_update(no_key=True, of=("self",)).select_related("follower", "leader")
    return rows.get(pk=following_id)


def said(row: Following) -> dict[str, Any]:
    """A following as the audit log keeps it."""
    return {"mode": str(row.mode), **following.said(row.terms)}


def _profits(row: Following) -> list[Usdc]:
    """What each closed copy made, costs included, in the order in which they were closed. One query."""
    copied = Position.objects.filter(signal__copied__copy__following=row, status=PositionStatus.CLOSED)
    closed = copied.filter(closed_at__gte=row.counted_from).order_by("closed_at", "pk")
    return list(closed.values_list("net_pnl_usdc", flat=True))


def _stop(row: Following, why: Stopped, *, at: datetime) -> None:
    before = said(row)
    row.mode, row.mode_reason = FollowMode.CLOSES_ONLY, str(why)
    _save(row, "following.stop", before=before, by="rule", reason=str(why), at=at)
    facts = {"leader": row.leader.address, "limit": why.limit, "value": why.value, "allowed": why.allowed}
    journal.record("following.stopped", row, at=at, tg_user_id=row.follower.account, **facts)


def _check(terms: Terms) -> None:
    is_fixed = terms.sizing is Sizing.FIXED
    if (terms.fixed is not None) is not is_fixed or (terms.share is not None) is is_fixed:
        raise TermsRefused("FIXED takes an amount, MIRROR and EQUITY_PCT take a share", field="sizing")
    amounts = (terms.fixed, terms.share, terms.max_trade, terms.max_day, terms.max_drawdown, terms.max_slippage)
    if any(each is not None and each.raw <= 0 for each in amounts) or terms.max_losses == 0:
        raise TermsRefused("amounts and caps are above nothing", field="terms")
    if terms.max_slippage > _MOST_SLIPPAGE or (terms.max_leverage or _ONE) < _ONE:
        raise TermsRefused("slippage is at most 10 %, leverage at least 1x", field="terms")
    unknown = terms.symbols - set(Market.objects.filter(symbol__in=terms.symbols).values_list("symbol", flat=True))
    if unknown:
        raise TermsRefused(f"no such market is listed: {', '.join(sorted(unknown))}", field="symbols")


@piece
def _save(row: Following, action: str, *, before: dict[str, Any], by: str, reason: str, at: datetime) -> Following:
    row.version, row.updated_at = row.version + 1, at
    row.save(update_fields=_CHANGING)
    _note(row, action, before=before, by=by, reason=reason, at=at)
    return row


_CHANGING = [
    *("mode", "mode_reason", "sizing", "fixed_usdc", "share_pct", "max_trade_usdc", "max_day_usdc", "max_leverage_x"),
    *("max_slippage_pct", "symbols", "max_losses", "max_drawdown_usdc", "counted_from", "version", "updated_at"),
]


def _note(row: Following, action: str, *, before: dict[str, Any], by: str, reason: str, at: datetime) -> None:
    subject = f"following:{row.pk} account:{row.follower.account} leader:{row.leader.address}"
    audit.record(actor=by, action=action, subject=subject, before=before, after=said(row), reason=reason, at=at)
