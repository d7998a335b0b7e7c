import pytest

from devnet.procfile import BadProcfile, command, parse


def test_comments_and_empty_lines_are_no_processes() -> None:
    assert parse("# a comment\n\nweb: serve --port $PORT\n  beat: tick\n") == {"web": "serve --port $PORT", "beat": "tick"}


@pytest.mark.parametrize("line", ["web", "web:", "web:   "])
def test_a_line_without_a_command_is_refused(line: str) -> None:
    with pytest.raises(BadProcfile, match="not `name: command`"):
        parse(line)


def test_variables_are_filled_in_after_the_words_are_cut() -> None:
    words = command("serve --bind 127.0.0.1:$PORT --title 'two words' -n worker@%h $NOTE", {"PORT": "80", "NOTE": "a b"})

    assert words == ("serve", "--bind", "127.0.0.1:80", "--title", "two words", "-n", "worker@%h", "a b")


def test_a_variable_that_nobody_set_is_named() -> None:
    with pytest.raises(BadProcfile, match="the Procfile needs PORT: serve"):
        command("serve $PORT", {})
