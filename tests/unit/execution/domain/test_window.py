"""How many transactions may be in flight: found out by what nodes refuse."""

from hypothesis import given
from hypothesis import strategies as st

from execution.domain.window import Window, first, narrowed, widened


def test_a_plain_account_starts_with_sixteen_and_one_with_delegated_code_with_one() -> None:
    sizes = [first(code, limit=64).size for code in ("0x", "0x6001", "0xef0100" + "11" * 20, "0xEF0100" + "22" * 20)]

    assert sizes == [16, 16, 1, 1]


def test_no_window_starts_above_its_limit() -> None:
    assert first("0x", limit=4) == Window(size=4, threshold=4)


def test_it_doubles_up_to_its_limit() -> None:
    window, sizes = first("0x", limit=100), []
    for _ in range(5):
        window = widened(window, limit=100)
        sizes.append(window.size)

    assert sizes == [32, 64, 100, 100, 100]


def test_after_a_refusal_it_halves_and_grows_by_one() -> None:
    window = narrowed(Window(size=32, threshold=64))
    grown = [window := widened(window, limit=64) for _ in range(3)]

    assert [each.size for each in grown] == [17, 18, 19]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 200))
def test_whatever_happens_it_lies_between_one_and_its_limit(refusals: list[bool], limit: int) -> None:
    window = first("0x", limit=limit)
    for is_refused in refusals:
        window = narrowed(window) if is_refused else widened(window, limit=limit)
        assert 1 <= window.size <= limit
