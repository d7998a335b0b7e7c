"""The OpenAPI document: valid, whole, and true to the forms."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIRequestFactory

from trading.api import forms
from trading.api.parsing import Body
from trading.api.signals import SignalForm
from trading.domain import signal_form
from trading.domain.strict_json import parse
from vanta_site.api.examples import EXAMPLES
from vanta_site.api.urls import urlpatterns

ALWAYS = {"401", "403", "406", "422", "429", "503"}


@pytest.fixture
def document(client: Client, db: None) -> dict[str, Any]:
    answer = client.get("/api/schema/?format=json")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    return said


_OF_AN_ACT = {"400", "409", "413", "415"}
# Their query names an account, which the caller may not see.
OF_AN_ACCOUNT = ("/api/results", "/api/performance")
OF_A_METHOD = {"get": set(), "post": _OF_AN_ACT, "put": _OF_AN_ACT, "delete": {"409"}}


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, said) for path, methods in document["paths"].items() for method, said in methods.items()]


def test_the_document_is_valid_and_nothing_in_it_is_guessed() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO(), stderr=StringIO())


def test_every_operation_names_every_answer_and_a_problem_for_each_failure(document: dict[str, Any]) -> None:
    for path, method, said in operations(document):
        is_about_one = "{" in path or path in OF_AN_ACCOUNT
        expected = ALWAYS | ({"404"} if is_about_one else set()) | OF_A_METHOD[method]
        failures = {status for status in said["responses"] if status >= "400"}
        assert (path, method, failures) == (path, method, expected)
        assert all(list(said["responses"][status]["content"]) == ["application/problem+json"] for status in failures)
        assert said["security"] == [{"token": []}, {"login": []}]
        assert said["description"]


def test_no_two_operations_share_a_name(document: dict[str, Any]) -> None:
    names = [said["operationId"] for _, _, said in operations(document)]

    assert len(set(names)) == len(names) == 83


def test_every_form_is_closed(document: dict[str, Any]) -> None:
    bodies = [
        said["requestBody"]["content"]["application/json"] for _, method, said in operations(document) if "requestBody" in said
    ]
    named = {body["schema"]["$ref"].rpartition("/")[2] for body in bodies}

    assert {document["components"]["schemas"][name]["additionalProperties"] for name in named} == {False}
    assert all(body["examples"] for body in bodies)


def test_every_act_has_an_example_that_its_form_takes() -> None:
    acts = {each.callback.cls for each in urlpatterns if {"post", "put"} & getattr(each.callback, "actions", {}).keys()}

    assert {act.__name__ for act in acts} == set(EXAMPLES)
    for act in acts:
        raw = APIRequestFactory().post("/", EXAMPLES[act.__name__], format="json").body
        assert forms.read(act.form, Body(parse(raw))).keys() >= EXAMPLES[act.__name__].keys() - {"key"}


def test_the_signal_s_form_is_the_door_s_without_the_source() -> None:
    assert {*SignalForm().fields, "source"} == signal_form._FIELDS


def test_the_pages_that_show_it_are_served_by_us(client: Client, db: None) -> None:
    page = client.get("/api/docs/").content.decode()

    assert "https://" not in page
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page
