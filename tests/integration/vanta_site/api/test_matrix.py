"""Who gets where: each path and method of the URLs, for a stranger, each role and each scope, with the own account and another's.

What is expected is computed from the tables of who may do what; only what an endpoint asks for is written here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.test import Client

from risk.models import Following, Halt
from tests.factories import NOW
from tests.factories.tokens import Headers, bearer
from tests.factories.trading import LeaderFactory, ProtectionFactory
from tests.integration.vanta_site.api.conftest import Account, World
from trading.api.views import Resource
from trading.domain import people
from trading.domain.people import Act, Person, Role
from trading.domain.token import Scope, covered
from trading.domain.units import Leverage, Usdc
from trading.models import AuditRow, Protection
from vanta_site.api.urls import urlpatterns

Json = dict[str, Any]


def _nothing(_: Account) -> None:
    """Nothing to be prepared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one request asks: the acts that it takes, whose account they touch, which row, and who sees that row.

    `sees`: "own" (of an account), "all" (the same for everybody), "none" (the desk's).
    """

    acts: tuple[Act, ...]
    is_of_account: bool = False
    row: Callable[[Account], int] | None = None
    sees: str = "own"
    body: Callable[[Account], Json] | None = None
    before: Callable[[Account], None] = _nothing
    query: Callable[[Account], Json] = lambda _: {}


def reading(row: Callable[[Account], int], *, sees: str = "own", act: Act = Act.SEE) -> tuple[Cell, Cell]:
    """A list and one of its rows."""
    return Cell(acts=(act,)), Cell(acts=(act,), row=row, sees=sees)


WHY = {"reason": "a test"}
LEDGERS: dict[str, tuple[Cell, Cell]] = {
    "signals": reading(lambda a: a.flow.signal.pk),
    "decisions": reading(lambda a: a.flow.decision.pk),
    "intents": reading(lambda a: a.flow.intent.pk),
    "positions": reading(lambda a: a.flow.position.pk),
    "fills": reading(lambda a: a.flow.fill.pk),
    "equities": reading(lambda a: a.equity.pk),
    "equity-samples": reading(lambda a: a.sample.pk),
    "account-looks": reading(lambda a: a.look.pk),
    "differences": reading(lambda a: a.difference.pk),
    "wallet-flows": reading(lambda a: a.flow_of_wallet.pk),
    "paper-wallets": reading(lambda a: a.flows.wallet.pk),
    "paper-flows": reading(lambda a: a.flows.pk),
    "policies": reading(lambda a: a.policy.pk),
    "halts": reading(lambda a: a.halt.pk),
    "flattens": reading(lambda a: a.flatten.pk),
    "locks": reading(lambda a: a.lock.pk),
    "senders": reading(lambda a: a.sender.pk, sees="none"),
    "sources": reading(lambda a: a.flow.signal.source_id, sees="none"),
    "traders": reading(lambda a: a.trader.pk),
    "leaders": reading(lambda a: a.following.leader_id, sees="all"),
    "following": reading(lambda a: a.following.pk),
    "copies": reading(lambda a: a.copy.pk),
    "trackings": reading(lambda a: a.tracking.pk),
    "markets": reading(lambda a: a.flow.signal.market_id, sees="all"),
    "events": reading(lambda a: a.event.pk),
    "audit": reading(lambda _: _audited(), sees="none", act=Act.REVIEW),
}


def _books(account: Account) -> Json:
    return {"tg_user_id": account.number, "book": "LIVE"}


def _audited() -> int:
    return AuditRow.objects.earliest("pk").pk


def _halted(account: Account) -> None:
    """As before anybody set it anew."""
    others = Halt.objects.filter(key=account.halt.key, ended_at=None).exclude(pk=account.halt.pk)
    others.update(ended_at=NOW, ended_by="a test")
    Halt.objects.filter(pk=account.halt.pk).update(ended_at=None, ended_by="", end_reason="")


def _limited(account: Account) -> None:
    """As before anybody raised it."""
    account.policy.max_leverage_x = Leverage.of(5)
    account.policy.save(update_fields=["max_leverage_x"])


def _guarded(account: Account) -> None:
    """Guarded once, as nobody has touched it."""
    position = account.flow.position
    Protection.objects.filter(position=position, replaced_at=None).update(replaced_at=NOW, replaced_by="a test")
    ProtectionFactory(position=position)


def _state(state: str) -> Callable[[Account], Json]:
    return lambda a: {"scope": "USER", "key": str(a.number), "state": state, **WHY}


def _leverage(most: int) -> Callable[[Account], Json]:
    return lambda a: {"scope": "USER", "tg_user_id": a.number, "max_leverage_x": most, **WHY}


def _entry(account: Account) -> Json:
    return {
        "signal_id": f"of {account.number}",
        "tg_user_id": account.number,
        "symbol": "BTC-USD",
        "side": "LONG",
        "collateral_usdc": "50",
        "leverage_x": "3",
    }


def on_signal() -> Cell:
    return Cell(acts=(Act.TRADE,), is_of_account=True, row=lambda a: a.flow.signal.pk, body=lambda _: WHY)


def on_sender(act: Act) -> Cell:
    return Cell(acts=(act,), row=lambda a: a.sender.pk, sees="none", body=lambda _: WHY)


def on_position(body: Json) -> Cell:
    return Cell(acts=(Act.TRADE,), is_of_account=True, row=lambda a: a.flow.position.pk, body=lambda _: body, before=_guarded)


def _fixed(amount: str) -> Json:
    return {"sizing": "FIXED", "fixed_usdc": amount, **WHY}


def _follow(account: Account) -> Json:
    """Somebody whom he doesn't follow yet."""
    return {"tg_user_id": account.number, "leader": LeaderFactory().pk, **_fixed("50")}


def _followed(account: Account) -> None:
    """As before anybody changed it."""
    Following.objects.filter(pk=account.following.pk).update(fixed_usdc=Usdc.of(50))


def on_following(said: Json, *acts: Act) -> Cell:
    return Cell(acts=acts, is_of_account=True, row=lambda a: a.following.pk, body=lambda _: said, before=_followed)


# By path; where what is needed depends on what is said, one line for each.
ACTS: list[tuple[str, Cell]] = [
    ("signals", Cell(acts=(Act.TRADE,), is_of_account=True, body=_entry)),
    ("signals/<row:pk>/grant", on_signal()),
    ("signals/<row:pk>/decline", on_signal()),
    (
        "positions/<row:pk>/close",
        Cell(acts=(Act.TRADE,), is_of_account=True, row=lambda a: a.flow.position.pk, body=lambda _: {}),
    ),
    ("positions/<row:pk>/breakeven", on_position(WHY)),
    ("intents/<row:pk>/bump", Cell(acts=(Act.OPERATE,), row=lambda a: a.flow.intent.pk, body=lambda _: WHY)),
    (
        "intents/<row:pk>/cancel",
        Cell(acts=(Act.OPERATE,), row=lambda a: a.flow.intent.pk, body=lambda _: {"confirmation": "CANCEL", **WHY}),
    ),
    ("policies", Cell(acts=(Act.LOWER_LIMITS,), is_of_account=True, body=_leverage(4), before=_limited)),
    ("policies", Cell(acts=(Act.LOWER_LIMITS, Act.RAISE_LIMITS), is_of_account=True, body=_leverage(6), before=_limited)),
    ("policies", Cell(acts=(Act.LOWER_LIMITS,), body=lambda _: {"scope": "GLOBAL", "max_leverage_x": 4, **WHY})),
    ("halts", Cell(acts=(Act.PAUSE,), is_of_account=True, body=_state("HALTED"), before=_halted)),
    ("halts", Cell(acts=(Act.RESUME,), is_of_account=True, body=_state("ACTIVE"), before=_halted)),
    ("halts", Cell(acts=(Act.HALT,), body=lambda _: {"scope": "GLOBAL", "state": "REDUCING", **WHY})),
    (
        "flattens",
        Cell(
            acts=(Act.FLATTEN,),
            is_of_account=True,
            body=lambda a: {"scope": "USER", "key": str(a.number), "book": "PAPER", "confirmation": "FLATTEN", **WHY},
        ),
    ),
    (
        "flattens",
        Cell(acts=(Act.FLATTEN,), body=lambda _: {"scope": "GLOBAL", "book": "PAPER", "confirmation": "FLATTEN", **WHY}),
    ),
    ("locks", Cell(acts=(Act.LOCK,), is_of_account=True, body=lambda a: {"tg_user_id": a.number, "book": "LIVE", **WHY})),
    ("locks/<row:pk>/lift", Cell(acts=(Act.UNLOCK,), is_of_account=True, row=lambda a: a.lock.pk, body=lambda _: WHY)),
    ("following", Cell(acts=(Act.TRADE,), is_of_account=True, body=_follow)),
    ("following/<row:pk>/change", on_following(_fixed("40"), Act.LOWER_LIMITS)),
    ("following/<row:pk>/change", on_following(_fixed("60"), Act.LOWER_LIMITS, Act.RAISE_LIMITS)),
    ("following/<row:pk>/turn", on_following({"mode": "OFF", **WHY}, Act.TRADE)),
    ("senders/<row:pk>/pause", on_sender(Act.OPERATE)),
    ("senders/<row:pk>/drain", on_sender(Act.OPERATE)),
    ("senders/<row:pk>/resume", on_sender(Act.EMPOWER)),
    ("senders/<row:pk>/rebroadcast", on_sender(Act.OPERATE)),
    ("mode/switch", Cell(acts=(Act.GO_DRY,), body=lambda _: {"mode": "DRY", **WHY})),
    ("mode/switch", Cell(acts=(Act.GO_LIVE,), body=lambda _: {"mode": "LIVE", "confirmation": "LIVE", **WHY})),
    ("mode/confirm", Cell(acts=(Act.GO_LIVE,), body=lambda _: {"confirmation": "LIVE", **WHY})),
    ("emergency-stop", Cell(acts=(Act.STOP,), body=lambda _: {})),
    ("emergency-stop/lift", Cell(acts=(Act.LIFT_STOP,), body=lambda _: WHY)),
    ("switches", Cell(acts=(Act.MAINTAIN,), body=lambda _: {"name": "maintenance", "is_on": True, **WHY})),
]
CELLS: list[tuple[str, str, Cell]] = [
    *(("get", name, whole) for name, (whole, _) in LEDGERS.items()),
    *(("get", f"{name}/<row:pk>", one) for name, (_, one) in LEDGERS.items()),
    *(("get", name, Cell(acts=(Act.SEE,), row=lambda a: a.number, query=_books)) for name in ("results", "performance")),
    ("get", "mode", Cell(acts=(Act.SEE,))),
    ("get", "signals/<row:pk>/journey", Cell(acts=(Act.SEE,), row=lambda a: a.flow.signal.pk)),
    ("get", "positions/<row:pk>/protection", replace(on_position({}), acts=(Act.SEE,), is_of_account=False)),
    ("put", "positions/<row:pk>/protection", on_position({"stop": {"move_pct": "2"}, **WHY})),
    ("delete", "positions/<row:pk>/protection", on_position({})),
    *(("post", route, cell) for route, cell in ACTS),
]
IDS = [f"{method} {route} {'+'.join(cell.acts)}" for method, route, cell in CELLS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody with a token, and who he is by the tables."""

    name: str
    headers: Headers
    person: Person


def callers(world: World) -> Iterator[Caller]:
    """Each role with every scope; a super-admin and a trader with each scope alone, and with one account only."""
    for role, owner in world.people.items():
        number = world.own.number if role is Role.TRADER else None
        whole = Person(name=role, roles=frozenset({role}), tg_user_id=number)
        yield Caller(name=role, headers=bearer(owner), person=replace(whole, acts=covered(Scope)))
        if role in (Role.SUPER_ADMIN, Role.TRADER):
            for scope in Scope:
                yield Caller(name=f"{role} {scope}", headers=bearer(owner, scope), person=replace(whole, acts=covered([scope])))
            narrowed = replace(whole, acts=covered(Scope), accounts=frozenset({world.own.number}))
            yield Caller(name=f"{role} own", headers=bearer(owner, accounts=(world.own.number,)), person=narrowed)


def ask(client: Client, method: str, route: str, cell: Cell, account: Account, headers: Headers) -> int:
    cell.before(account)
    pk = cell.row(account) if cell.row is not None else ""
    path = "/api/" + route.replace("<row:pk>", str(pk))
    if method == "get":
        return client.get(path, cell.query(account), headers=headers).status_code
    said = {} if method == "delete" or cell.body is None else cell.body(account)
    send = getattr(client, method)
    answer = send(path, said, content_type="application/json", headers={"Idempotency-Key": "a-key", **headers})
    return int(answer.status_code)


def expected(cell: Cell, method: str, person: Person, account: Account) -> int:
    """By the tables: 404 where a row isn't his to see, 403 where an act isn't his, else he is let in."""
    touched = account.number if cell.is_of_account else None
    may = all(people.may(person, act, account=_desks(act, touched)) for act in cell.acts)
    sight = people.sight(person)
    sees = cell.row is None or sight is None or cell.sees == "all" or (cell.sees == "own" and account.number in sight)
    if method == "get":
        return 200 if may and sees else 404 if may else 403
    return 404 if not sees else 200 if may else 403


def _desks(act: Act, account: int | None) -> int | None:
    """Raising a limit is the desk's to allow, whoever's limit it is."""
    return None if act is Act.RAISE_LIMITS else account


def outcome(status: int) -> int:
    """200 for everybody who was let in: what he met there is told by other tests."""
    return 200 if status in (200, 202, 409) else status


@pytest.mark.parametrize(("method", "route", "cell"), CELLS, ids=IDS)
def test_a_cell_is_what_the_tables_say(client: Client, world: World, method: str, route: str, cell: Cell) -> None:
    for caller in callers(world):
        for name, account in (("own", world.own), ("another's", world.other)):
            status = ask(client, method, route, cell, account, caller.headers)
            assert (caller.name, name, outcome(status)) == (caller.name, name, expected(cell, method, caller.person, account))


@pytest.mark.parametrize(("method", "route", "cell"), CELLS, ids=IDS)
def test_a_stranger_is_asked_for_a_token_and_learns_nothing(
    client: Client, world: World, method: str, route: str, cell: Cell
) -> None:
    forged = {"Authorization": f"Bearer vanta_{'0' * 12}_{'0' * 64}"}

    assert {ask(client, method, route, cell, world.own, headers) for headers in ({}, forged)} == {401}


def test_every_path_and_method_of_the_urls_has_a_cell_and_no_other() -> None:
    routed = {(method, str(each.pattern)) for each in urlpatterns for method in _methods(each)}

    assert routed == {(method, route) for method, route, _ in CELLS}


def _methods(pattern: Any) -> list[str]:
    view = getattr(pattern.callback, "cls", None)
    is_resource = view is not None and issubclass(view, Resource)
    return [method for method in pattern.callback.actions if method != "head"] if is_resource else []


OTHERS = {"schema/", "docs/", ""}


def test_what_isn_t_a_resource_is_known() -> None:
    assert {str(each.pattern) for each in urlpatterns if not _methods(each)} == OTHERS


@pytest.mark.parametrize("route", sorted({route for _, route, _ in CELLS}))
def test_no_other_method_is_there(client: Client, world: World, route: str) -> None:
    headers = bearer(world.people[Role.SUPER_ADMIN])
    path = "/api/" + route.replace("<row:pk>", "1")
    there = {method for method, each, _ in CELLS if each == route}

    for method in {"get", "post", "put", "patch", "delete", "options", "trace"} - there:
        answer = client.generic(method.upper(), path, headers=headers)
        allowed = set(answer["Allow"].lower().split(", "))
        assert (answer.status_code, answer.json()["code"], allowed) == (405, "METHOD_NOT_ALLOWED", there | ({"head"} & allowed))


def test_a_view_that_forgets_to_ask_is_caught(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Resource, "demand", lambda *_, **__: None)
    cell = next(cell for route, cell in ACTS if route == "mode/switch")
    viewer = next(caller for caller in callers(world) if caller.name == Role.VIEWER)

    assert expected(cell, "post", viewer.person, world.own) == 403
    assert ask(client, "post", "mode/switch", cell, world.own, viewer.headers) == 200


def test_a_list_that_forgets_whose_rows_they_are_is_caught(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Resource, "visible", lambda self: self.rows())
    cell = LEDGERS["positions"][1]
    trader = next(caller for caller in callers(world) if caller.name == Role.TRADER)

    assert expected(cell, "get", trader.person, world.other) == 404
    assert ask(client, "get", "positions/<row:pk>", cell, world.other, trader.headers) == 200
