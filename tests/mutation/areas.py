"""What is mutated, and which tests must notice."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Modules, and the folder of the unit tests that hold them."""

    name: str
    sources: tuple[str, ...]
    tests: str


AREAS = (
    Area(name="risk", sources=("risk/domain/rules/*.py", "risk/domain/*.py"), tests="tests/unit/risk"),
    Area(
        name="trading",
        sources=tuple(f"trading/domain/{name}.py" for name in ("mode", "price", "units", "position", "people", "day", "result")),
        tests="tests/unit/trading/domain",
    ),
)
# The tables of all rules are gathered in one file.
_RULES, _RULES_TESTS = "risk/domain/rules", "tests/unit/risk/domain/test_rules.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One module with its tests: those that mirror it, which run first, and all."""

    path: str
    nearest: str
    tests: str

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def targets(only: str, *, against: str) -> Iterator[Target]:
    """The modules of an area, or those whose path begins like that; `against` names other tests than the area's."""
    for area in AREAS:
        for path in _paths(area):
            if only in ("", area.name) or path.startswith(only):
                tests = against or area.tests
                nearest = tests if against else _mirror(path) or tests
                yield Target(path=path, nearest=nearest, tests=tests)


def _paths(area: Area) -> list[str]:
    found = [str(path.relative_to(ROOT)) for pattern in area.sources for path in sorted(ROOT.glob(pattern))]
    return [path for path in found if (ROOT / path).stat().st_size]


def _mirror(path: str) -> str | None:
    folder, _, name = path.rpartition("/")
    mirror = _RULES_TESTS if folder == _RULES else f"tests/unit/{folder}/test_{name}"
    return mirror if (ROOT / mirror).exists() else None
