"""What the Dockerfiles say, and what the packages that they copy import: for the tests of the images."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names
from typing import Any

from strum.cli import ENTRIES

ROOT = Path(__file__).parents[2]
SERVICES = ("communication", "management")


def instructions(service: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile and their arguments, continued lines joined."""
    text = (ROOT / f"Dockerfile.{service}").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, arguments.strip()) for name, _, arguments in (line.partition(" ") for line in lines)]


def copied(service: str) -> set[str]:
    """The packages of ours that the image gets."""
    sources = [text.split()[0] for name, text in instructions(service) if name == "COPY" and "--from" not in text]
    return {source for source in sources if (ROOT / source / "__init__.py").exists()}


def commands(service: str) -> set[str]:
    """The commands that the image has."""
    return {entry.name for entry in ENTRIES if set(entry.needs) <= copied(service)}


def imports(service: str) -> set[str]:
    """The top-level packages that the code in the image imports; of `strum`, what its commands there reach."""
    files = {file for package in copied(service) - {"strum"} for file in (ROOT / package).rglob("*.py")}
    files |= _reached({"strum.__main__", *(f"strum.commands.{name}" for name in commands(service))})
    names = {name.partition(".")[0] for file in files for name in _imported(file)}
    return names - stdlib_module_names


def locked(service: str) -> set[str]:
    """The distributions that the image gets: the service's group, and what these need in turn."""
    found: set[str] = set()
    waiting = set(group(service))
    while waiting:
        found |= waiting
        waiting = {needed for name in waiting for needed in _lock().get(name, ())} - found
    return found


def group(service: str) -> set[str]:
    """The distributions that the service's dependency group names."""
    return {_name(text) for text in project()["dependency-groups"][service]}


def dependencies() -> set[str]:
    """The distributions that the project depends on."""
    return {_name(text) for text in project()["project"]["dependencies"]}


@cache
def project() -> dict[str, Any]:
    """`pyproject.toml`."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def distributions(packages: Iterable[str]) -> dict[str, set[str]]:
    """The distributions that each of these top-level packages comes in."""
    known = packages_distributions()
    return {package: {_name(name) for name in known.get(package, ())} for package in packages}


@cache
def _lock() -> dict[str, set[str]]:
    """What each locked distribution needs; extras count as needed."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    needs: dict[str, set[str]] = {}
    for package in packages:
        lists = [package.get("dependencies", []), *package.get("optional-dependencies", {}).values()]
        needs.setdefault(package["name"], set()).update(row["name"] for rows in lists for row in rows)
    return needs


def _reached(modules: set[str]) -> set[Path]:
    """The files of `strum` that these modules are and import, in turn."""
    found: set[Path] = set()
    waiting = modules
    while waiting:
        files = {file for name in waiting if (file := _file(name)) is not None} - found
        found |= files
        waiting = {name for file in files for name in _imported(file) if name.startswith("strum")}
    return found


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return re.sub(r"[._-]+", "-", match.group()).lower()
