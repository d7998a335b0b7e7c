"""`make bench`: a table, or JSON with --json.

python -m tests.bench --intents 400 --rate 10
"""

import argparse
import json
import sys
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.books import Answer
    from tests.bench.deciding import Pace
    from tests.bench.door import Door
    from tests.bench.guarding import Watch
    from tests.bench.measure import Burst, Limits, Steady

SENDERS = (1, 4)


def main() -> int:
    """Measure, and show it."""
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=...", description="Throughput and latency, beside the machine's own limits."
    )
    parser.add_argument("--intents", type=int, default=400, help="of a burst, for each sender")
    parser.add_argument("--rate", type=float, default=10.0, help="signals a second while latency is measured")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long latency is measured")
    parser.add_argument("--only", choices=("door", "guards", "books"), help="one thing alone")
    parser.add_argument("--rounds", type=int, default=5, help="of the door and of the bare view beside it")
    parser.add_argument("--json", action="store_true", help="for programs")
    wanted = parser.parse_args()
    begun = monotonic()
    if wanted.only == "books":
        answers = _measure_books()
        _print(json.dumps([asdict(each) for each in answers], indent=2)) if wanted.json else _show_answers(answers)
        return 0
    if wanted.only == "guards":
        watches = _measure_guards()
        _print(json.dumps([asdict(each) for each in watches], indent=2)) if wanted.json else _show_watches(watches)
        return 0
    if wanted.only:
        door = _measure_door(wanted)
        _print(json.dumps(asdict(door), indent=2)) if wanted.json else _show_door(door)
        return 0
    limits, bursts, steadies, paces, watches = _measure(wanted)
    if wanted.json:
        found = {
            "limits": asdict(limits),
            "bursts": [asdict(each) for each in bursts],
            "steady": [asdict(each) for each in steadies],
            "deciding": [asdict(each) for each in paces],
            "guarding": [asdict(each) for each in watches],
        }
        _print(json.dumps(found, indent=2))
    else:
        _show(limits, bursts, steadies)
        _show_paces(paces, limits)
        _show_watches(watches)
        _print(f"\n  measured in {monotonic() - begun:.0f} s")
    return 0


def _measure(wanted: argparse.Namespace) -> "tuple[Limits, list[Burst], list[Steady], list[Pace], list[Watch]]":
    from tests.bench import ground

    with ground.servers() as database_url:
        import django

        django.setup()
        from tests.bench import deciding, guarding, measure
        from tests.chaos import stand
        from tests.chaos.ground import database

        with database(), stand.ready(measure.rpc_url()) as ready:
            limits = measure.measure_limits(ready, database_url=database_url)
            bursts = [measure.burst(ready, senders=number, each=wanted.intents) for number in SENDERS]
            pace = {"per_second": wanted.rate, "seconds": wanted.seconds}
            steadies = [measure.steady(ready, senders=number, **pace) for number in SENDERS]
            paces = deciding.measure(ready)
            watches = guarding.measure()
    return limits, bursts, steadies, paces, watches


def _measure_guards() -> "list[Watch]":
    from tests.bench import ground

    with ground.servers():
        import django

        django.setup()
        from tests.bench import guarding
        from tests.chaos.ground import database

        with database():
            return guarding.measure()


def _measure_books() -> "list[Answer]":
    from tests.bench import ground

    with ground.servers():
        import django

        django.setup()
        from tests.bench import books
        from tests.chaos.ground import database

        with database():
            return books.measure()


def _measure_door(wanted: argparse.Namespace) -> "Door":
    from tests.bench import ground

    with ground.servers():
        import django

        django.setup()
        from tests.bench import door
        from tests.chaos.ground import database

        with database():
            return door.measure(rounds=wanted.rounds, seconds=wanted.seconds / wanted.rounds)


def _show_door(door: "Door") -> None:
    _print("  the door, and a bare view that verifies the MAC and inserts one row, in turn")
    _print(f"    {door.per_second:.0f} and {door.bare_per_second:.0f} answers a second: {door.ratio:.0%}")
    _print(f"    an answer in {door.p50:.0f} ms (p50), {door.p99:.0f} ms (p99); {door.accepted} accepted, {door.stored} stored")
    burst = f"{sum(door.burst_codes.values())} at once in {door.burst_seconds:.1f} s"
    _print(f"    {burst}: {door.burst_codes}, {door.burst_stored} stored")
    _print(f"    a hostile body is read in {door.parse_p99:.2f} ms (p99)")


def _show(limits: "Limits", bursts: "list[Burst]", steadies: "list[Steady]") -> None:
    _print("  the machine's limits, a second")
    _print(
        f"    the node takes                {limits.node_singles:>9.0f} one by one {limits.node_batches:>9.0f} in batches of 100"
    )
    _print(f"    the database commits          {limits.commits_of_one:>9.0f} by one     {limits.commits_of_four:>9.0f} by four")
    _print("\n  a burst, owed at once         sent/s  of the node's   mined/s   of the database's   queries  commits  batches")
    for each in bursts:
        share = each.sent_per_second / limits.node_batches
        of_database = each.sent_per_second * each.commits / limits.commits_of_four
        _print(
            f"    {each.senders} sender(s), {each.intents:>5} intents"
            f" {each.sent_per_second:>9.1f} {share:>14.1%} {each.mined_per_second:>9.1f}"
            f" {of_database:>19.1%} {each.queries:>9.2f} {each.commits:>8.3f} {each.rpc_batches:>8.3f}"
        )
    _print("\n  one after another, from the door to the wire      p50      p95      p99")
    for steady in steadies:
        what = f"{steady.senders} sender(s), {steady.per_second:g} a second, {steady.signals} signals"
        _print(f"    {what:<44} {steady.p50:>5.0f} ms {steady.p95:>5.0f} ms {steady.p99:>5.0f} ms")


def _show_paces(paces: "list[Pace]", limits: "Limits") -> None:
    _print(
        f"\n  {'a thousand waiting signals, decided by one process':<52} decisions/s  queries  commits  asks  of the database's"
    )
    for each in paces:
        of_database = each.per_second * each.commits / limits.commits_of_one
        _print(
            f"    {each.what:<50} {each.per_second:>11.0f} {each.queries:>8.2f} {each.commits:>8.3f}"
            f" {each.asks:>5.2f} {of_database:>18.1%}"
        )


def _show_answers(answers: "list[Answer]") -> None:
    _print(f"\n  {'an account with a million fills':<84}        ms  queries")
    for each in answers:
        _print(f"    {each.what:<82} {each.milliseconds:>9.1f} {each.queries:>8}")


def _show_watches(watches: "list[Watch]") -> None:
    _print(f"\n  {'a pass over open protections':<52} protections        ms  queries")
    for each in watches:
        _print(f"    {each.what:<50} {each.protections:>11,} {each.milliseconds:>9.1f} {each.queries:>8}")


def _print(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
