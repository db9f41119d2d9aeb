"""docs/reliability.md and docs/security.md have every row, and name tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("page", "letter", "rows"), [("reliability", "F", 42), ("security", "T", 20)])
def test_every_row_is_there_once(page: str, letter: str, rows: int) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    found = re.findall(rf"^\| ({letter}\d+) \|", text, re.MULTILINE)
    assert found == [f"{letter}{number}" for number in range(1, rows + 1)]


@pytest.mark.parametrize("page", ["reliability", "security"])
def test_every_test_that_is_named_exists(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text()
    named = set(re.findall(r"`(?:tests/)?(?:[a-z_]+/)*(test_\w+?)(?:\.py)?(?:::\w+)?`", text))
    assert len(named) > 20
    present = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    assert named - present == set()
