"""Prepares the database: migrations and demo data, as one process with many commands.

`python -m devnet.seeding` prints a line `done SECONDS COMMAND` after each, and `password WORD`
when an operator was made. One start of Django instead of nine.
"""

import io
import os
import re
import sys
import time
from contextlib import redirect_stdout

import django
from django.core.management import call_command
from django.core.management.base import CommandError
from eth_account import Account

from devnet.environment import LOCAL_CHAIN_ID
from devnet.rpc import Rpc

COMMANDS = (
    ("migrate", "--verbosity=0"),
    ("mode", "sync"),
    ("policy", "sync"),
    ("market", "sync"),
    ("sender", "sync"),
    ("operator", "add", "--username", "operator"),
    ("trader", "add", "--tg-user-id", "123", "--name", "demo"),
    ("trader", "add", "--tg-user-id", "124", "--name", "second"),
    ("trader", "add", "--tg-user-id", "125", "--name", "third"),
    ("collectstatic", "--noinput", "--verbosity=0"),
)
# The token of the command line: the operator's, for everything that he may.
TOKEN = ("token", "create", "command line", "--login", "operator", "--reason", "the first start")
SCOPES = ("READ", "TRADE", "LIMIT", "OPERATE", "ADMIN")
GAS_MONEY_WEI = 100 * 10**18
PASSWORD = re.compile(r"password\S*\s+(\S+)", re.IGNORECASE)


def main() -> int:
    """Run every command; stop at the first that fails."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vanta_site.settings.all")
    django.setup()
    fund_sender()
    for command in COMMANDS:
        try:
            perform(command)
        except CommandError as problem:
            print(f"`manage.py {' '.join(command)}`: {problem}")
            return 1
    issue_token()
    return 0


def issue_token() -> None:
    """Make the command line's token, where there is none; it is told once."""
    # Models are there once Django is set up.
    from trading.models import ApiToken

    if ApiToken.objects.filter(name=TOKEN[2]).exists():
        return
    said = io.StringIO()
    call_command(*TOKEN, *(word for scope in SCOPES for word in ("--scope", scope)), stdout=said, stderr=io.StringIO())
    print(f"token {said.getvalue().strip()}", flush=True)


def fund_sender() -> None:
    """Give the signer's account gas money, on the local chain only."""
    if os.environ["CHAIN_ID"] != str(LOCAL_CHAIN_ID):
        return
    address = Account.from_key(os.environ["SIGNER_PRIVATE_KEY"]).address
    with Rpc(os.environ["BASE_RPC_URL"]) as rpc:
        rpc.call("anvil_setBalance", address, hex(GAS_MONEY_WEI))


def perform(command: tuple[str, ...]) -> None:
    """Run one command, report its time and the password that it may have made."""
    begun = time.monotonic()
    said = io.StringIO()
    with redirect_stdout(said):
        call_command(*command, stdout=said)
    found = PASSWORD.search(said.getvalue()) if command[0] == "operator" else None
    if found is not None:
        print(f"password {found.group(1)}", flush=True)
    print(f"done {time.monotonic() - begun:.1f} {' '.join(command)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
