"""The console's pages over reconciliation: how each account last stood, where it differs, and what to do then."""

from collections.abc import Sequence

from django.contrib import admin

from execution import conf
from execution.admin.operated import Act, OperatedAdmin, TypedForm, operate
from execution.domain.reconciliation import DifferenceKind
from execution.models import AccountLook, Difference, WalletFlow
from execution.services import reconciliation_acts
from execution.services.warrants import Warrant
from trading import clock
from trading.admin.base import ReadOnlyAdmin, link, onward
from trading.domain import people

ADVICE = {
    DifferenceKind.POSITION_UNKNOWN: "It is adopted at the next look, if its market is in the catalogue (manage.py market sync).",
    DifferenceKind.POSITION_GONE: "A close wasn't read: read its blocks again. Until then nothing can be closed here.",
    DifferenceKind.POSITION_AMOUNT: "An execution wasn't read: read the blocks since it was opened again.",
    DifferenceKind.POSITION_ENTRY: "An increase wasn't read: read the blocks since it was opened again.",
    DifferenceKind.LEVELS: "Somebody moved a stop or a target at the venue. Ask the owner, and set ours anew.",
    DifferenceKind.ORDER_UNKNOWN: "An order that we didn't read. It ends by itself within a minute; a limit waits for its price.",
    DifferenceKind.ORDER_GONE: "Its end wasn't read: read the blocks since it was registered again.",
    DifferenceKind.BALANCE: "Look at the account's transfers and payouts. Accept it on the account's page once it is explained.",
    DifferenceKind.ALLOWANCE_LOW: "The owner raises the venue's allowance (manage.py trader add shows what is missing).",
}


class AcceptForm(TypedForm):
    """What is accepted is never looked for again."""

    word = "ACCEPT"


def _look(pk: int, by: Warrant) -> None:
    reconciliation_acts.look_now(trader_id=_trader_of(pk), desk=conf.desk(), clock=clock.now, by=by)


def _trader_of(pk: int) -> int:
    return AccountLook.objects.get(pk=pk).trader_id


@admin.register(AccountLook)
class AccountLookAdmin(OperatedAdmin):
    """How each account last stood against the venue."""

    acts = {
        "look": Act(title="Look now", says="The account is compared with the venue at once.", do=lambda pk, _, by: _look(pk, by)),
        "accept": Act(
            title="Accept",
            says="What is missing is accounted for: the balance is counted from the next look on.",
            do=lambda pk, _, by: reconciliation_acts.accept(trader_id=_trader_of(pk), by=by),
            form=AcceptForm,
            needs=people.Act.EMPOWER,
            is_dangerous=True,
        ),
    }
    list_display = (
        "pk",
        link("trader"),
        "looked_at",
        "block_number",
        "waits_for",
        "balance_usdc",
        "allowance_usdc",
        "positions",
        "orders",
        operate,
        onward(
            ("differences", "execution_difference", "trader__id__exact", "trader_id"),
            ("flows", "execution_walletflow", "trader__id__exact", "trader_id"),
        ),
    )
    list_select_related = ("trader",)
    search_fields = ("trader__tg_user_id__exact",)
    search_help_text = "a whole Telegram id"
    more = (operate, list_display[-1])

    def standing(self, row: AccountLook) -> Sequence[Sequence[object]]:
        """What differs now."""
        rows = Difference.objects.unresolved().filter(trader_id=row.trader_id).order_by("pk")
        lines = [(each.kind, each.what, each.ours, each.theirs, each.state, advice(each)) for each in rows]
        return [("kind", "what", "ours", "the venue's", "how sure", "what to do"), *lines]


@admin.display(description="what to do")
def advice(row: Difference) -> str:
    """What helps."""
    return ADVICE[DifferenceKind(row.kind)]


@admin.register(Difference)
class DifferenceAdmin(ReadOnlyAdmin):
    """Where books and venue differ, or did."""

    list_display = (
        "pk",
        link("trader"),
        "kind",
        "what",
        "state",
        "ours",
        "theirs",
        "first_seen_at",
        "last_seen_at",
        "resolution",
        advice,
    )
    list_select_related = ("trader",)
    list_filter = ("state", "kind")
    more = (advice,)


@admin.register(WalletFlow)
class WalletFlowAdmin(ReadOnlyAdmin):
    """Money that came or went by itself."""

    list_display = ("pk", link("trader"), "amount_usdc", "transferred_usdc", "first_block", "last_block", "seen_at")
    list_select_related = ("trader",)
