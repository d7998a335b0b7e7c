"""A curve is drawn to scale, with zero in the picture."""

from datetime import UTC, datetime, timedelta

from trading.domain.units import Usdc
from vanta_site.curve import HEIGHT, WIDTH, Curve

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def drawn(*points: tuple[int, int]) -> Curve | None:
    return Curve.of([(BEGIN + timedelta(hours=hours), Usdc.of(amount)) for hours, amount in points])


def test_a_curve_goes_from_edge_to_edge_and_from_the_lowest_to_the_highest() -> None:
    curve = drawn((0, -50), (1, 0), (4, 100))

    assert curve is not None
    assert curve.path == f"M0.0,{HEIGHT:.1f} L{WIDTH / 4},{curve.zero} L{WIDTH:.1f},0.0"
    assert curve.zero == round(HEIGHT * 2 / 3, 1)
    assert (curve.lowest, curve.highest) == (Usdc.of(-50), Usdc.of(100))


def test_zero_is_in_the_picture_though_the_curve_never_was_there() -> None:
    above, below = drawn((0, 10), (1, 20)), drawn((0, -10), (1, -20))

    assert above is not None
    assert above.zero == HEIGHT
    assert below is not None
    assert below.zero == 0


def test_a_flat_curve_and_one_of_a_single_instant_can_be_drawn() -> None:
    assert drawn((0, 0), (1, 0)) is not None
    assert drawn((0, 1), (0, 2)) is not None


def test_fewer_than_two_points_are_no_curve() -> None:
    assert drawn() is None
    assert drawn((0, 5)) is None
