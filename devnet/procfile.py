"""The Procfile: which processes there are and how each is started."""

import shlex
from collections.abc import Mapping
from string import Template


class BadProcfile(ValueError):
    """A line can't be read, or names a variable that nobody set."""


def parse(text: str) -> dict[str, str]:
    """Each process's name and command line, in the file's order."""
    lines = (line.strip() for line in text.splitlines())
    return dict(_entry(line) for line in lines if line and not line.startswith("#"))


def command(line: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The words of a command line with its `$VARIABLES` filled in.

    No shell stands between us and the process: signals reach it.
    """
    try:
        return tuple(Template(word).substitute(environment) for word in shlex.split(line))
    except KeyError as missing:
        raise BadProcfile(f"the Procfile needs {missing.args[0]}: {line}") from missing


def _entry(line: str) -> tuple[str, str]:
    name, colon, rest = line.partition(":")
    if not colon or not rest.strip():
        raise BadProcfile(f"not `name: command`: {line}")
    return name.strip(), rest.strip()
