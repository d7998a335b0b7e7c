"""Variables are read typed, and a bad one names itself and never its value."""

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from vanta_site.settings.env import Environment


def _read(**variables: str) -> Environment:
    source = environ.Env()
    source.ENVIRON = variables
    return Environment(source)


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        ("A=1", {"A": "1"}),
        (" A=1 , B=2=3,", {"A": "1", "B": "2=3"}),
        ("", {"D": "4"}),
    ],
)
def test_pairs_are_names_with_their_values(raw: str, pairs: dict[str, str]) -> None:
    assert _read(X=raw).pairs("X", ("D=4",), example="A=1") == pairs


@pytest.mark.parametrize("raw", ["A", "A=", "=1", "A=1,B"])
def test_what_is_no_pair_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X: must be NAME=VALUE pairs; for example X=A=1$"):
        _read(X=raw).pairs("X", example="A=1")


@pytest.mark.parametrize(("raw", "words"), [("b", ("b",)), ("b, a,b", ("b", "a")), ("", ("a",))])
def test_choices_keep_their_order(raw: str, words: tuple[str, ...]) -> None:
    assert _read(X=raw).choices("X", ("a", "b"), ("a",)) == words


@pytest.mark.parametrize("raw", ["c", "a,c", ","])
def test_a_word_that_is_no_choice_stops_the_start(raw: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X: must be some of a, b; for example X=a$"):
        _read(X=raw).choices("X", ("a", "b"), ("a",))
