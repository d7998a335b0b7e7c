"""The pages of docs/reference that the code itself knows: written from the tables, never by hand."""

import inspect
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.urls import URLPattern

from bots.domain import channel, delivery
from bots.domain.announcement import ANNOUNCEMENTS, WITH_EVERY, Stage
from execution.domain import intent, order, venue_order
from risk.domain import copying, flatten
from risk.domain.decision import Denial
from trading.domain import position, signal
from trading.domain.lifecycle import Lifecycle
from trading.domain.people import GRAVE, MAY, MAY_WITH_OWN, Act, Role
from trading.domain.token import ACTS, Scope
from vanta_site.api.urls import urlpatterns

LIFECYCLES: tuple[Lifecycle[Any], ...] = (
    signal.LIFECYCLE,
    order.LIFECYCLE,
    venue_order.LIFECYCLE,
    intent.LIFECYCLE,
    position.LIFECYCLE,
    flatten.LIFECYCLE,
    copying.LIFECYCLE,
    channel.LIFECYCLE,
    delivery.LIFECYCLE,
)

_MEMBER = re.compile(r"^    (\w+) = .*?(?:  # (.*))?$", re.MULTILINE)


def meanings(words: type[StrEnum]) -> dict[str, str]:
    """What each member's comment says of it; empty where there is none."""
    said = dict(_MEMBER.findall(inspect.getsource(words)))
    return {word.name: said.get(word.name, "") for word in words}


def meanings_by_value(words: type[StrEnum]) -> dict[str, str]:
    """As `meanings`, by the words that people write."""
    said = meanings(words)
    return {str(word): said[word.name] for word in words}


def lifecycles(tables: Iterable[Lifecycle[Any]] = LIFECYCLES) -> str:
    """docs/reference/lifecycles.md."""
    head = "# Lifecycles\n\nWritten by `manage.py lifecycles` from the tables that PostgreSQL keeps too.\n"
    return head + "".join(_lifecycle(table) for table in tables)


def denials() -> str:
    """docs/reference/denials.md."""
    head = "# Denials\n\nWritten by `manage.py denials`. A code is stable for ever.\n\n"
    return head + _table("code", "why", meanings(Denial))


def acts() -> str:
    """docs/reference/acts.md."""
    head = (
        "# Who may do what\n\nWritten by `manage.py acts` from the one table that the console, the API and the bot ask."
        " ✓: anywhere; own: on the account that is his own; !: who tries it without the right is kept in the audit log.\n\n"
    )
    lines = [
        f"| act | means | {' | '.join(Role)} | |",
        f"|---|---|{'---|' * len(Role)}---|",
        *(f"| `{act}` | {text} | {' | '.join(_cells(Act(act)))} |" for act, text in meanings(Act).items()),
    ]
    return head + "\n".join(lines) + f"\n\n{_table('role', 'is for who', meanings_by_value(Role))}"


def events() -> str:
    """docs/reference/events.md."""
    head = (
        "# Events\n\nWritten by `manage.py events`: what outgoing webhooks tell, as"
        ' `{"type", "timestamp", "data"}`. Decimals are strings; what there is none of is null.\n\n'
    )
    lines = [
        "| type | stage | when | data, beside what is in every message |",
        "|---|---|---|---|",
        *(f"| `{e.kind}` | {e.stage} | {e.means} | {', '.join(f'`{fact}`' for fact in e.facts)} |" for e in ANNOUNCEMENTS),
    ]
    always, stages = _table("data of every message", "means", dict(WITH_EVERY)), _table("stage", "is", meanings_by_value(Stage))
    return head + "\n".join(lines) + f"\n\n{always}\n{stages}"


def _cells(act: Act) -> list[str]:
    marks = ["✓" if act in MAY[role] else "own" if act in MAY_WITH_OWN[role] else "" for role in Role]
    return [*marks, "!" if act in GRAVE else ""]


def _lifecycle(table: Lifecycle[Any]) -> str:
    explained = meanings(type(table.states[0]))
    diagram = f"\n## {table.name.replace('_', ' ').capitalize()}\n\n```mermaid\n{table.mermaid()}```\n"
    return f"{diagram}\n{_table('state', 'means', explained)}"


def _table(left: str, right: str, rows: dict[str, str]) -> str:
    lines = [f"| {left} | {right} |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in rows.items())]
    return "\n".join(lines) + "\n"


def api() -> str:
    """docs/reference/api.md."""
    head = (
        "# The API\n\nWritten by `manage.py api` from the URLs. Each path, field and answer is described at `/api/schema/`,"
        " browsable at `/api/docs/`.\n\nA program sends `Authorization: Bearer vanta_…` (`manage.py token create`). It may do"
        " what the roles of the token's person allow (`acts.md`) and its scopes cover. Lists come a page at a time (`limit`,"
        " `cursor`), `events` from a place on (`after`); each has its rows at `{id}`. Amounts are strings. Every refusal is an"
        " RFC 9457 document with a stable `code`.\n\n"
    )
    lines = ["| path | methods | |", "|---|---|---|", *(_path(each) for each in urlpatterns if _methods(each))]
    scopes = {str(scope): ", ".join(f"`{act}`" for act in Act if act in ACTS[scope]) for scope in Scope}
    return head + "\n".join(lines) + f"\n\n{_table('scope', 'covers', scopes)}"


def _path(pattern: URLPattern) -> str:
    place = str(pattern.pattern).replace("<row:pk>", "{id}")
    says = str(inspect.getdoc(getattr(pattern.callback, "cls", None))).split("\n", maxsplit=1)[0]
    return f"| `/api/{place}` | {' '.join(_methods(pattern))} | {says} |"


def _methods(pattern: URLPattern) -> list[str]:
    """What is done at a path; a row's own path is said once for all."""
    actions: dict[str, str] = getattr(pattern.callback, "actions", {})
    return [method.upper() for method, action in actions.items() if method != "head" and action != "retrieve"]
