"""`manage.py source`: the same acts as on the console, for whoever has a shell."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from trading.models import AuditRow, Source, SourceSecret
from trading.services import vault

pytestmark = pytest.mark.django_db


def run(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("source", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_a_source_is_made_and_its_secret_shown_alone_so_that_a_script_can_take_it() -> None:
    text, told = run("create", "shop", "--auth", "STANDARD", "--symbol", "BTC-USD", "--account", "7", "--reason", "new")

    row, secret = Source.objects.get(name="shop"), SourceSecret.objects.get()
    assert text == vault.unseal(secret, "sealed") + "\n"
    assert told == f"shop STANDARD {secret.key_id}: shown once, keep it now\n"
    assert (row.allowed_symbols, row.allowed_accounts) == (["BTC-USD"], [7])
    assert AuditRow.objects.get(action="source.create").actor.startswith("command line: ")


def test_a_secret_is_changed_for_another() -> None:
    run("create", "shop", "--reason", "new")
    run("rotate", "shop", "--reason", "yearly")
    first, second = SourceSecret.objects.order_by("pk")
    assert run("revoke", first.key_id, "--reason", "old") == (f"{first.key_id} is revoked\n", "")

    listed, _ = run("list")
    assert "shop SIGNATURE AUTO enabled, heard never\n" in listed
    assert f"  {first.key_id} revoked " in listed
    assert f"  {second.key_id} active, used never\n" in listed


def test_a_source_is_switched_off_and_on() -> None:
    run("create", "shop", "--reason", "new")
    assert run("disable", "shop", "--reason", "noisy") == ("shop is disabled\n", "")
    assert run("enable", "shop", "--reason", "mended") == ("shop is enabled\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "shop"), "needs a name and --reason"),
        (("rotate", "--reason", "x"), "needs a name and --reason"),
        (("rotate", "default", "--reason", "x"), "SOURCE_BUILT_IN"),
        (("rotate", "nobody", "--reason", "x"), "SOURCE_UNKNOWN"),
        (("revoke", "nothing", "--reason", "x"), "SECRET_UNKNOWN"),
        (("create", "copy:x", "--reason", "x"), "SOURCE_NAME_INVALID"),
        (("create", "shop", "--symbol", "btc", "--reason", "x"), "SOURCE_TERMS_INVALID"),
    ],
)
def test_what_can_not_be_done_is_said(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*words)
    assert not AuditRow.objects.exists()
