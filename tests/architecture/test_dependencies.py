"""What is imported is declared: what another package brings along may be gone with its next version."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from tests.deploy.images import ROOT, _name, dependencies, project

PRODUCT = (
    "communication_service",
    "management_service",
    "migrations",
    "modules",
    "shared_contracts",
    "simulator",
    "strum",
)
OURS = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def imported(*packages: str) -> dict[str, set[str]]:
    """Third-party package → the files that import it."""
    found: dict[str, set[str]] = {}
    for file in (file for package in packages for file in (ROOT / package).rglob("*.py")):
        for name in _tops(file):
            if name not in OURS | set(sys.stdlib_module_names):
                found.setdefault(name, set()).add(str(file.relative_to(ROOT)))
    return found


def _tops(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
            yield node.module.partition(".")[0]


def undeclared(found: dict[str, set[str]], declared: set[str]) -> dict[str, set[str]]:
    known = packages_distributions()
    return {
        package: files
        for package, files in found.items()
        if not {_name(distribution) for distribution in known.get(package, ())} & declared
    }


def _extras() -> set[str]:
    extras: dict[str, Any] = project()["project"]["optional-dependencies"]
    return {_name(text) for texts in extras.values() for text in texts}


def test_every_import_of_the_product_is_declared() -> None:
    found = imported(*PRODUCT)
    assert len(found) > 15
    assert undeclared(found, dependencies() | _extras()) == {}


def test_every_import_of_tests_and_benchmarks_is_declared() -> None:
    dev = {_name(text) for text in project()["dependency-groups"]["dev"]}
    assert undeclared(imported("tests", "benchmarks"), dependencies() | _extras() | dev) == {}


def test_an_import_that_is_not_declared_is_seen() -> None:
    assert set(undeclared({"pytest": {"somewhere.py"}}, dependencies())) == {"pytest"}
