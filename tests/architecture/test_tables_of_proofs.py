"""docs/reliability.md and docs/security.md have every row, and name tests that are there and run when they say."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_OWN = {"reliability": "faults", "security": "security"}
"""Where tests are that are named without a directory, below `tests`."""
_NAMED = re.compile(r"`((?:tests/)?(?:[a-z_]+/)*)(test_\w+?)(?:\.py)?(?:::(\w+))?`")
_LONG = re.compile(r"pytest\.mark\.(?:long|alone)\b")


@dataclass(frozen=True)
class Named:
    """A test file, or one test of it, as a row names it."""

    row: str
    path: Path
    function: str
    said_long: bool


@pytest.mark.parametrize(("page", "letter", "rows"), [("reliability", "F", 42), ("security", "T", 20)])
def test_every_row_is_there_once(page: str, letter: str, rows: int) -> None:
    found = re.findall(rf"^\| ({letter}\d+) \|", _text(page), re.MULTILINE)
    assert found == [f"{letter}{number}" for number in range(1, rows + 1)]


@pytest.mark.parametrize("page", _OWN)
def test_every_test_that_is_named_exists(page: str) -> None:
    named = {found[1] for found in _NAMED.findall(_text(page))}
    assert len(named) > 20
    present = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named - present == set()


@pytest.mark.parametrize("page", _OWN)
def test_what_is_said_to_be_long_is_and_what_is_not_runs_in_make_test(page: str) -> None:
    named = list(_named_in_rows(page))
    assert {one.said_long for one in named} == {True, False}
    wrong = [one for one in named if one.said_long not in _lengths(one.path.read_text(), one.function)]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "lengths"),
    [
        ("def test_a(): ...", {False}),
        ("@pytest.mark.long\nasync def test_a(): ...", {True}),
        ("@pytest.mark.alone\ndef test_a(): ...\ndef test_b(): ...", {True, False}),
        ("pytestmark = [pytest.mark.long, pytest.mark.timeout(9)]\ndef test_a(): ...", {True}),
        (
            "@pytest.mark.parametrize('n', [1, pytest.param(2, marks=pytest.mark.long)])\ndef test_a(): ...",
            {True, False},
        ),
        ("@pytest.mark.long\ndef helper(): ...", set()),
    ],
)
def test_the_marks_of_a_file_are_read_as_pytest_reads_them(source: str, lengths: set[bool]) -> None:
    assert _lengths(source) == lengths


def _text(page: str) -> str:
    return (ROOT / "docs" / f"{page}.md").read_text()


def _named_in_rows(page: str) -> Iterator[Named]:
    """Each test that a numbered row names; up to the next one, the text is about it."""
    for row, text in re.findall(r"^\| ([FT]\d+) \|(.*)$", _text(page), re.MULTILINE):
        found = list(_NAMED.finditer(text))
        ends = [one.start() for one in found[1:]] + [len(text)]
        directory = _OWN[page]
        for one, end in zip(found, ends, strict=True):
            directory = one[1].removeprefix("tests/").strip("/") or directory
            homes = [ROOT / "tests" / home / f"{one[2]}.py" for home in (directory, _OWN[page])]
            path = next((home for home in homes if home.exists()), homes[0])
            about = re.split(r"\|", text[one.end() : end])[0]
            yield Named(row, path, one[3] or "", re.search(r"\blong\b", about) is not None)


def _lengths(source: str, function: str = "") -> set[bool]:
    """Whether tests of a file, or the one of this name, are long: True, False or both."""
    statements = ast.parse(source).body
    all_long = any(
        isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "pytestmark" and _LONG.search(ast.unparse(one))
        for one in statements
    )
    lengths: set[bool] = set()
    for one in statements:
        if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) or not one.name.startswith("test_"):
            continue
        if function in {"", one.name}:
            marks = [ast.unparse(mark) for mark in one.decorator_list]
            is_long = all_long or any(_LONG.fullmatch(mark) for mark in marks)
            lengths |= {is_long} | {True for mark in marks if _LONG.search(mark)}
    return lengths
