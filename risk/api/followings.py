"""Followings: which account copies which leader, how, and what became of each trade."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers

from risk.domain.copying import CopyKind, CopyStatus, Skip
from risk.domain.following import FollowMode, Sizing, Terms
from risk.models import Copy, Following, Tracking
from risk.services import followings
from trading.api.fields import Amount, Line, Strict, Whole, Word
from trading.api.forms import REASON, AccountNumber, Form, PageQuery, Said
from trading.api.shapes import Shape, account, text
from trading.api.views import Needed, Resource, Wish, of_accounts
from trading.domain.mode import Book
from trading.domain.people import Act
from trading.domain.signal import DEFAULT_SLIPPAGE, normalized_symbol
from trading.domain.units import Leverage, Percent, Usdc

_MOST_SYMBOLS = 200


class FollowingShape(Shape):
    """One account follows one leader; null in a cap: there is none."""

    tg_user_id = account("follower.tg_user_id")
    leader = serializers.IntegerField(source="leader_id", read_only=True)
    leader_address = text("leader.address")

    class Meta:
        model = Following
        fields = (
            *("id", "tg_user_id", "leader", "leader_address", "mode", "mode_reason", "sizing", "fixed_usdc", "share_pct"),
            *("max_trade_usdc", "max_day_usdc", "max_leverage_x", "max_slippage_pct", "symbols", "max_losses"),
            *("max_drawdown_usdc", "version", "created_at", "updated_at"),
        )


class FollowingQuery(PageQuery):
    """Which followings."""

    tg_user_id = AccountNumber(source="follower", required=False)
    leader = Whole(min_value=1, source="leader_id", required=False)
    mode = Word(FollowMode, required=False)


class Symbols(Strict):
    """Markets, apart by spaces."""

    json_schema = {"type": "string", "pattern": r"^[A-Za-z0-9/-]{5,16}( [A-Za-z0-9/-]{5,16})*$", "example": "BTC-USD ETH-USD"}

    def to_internal_value(self, data: Any) -> frozenset[str]:
        """Each as it is kept."""
        if not isinstance(data, str):
            self.fail("invalid")
        found = [normalized_symbol(word) for word in data.split(" ")]
        if None in found or len(found) > _MOST_SYMBOLS:
            self.fail("invalid")
        return frozenset(word for word in found if word is not None)


def _cap(field: type[Strict], *args: Any, **kwargs: Any) -> Any:
    return field(*args, required=False, **kwargs)


class TermsForm(Form):
    """How it is copied, all of it: what isn't said is no cap."""

    sizing = Word(Sizing)
    fixed_usdc = _cap(Amount, Usdc, help_text="For FIXED.")
    share_pct = _cap(Amount, Percent, most="10000", help_text="For MIRROR and EQUITY_PCT.")
    max_trade_usdc = _cap(Amount, Usdc, help_text="Collateral of one trade; a larger one is cut.")
    max_day_usdc = _cap(Amount, Usdc, help_text="Collateral of all that a UTC day opens.")
    max_leverage_x = _cap(Amount, Leverage, least="1", help_text="A higher one is copied at this.")
    max_slippage_pct = _cap(Amount, Percent, most="10", help_text="Against the leader's price.")
    symbols = _cap(Symbols, help_text="Without it, every market.")
    max_losses = _cap(Whole, min_value=1, max_value=1_000, help_text="So many in a row leave closes only.")
    max_drawdown_usdc = _cap(Amount, Usdc, help_text="So much below the best leaves closes only.")
    reason = Line(max_length=REASON)


class FollowForm(TermsForm):
    """Who follows whom, how, and why."""

    tg_user_id = Whole(min_value=1)
    leader = Whole(min_value=1)


class Kept(Resource):
    """Followings as they are."""

    shape = FollowingShape
    query = FollowingQuery

    def rows(self) -> QuerySet[Following]:
        """Every following."""
        return Following.objects.select_related("follower", "leader")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("follower", accounts)


class Followings(Kept):
    """Let an account copy a leader from now on."""

    form = FollowForm

    def needs(self, wish: Wish) -> Needed:
        """Who trades for the account."""
        return Needed(act=Act.TRADE, account=wish.said["tg_user_id"])

    def do(self, wish: Wish) -> Following:
        """Begin it."""
        about = {"tg_user_id": wish.said["tg_user_id"], "leader_id": wish.said["leader"]}
        return followings.follow(**about, terms=_terms(wish.said), person=wish.person, reason=wish.reason, at=wish.at)


