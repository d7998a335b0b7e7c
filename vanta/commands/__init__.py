"""The command line: each command is one method of `vanta.Desk`, and what it printed.

Exit codes: 0 done, 1 refused, 2 not a command, 3 token not good for it, 4 no answer, 5 no such row, 6 a followed
signal ended otherwise than filled.
"""

import sys

import click

from vanta.commands import acting, copying, guarding, looking, reporting
from vanta.commands.speaking import Voice
from vanta.desk import Desk
from vanta.problems import Problem

NO_TOKEN = "say --token, or set VANTA_TOKEN (`manage.py token create` makes one)"  # noqa: S105 - words


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar=["VANTA_URL", "WEB_URL"], default="http://localhost:8090", show_default=True, help="The desk.")
@click.option("--token", envvar="VANTA_TOKEN", default="", help="An API token; better in VANTA_TOKEN.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document a line, for programs.")
@click.pass_context
def vanta(context: click.Context, url: str, token: str, as_json: bool) -> None:
    """A running desk, from the command line."""
    if not token:
        raise click.UsageError(NO_TOKEN)
    context.obj = Voice(desk=context.with_resource(Desk(url=url, token=token)), as_json=as_json)


for command in (*looking.COMMANDS, *copying.COMMANDS, *acting.COMMANDS, *guarding.COMMANDS, *reporting.COMMANDS):
    vanta.add_command(command)


def main() -> None:
    """Run one command; a problem is one line on stderr and an exit code."""
    try:
        vanta(standalone_mode=False)
    except Problem as problem:
        click.echo(f"vanta: {problem}", err=True)
        sys.exit(problem.exit_code)
    except click.ClickException as mistake:
        mistake.show()
        sys.exit(mistake.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
