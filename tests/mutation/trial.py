"""One mutant against its tests, in a forked child.

The child inherits pytest and Hypothesis, imported once, and imports the project itself: the mutated module from the changed tree.
A domain is plain Python, so its tests need no Django, no conftest and no server.
"""

import ast
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType

import hypothesis
import hypothesis.strategies
import pytest

# A change may make a loop endless.
LIMIT_SECONDS = 60
# Of each property: few, for each mutant draws them anew.
EXAMPLES = 20
# Whatever only explains a failure costs each child more than the tests themselves.
_IDLE = ("cacheprovider", "logging", "unraisableexception", "threadexception", "warnings", "xdist", "xdist.looponfail")
_QUIET = ("--noconftest", "-o", "addopts=", *(f"-pno:{each}" for each in _IDLE), "-s", "-x", "-q", "--tb=no", "--assert=plain")
_OUTCOMES = {pytest.ExitCode.OK: False, pytest.ExitCode.TESTS_FAILED: True, pytest.ExitCode.INTERRUPTED: True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What to run: the tests against a module that is made from a tree; its name may be empty, then nothing is."""

    module: str
    path: Path
    tree: ast.Module
    tests: str
    seed: int


def begin(trial: Trial, change: Callable[[], None]) -> int:
    """Start a child, and answer its process id. The change happens in the child only: our tree stays as it is."""
    child = os.fork()
    if child:
        return child
    code = pytest.ExitCode.INTERNAL_ERROR
    try:
        signal.alarm(LIMIT_SECONDS)
        change()
        code = _run(trial)
    finally:
        os._exit(code)


def is_killed(status: int) -> bool:
    """What a child's end means: a test that fails, an import that does, or time that ran out.

    Raises:
        ValueError: if no test was run.
    """
    if os.WIFSIGNALED(status):
        return True
    code = os.waitstatus_to_exitcode(status)
    if code not in _OUTCOMES:
        raise ValueError(f"pytest ended with {code}: no test was run")
    return _OUTCOMES[pytest.ExitCode(code)]


def _run(trial: Trial) -> pytest.ExitCode:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    _load_profile(trial)
    sys.meta_path.insert(0, _Finder(trial.module, trial.path, trial.tree))
    return pytest.ExitCode(pytest.main([*_QUIET, trial.tests]))


def _load_profile(trial: Trial) -> None:
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutation",
        max_examples=EXAMPLES,
        phases=phases,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutation")
    hypothesis.core.global_force_seed = trial.seed


class _Finder(MetaPathFinder, Loader):
    """Finds one module, and makes it from a tree."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        self._module, self._path, self._tree = module, path, tree

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._module:
            return None
        is_package = self._path.name == "__init__.py"
        spec = spec_from_loader(name, self, origin=str(self._path), is_package=is_package)
        if spec is not None and is_package:
            spec.submodule_search_locations = [str(self._path.parent)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, str(self._path), "exec"), module.__dict__)