class Amending(Kept):
    """Give a following other terms, all of them; a higher cap takes who may raise limits."""

    form = TermsForm
    # More caution never waits; which one it is nobody knows before it is read.
    is_exit = True

    def needs(self, wish: Wish) -> Needed:
        """Who may lower its caps, or raise one."""
        return Needed(act=followings.act_for(wish.row, _terms(wish.said)), account=wish.row.follower.account)

    def do(self, wish: Wish) -> Following:
        """Change it."""
        terms, pk = _terms(wish.said), wish.row.pk
        return followings.change(following_id=pk, terms=terms, person=wish.person, reason=wish.reason, at=wish.at)


class TurnForm(Form):
    """What is copied from now on, and why."""

    mode = Word(FollowMode)
    reason = Line(max_length=REASON)


class FollowingTurn(Kept):
    """Turn a following on, to closes only, or off; what the leader closes of what was copied is closed in each of them."""

    form = TurnForm
    is_exit = True

    def needs(self, wish: Wish) -> Needed:
        """Who trades for the account."""
        return Needed(act=Act.TRADE, account=wish.row.follower.account)

    def do(self, wish: Wish) -> Following:
        """Turn it."""
        mode, pk = wish.said["mode"], wish.row.pk
        return followings.turn(following_id=pk, mode=mode, person=wish.person, reason=wish.reason, at=wish.at)


def _terms(said: Said) -> Terms:
    return Terms(
        sizing=said["sizing"],
        fixed=said.get("fixed_usdc"),
        share=said.get("share_pct"),
        max_trade=said.get("max_trade_usdc"),
        max_day=said.get("max_day_usdc"),
        max_leverage=said.get("max_leverage_x"),
        max_slippage=said.get("max_slippage_pct", DEFAULT_SLIPPAGE),
        symbols=said.get("symbols", frozenset()),
        max_losses=said.get("max_losses"),
        max_drawdown=said.get("max_drawdown_usdc"),
    )


class TrackingShape(Shape):
    """A day of a following: what both made on which basis, and the difference in parts, which add up to the unit."""

    tg_user_id = account("following.follower.tg_user_id")
    following = serializers.IntegerField(source="following_id", read_only=True)
    leader = serializers.IntegerField(source="following.leader_id", read_only=True)
    not_copied = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Tracking
        fields = (
            *("id", "tg_user_id", "following", "leader", "book", "day", "trades", "leader_net_usdc", "leader_basis_usdc"),
            *("leader_return_pct", "follower_net_usdc", "follower_basis_usdc", "follower_return_pct", "expected_usdc"),
            *("not_copied", "not_copied_usdc", "size_usdc", "entry_usdc", "exit_usdc", "fees_usdc", "carrying_usdc"),
            "measured_at",
        )


class TrackingQuery(PageQuery):
    """Which days."""

    tg_user_id = AccountNumber(source="following__follower", required=False)
    following = Whole(min_value=1, source="following_id", required=False)
    book = Word(Book, required=False)


class Trackings(Resource):
    """Each day's report of each following."""

    shape = TrackingShape
    query = TrackingQuery

    def rows(self) -> QuerySet[Tracking]:
        """Every report."""
        return Tracking.objects.select_related("following__follower")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("following__follower", accounts)


class CopyShape(Shape):
    """One trade of a leader for one follower: what became of it, and why not."""

    tg_user_id = account("following.follower.tg_user_id")
    following = serializers.IntegerField(source="following_id", read_only=True)
    leader = serializers.IntegerField(source="following.leader_id", read_only=True)
    symbol = text("position.market.symbol")
    direction = text("position.direction")

    class Meta:
        model = Copy
        fields = (
            *("id", "tg_user_id", "following", "leader", "key", "kind", "symbol", "direction", "closed_pct", "status", "reason"),
            *("cuts", "collateral_usdc", "share_pct", "at_most_usdc", "leverage_x", "slippage_pct", "price", "created_at"),
            *("ended_at", "orphaned_at"),
        )


class CopyQuery(PageQuery):
    """Which copies."""

    tg_user_id = AccountNumber(source="following__follower", required=False)
    following = Whole(min_value=1, source="following_id", required=False)
    kind = Word(CopyKind, required=False)
    status = Word(CopyStatus, required=False)
    reason = Word(Skip, required=False)


class Copies(Resource):
    """What became of each of the leaders' trades."""

    shape = CopyShape
    query = CopyQuery

    def rows(self) -> QuerySet[Copy]:
        """Every copy."""
        return Copy.objects.select_related("following__follower", "position__market")

    def within(self, accounts: frozenset[int]) -> Q:
        """Those of the accounts."""
        return of_accounts("following__follower", accounts)
