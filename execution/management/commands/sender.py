"""`manage.py sender sync`: the signer's account, registered and checked at its first use."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from execution import conf
from execution.services import indexing, senders
from trading import clock


class Command(BaseCommand):
    """Senders."""

    help = "sync: registers the signer's account, and starts reading the venue's events at the chain's head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("sync",))

    def handle(self, *_: Any, **__: Any) -> None:
        sender = senders.enlist(desk=conf.desk(), at=clock.now())
        cursor = indexing.start(desk=conf.desk())
        self.stdout.write(f"sender {sender.address} {sender.status}, next nonce {sender.next_nonce}; {cursor}")
