"""`manage.py intent ...`: one on-chain effect, and what people do with it."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from execution.models import TxIntent
from execution.services import intent_acts
from execution.services.sender_acts import GWEI
from execution.services.warrants import Warrant
from trading import clock
from trading.domain.errors import VantaError
from trading.domain.units import Wei


class Command(BaseCommand):
    """Intents."""

    help = (
        "show KEY: how it stands, with every offer. The rest needs --reason: bump (offer more now; the sender's lowest nonce "
        "only), cancel (at once without a nonce, else by a cancellation on it), limit (--ceiling-gwei; without, its sender's), "
        "give-up (only if something else is proven to have used its nonce: look at what, before)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("show", "bump", "cancel", "limit", "give-up"))
        parser.add_argument("key", help="the intent's key, for example sig:SOURCE:ID")
        parser.add_argument("--reason", default="", help="kept in the audit log")
        parser.add_argument("--ceiling-gwei", type=int, help="limit: the most that it pays for a gas")

    def handle(self, *_: Any, act: str, key: str, reason: str, ceiling_gwei: int | None, **__: Any) -> None:
        try:
            intent = intent_acts.find(key)
            if act != "show":
                by = Warrant(actor=f"command line: {getpass.getuser()}", reason=reason, at=clock.now())
                self._do(act, intent, ceiling_gwei, by)
        except VantaError as error:
            raise CommandError(f"{error.message} ({error.code})") from None
        self._show(intent_acts.find(key))

    def _do(self, act: str, intent: TxIntent, ceiling_gwei: int | None, by: Warrant) -> None:
        if act == "bump":
            intent_acts.bump(intent_id=intent.pk, by=by)
        elif act == "cancel":
            intent_acts.cancel(intent_id=intent.pk, by=by)
        elif act == "give-up":
            intent_acts.give_up(intent_id=intent.pk, by=by)
        else:
            ceiling = None if ceiling_gwei is None else Wei(ceiling_gwei * GWEI)
            intent_acts.limit(intent_id=intent.pk, ceiling=ceiling, by=by)

    def _show(self, intent: TxIntent) -> None:
        why = ", ".join(word for word in (intent.blocked_reason, intent.cancel_reason, intent.failure_code) if word)
        ceiling = f", ceiling {intent.fee_ceiling_wei} wei" if intent.fee_ceiling_wei is not None else ""
        self.stdout.write(
            f"{intent.intent_key} {intent.kind} {intent.book} {intent.status}{f' ({why})' if why else ''}, "
            f"nonce {'none' if intent.nonce is None else intent.nonce} of {intent.sender.address}{ceiling}"
        )
        for send in intent.sends.order_by("seq"):
            answer = f", {send.last_answer}" if send.last_answer else ""
            self.stdout.write(
                f"  {send.seq} {send.purpose} {send.state} {send.tx_hash}, cap {send.fee_cap_wei} wei, "
                f"tip {send.tip_cap_wei} wei, sent {send.times_sent} times{answer}"
            )
