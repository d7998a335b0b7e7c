""".env.example names every variable that the site reads, and no other."""

import re

from tests.architecture.tree import ROOT
from vanta_site.settings import all as _every_setting
from vanta_site.settings.env import read

# Set by the Procfile for one process, not by people.
INTERNAL = {"DB_POOL"}
# Of the processes around the site: the servers beside it in containers, and each process's own port.
AROUND = {"PORT", "FLOWER_PORT", "METRICS_PORT", "POSTGRES_PASSWORD", "POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"}

_NAME = re.compile(r"^(?:# (?=\S+$))?([A-Z][A-Z0-9_]+)=", re.MULTILINE)


def named(text: str) -> set[str]:
    return set(_NAME.findall(text))


def test_the_example_names_what_the_site_reads() -> None:
    assert _every_setting.INSTALLED_APPS
    assert read.names - named((ROOT / ".env.example").read_text()) - INTERNAL == set()


def test_the_site_reads_what_the_example_names() -> None:
    assert named((ROOT / ".env.example").read_text()) - read.names - AROUND == set()


def test_a_name_is_seen_also_when_it_is_switched_off() -> None:
    assert named("A_B=1\n# CC=2 of them\n# DD=\n# words = no\nlower=1\n") == {"A_B", "DD"}
