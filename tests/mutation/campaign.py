"""Every mutant of a module, two children at once."""

import ast
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from tests.mutation import trial
from tests.mutation.areas import ROOT, Target
from tests.mutation.equivalents import Equivalents
from tests.mutation.mutator import Mutation, mutations
from tests.mutation.trial import Trial

CHILDREN = 2


@dataclass(slots=True, kw_only=True)
class Score:
    """What became of one module's mutants."""

    path: str
    killed: int = 0
    equivalent: int = 0
    survivors: list[Mutation] = field(default_factory=list)

    @property
    def mutants(self) -> int:
        """How many there were."""
        return self.killed + self.equivalent + len(self.survivors)

    def lines(self) -> list[str]:
        """Each survivor in a line."""
        return [f"{self.path}:{each.line} {each.function}  {each.before} -> {each.after}" for each in self.survivors]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for: at most `take` mutants of a module, drawn by the seed; 0 takes all."""

    seed: int
    take: int
    equivalents: Equivalents


def run(target: Target, wish: Wish) -> Score:
    """Try a module's mutants.

    Raises:
        ValueError: if its tests fail without any change, or there are none.
    """
    tree = ast.parse((ROOT / target.path).read_text())
    score = Score(path=target.path)
    known, tried = _split(_taken(list(mutations(tree)), wish), target.path, wish.equivalents)
    score.equivalent = len(known)
    # The nearest tests first; who survives those meets all.
    survivors = _surviving(tried, _trial(target, tree, target.nearest, wish.seed))
    if target.tests != target.nearest:
        survivors = _surviving(survivors, _trial(target, tree, target.tests, wish.seed))
    score.survivors = sorted(survivors, key=lambda each: each.line)
    score.killed = len(tried) - len(survivors)
    return score


def _taken(found: list[Mutation], wish: Wish) -> list[Mutation]:
    return random.Random(wish.seed).sample(found, wish.take) if 0 < wish.take < len(found) else found


def _split(found: list[Mutation], path: str, equivalents: Equivalents) -> tuple[list[Mutation], list[Mutation]]:
    known = [each for each in found if equivalents.has(path, each)]
    return known, [each for each in found if each not in known]


def _trial(target: Target, tree: ast.Module, tests: str, seed: int) -> Trial:
    return Trial(module=target.module, path=ROOT / target.path, tree=tree, tests=tests, seed=seed)


def _surviving(wanted: list[Mutation], plan: Trial) -> list[Mutation]:
    if wanted:
        _assert_green(plan.tests, plan.seed)
    return [mutation for mutation, is_killed in _tried(wanted, plan) if not is_killed]


@cache
def _assert_green(tests: str, seed: int) -> None:
    """Without any change they pass: otherwise they kill everything."""
    unchanged = Trial(module="", path=ROOT, tree=ast.Module(body=[], type_ignores=[]), tests=tests, seed=seed)
    _, status = os.waitpid(trial.begin(unchanged, nothing), 0)
    if trial.is_killed(status):
        raise ValueError(f"{tests} fails without any change")


def nothing() -> None:
    """Change nothing."""


def _tried(wanted: list[Mutation], plan: Trial) -> Iterator[tuple[Mutation, bool]]:
    """Each with whether it was killed, as they end."""
    waiting, running = list(wanted), dict[int, Mutation]()
    while waiting or running:
        while waiting and len(running) < CHILDREN:
            mutation = waiting.pop(0)
            running[trial.begin(plan, mutation.apply)] = mutation
        child, status = os.wait()
        yield running.pop(child), trial.is_killed(status)
