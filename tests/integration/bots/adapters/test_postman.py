"""A webhook reaches whom it may and nobody else, and ends in time whatever the target does."""

import ipaddress
import os
import threading
import time
from collections.abc import Iterable
from typing import NoReturn

import httpcore
import httpx
import pytest

from bots.adapters import postman as postmen
from bots.adapters.postman import HttpPostman
from bots.domain import target
from bots.domain.delivery import Answer, Trouble
from bots.domain.target import Address, Rules
from tests.fakes.receiver import Receiver, Reply

HEADERS = {"webhook-id": "msg_1"}
LOOPBACK = ipaddress.ip_address("127.0.0.1")


def post(postman: HttpPostman, url: str) -> Answer:
    return postman.post(url, headers=HEADERS, body=b"{}")


class Names:
    """A resolver that says one thing after the other, and remembers how often it was asked."""

    def __init__(self, *answers: Iterable[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ipaddress.ip_address(text) for text in said]


class Strict(Rules):
    """The rules of production for addresses, on any port and unencrypted: the address guard alone."""

    @property
    def schemes(self) -> tuple[str, ...]:
        return ("http",)

    def allows_port(self, port: int) -> bool:
        return True


def strict(*hosts: str, names: Names) -> HttpPostman:
    return HttpPostman(rules=Strict(hosts=frozenset(hosts)), resolve=names)


@pytest.fixture
def open_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address guard taken away."""
    monkeypatch.setattr(target, "refusal", lambda address, rules: "")


def test_a_message_arrives_as_it_was_given(postman: HttpPostman, receiver: Receiver) -> None:
    answer = post(postman, f"{receiver.url}?token=a%20b")

    (told,) = receiver.told
    assert answer == Answer(trouble=Trouble.NONE, status=200)
    assert (told.path, told.body, told.id) == ("/hook?token=a%20b", b"{}", "msg_1")
    assert told.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert (told.headers["content-type"], told.headers["user-agent"]) == ("application/json", "Vanta-Webhooks/1")


@pytest.mark.parametrize("status", [204, 299, 400, 404, 410, 429, 500, 503])
def test_a_status_is_what_the_target_says(postman: HttpPostman, receiver: Receiver, status: int) -> None:
    receiver.answer = Reply(status=status, headers={"Retry-After": "7"})

    assert post(postman, receiver.url) == Answer(
        trouble=Trouble.NONE if status < 300 else Trouble.GONE if status == 410 else Trouble.STATUS,
        status=status,
        retry_after="7",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(postman: HttpPostman, receiver: Receiver, second: Receiver, status: int) -> None:
    receiver.answer = Reply(status=status, headers={"Location": second.url})

    assert post(postman, receiver.url) == Answer(trouble=Trouble.STATUS, status=status)
    assert (len(receiver.told), second.told) == (1, [])


def test_one_who_follows_redirects_would_reach_the_second(receiver: Receiver, second: Receiver) -> None:
    """So that the test above can fail."""
    receiver.answer = Reply(status=307, headers={"Location": second.url})

    httpx.post(receiver.url, content=b"{}", follow_redirects=True)

    assert len(second.told) == 1


def test_a_name_that_leads_here_is_refused(receiver: Receiver) -> None:
    names = Names(["127.0.0.1"])

    answer = post(strict("hooks.test", names=names), f"http://hooks.test:{receiver.port}/")

    assert (answer, receiver.told, names.asked) == (Answer(trouble=Trouble.TARGET), [], 1)


@pytest.mark.usefixtures("open_door")
def test_without_the_guard_a_name_that_leads_here_arrives(receiver: Receiver) -> None:
    """So that the test above can fail."""
    answer = post(strict("hooks.test", names=Names(["127.0.0.1"])), f"http://hooks.test:{receiver.port}/")

    assert (answer.status, len(receiver.told)) == (200, 1)
    assert receiver.told[0].headers["host"] == f"hooks.test:{receiver.port}"


def test_one_hidden_address_among_public_ones_is_enough_to_refuse(receiver: Receiver) -> None:
    answer = post(strict("hooks.test", names=Names(["93.184.215.14", "127.0.0.1"])), f"http://hooks.test:{receiver.port}/")

    assert (answer, receiver.told) == (Answer(trouble=Trouble.TARGET), [])


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which addresses would be called; none is, since they are other people's."""
    addresses: list[str] = []

    def connect(_: httpcore.SyncBackend, host: str, *args: object, **kwargs: object) -> NoReturn:
        addresses.append(host)
        raise httpcore.ConnectError("a test calls nobody outside")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return addresses


def test_a_name_that_leads_elsewhere_at_the_second_look_is_looked_up_once(called: list[str]) -> None:
    """Rebinding: public when it is checked, this machine when it is called. There is no second look."""
    names = Names(["93.184.215.14"], ["127.0.0.1"])

    answer = post(strict("hooks.test", names=names), "http://hooks.test/")

    assert (called, names.asked, answer) == (["93.184.215.14"], 1, Answer(trouble=Trouble.CONNECTION))


def test_one_who_looks_twice_is_led_elsewhere(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail: checked first, then called by its name."""
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    guarded = postmen._GuardedNetwork.connect_tcp

    def check_then_call(self: postmen._GuardedNetwork, host: str, port: int, *args: object, **kwargs: object) -> object:
        assert [target.refusal(address, rules=self._rules) for address in self._resolve(host, port)] == [""]
        with monkeypatch.context() as patch:
            patch.setattr(target, "refusal", lambda address, rules: "")
            return guarded(self, host, port, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(postmen._GuardedNetwork, "connect_tcp", check_then_call)

    answer = post(strict("hooks.test", names=names), f"http://hooks.test:{receiver.port}/")

    assert (answer.status, len(receiver.told), names.asked) == (200, 1, 2)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0x7f000001", "127.1", "017700000001", "[::ffff:127.0.0.1]"])
def test_an_odd_form_of_this_machines_address_is_refused_even_if_somebody_allowed_it(receiver: Receiver, host: str) -> None:
    allowed = Strict(hosts=frozenset({host, host.strip("[]")}))

    assert post(HttpPostman(rules=allowed), f"http://{host}:{receiver.port}/") == Answer(trouble=Trouble.TARGET)
    assert receiver.told == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1"])
def test_the_machine_itself_knows_those_forms(host: str) -> None:
    """So that the test above means something."""
    assert LOOPBACK in postmen.addresses(host, 80)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"])
def test_a_proxy_of_the_environment_is_not_asked(
    postman: HttpPostman, receiver: Receiver, second: Receiver, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{second.port}")
    monkeypatch.delenv("no_proxy", raising=False)

    assert post(postman, receiver.url).status == 200
    assert (len(receiver.told), second.told) == (1, [])


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100, drip_seconds=0.05), Trouble.TOO_SLOW),  # its head drips
        (Reply(silence_seconds=1.0), Trouble.TOO_SLOW),
        (Reply(body=b"x" * 100, raw=None, status=200, drip_seconds=0.02), Trouble.TOO_SLOW),
        (Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), Trouble.NONSENSE),
        (Reply(raw=b""), Trouble.NONSENSE),
        (Reply(raw=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000), Trouble.NONSENSE),
    ],
    ids=["dripping head", "silence", "dripping answer", "another protocol", "nothing", "a head without end"],
)
def test_a_bad_target_costs_its_patience_at_most(
    postman: HttpPostman, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, reply: Reply, trouble: Trouble
) -> None:
    monkeypatch.setattr(postmen, "PATIENCE_SECONDS", 0.5)
    receiver.answer = reply

    begun = time.monotonic()
    answer = post(postman, receiver.url)

    assert answer.trouble is trouble
    assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize(
    "raw",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000],
    ids=["cut off", "without end"],
)
def test_what_a_yes_goes_on_to_say_is_nobodys_business(postman: HttpPostman, receiver: Receiver, raw: bytes) -> None:
    receiver.answer = Reply(raw=raw)

    assert post(postman, receiver.url) == Answer(trouble=Trouble.NONE, status=200)


def test_a_body_that_drips_ends_with_the_patience_and_the_status_counts(
    postman: HttpPostman, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postmen, "PATIENCE_SECONDS", 1.0)
    receiver.answer = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000, drip_seconds=0.01)

    begun = time.monotonic()

    assert post(postman, receiver.url).status == 200
    assert time.monotonic() - begun < 1.5


def test_nobody_there(postman: HttpPostman) -> None:
    assert post(postman, "http://127.0.0.1:21499/") == Answer(trouble=Trouble.CONNECTION)


def test_a_name_that_nobody_knows() -> None:
    rules = Strict(hosts=frozenset({"nobody.invalid"}))
    assert post(HttpPostman(rules=rules), "http://nobody.invalid/") == Answer(trouble=Trouble.NAME)


def test_a_list_that_grew_shorter_counts_at_once(receiver: Receiver) -> None:
    assert post(HttpPostman(rules=Rules(hosts=frozenset(), may_be_local=True)), receiver.url) == Answer(trouble=Trouble.TARGET)
    assert receiver.told == []


def test_no_thread_and_no_connection_is_left_behind(postman: HttpPostman, receiver: Receiver) -> None:
    receiver.answer = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
    post(postman, receiver.url)
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))

    for _ in range(20):
        post(postman, receiver.url)

    deadline = time.monotonic() + 2
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= threads
    assert len(os.listdir("/proc/self/fd")) <= files + 1
