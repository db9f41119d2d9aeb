"""A migration works while the previous release runs: it adds, and what it takes away nobody has used for a release.

A revision that contracts says so by `contracts = "…"`: the release since which nothing uses what it takes away.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REVISIONS = sorted(
    path for path in (Path(__file__).parents[2] / "migrations").glob("*/[0-9]*.py") if path.stem != "0001_initial"
)
"""All but those that begin a schema: no release was before them."""

TAKING = {"drop_column", "drop_table", "drop_constraint", "rename_table", "alter_column", "create_check_constraint"}
BREAKING_SQL = re.compile(
    r"\b(DROP\s+(TABLE|COLUMN|CONSTRAINT|SCHEMA|TYPE|VIEW|FUNCTION)|RENAME\s+(TO|COLUMN)|ALTER\s+COLUMN|SET\s+NOT\s+NULL"
    r"|ADD\s+COLUMN\s+(?!.*DEFAULT).*NOT\s+NULL)",
    re.IGNORECASE | re.DOTALL,
)


def breaking(source: str) -> Iterator[str]:
    """What the release before could not live with, by line; nothing for a revision that says it contracts."""
    tree = ast.parse(source)
    if any(isinstance(node, ast.Assign) and _names(node) == ["contracts"] for node in tree.body):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from (f"line {node.lineno}: {what}" for what in _of_call(node.func.attr, node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and BREAKING_SQL.search(node.value):
            yield f"line {node.lineno}: {node.value[:60]}"


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _of_call(name: str, call: ast.Call) -> Iterator[str]:
    if name in TAKING:
        yield name
    if name == "Column" and _demands_a_value(call):
        yield "a column without a default that must not be null"


def _demands_a_value(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    nullable = given.get("nullable")
    return isinstance(nullable, ast.Constant) and nullable.value is False and "server_default" not in given


def without_new_tables(source: str) -> str:
    """The source without the columns of `create_table`: nobody writes to a table that is not there yet."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "create_table":
            node.args = [argument for argument in node.args if not isinstance(argument, ast.Call)]
    return ast.unparse(tree)


@pytest.mark.parametrize("revision", REVISIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_revision_takes_nothing_from_the_release_before(revision: Path) -> None:
    assert list(breaking(without_new_tables(revision.read_text()))) == []


@pytest.mark.parametrize(
    "statement",
    [
        'op.drop_column("t", "c")',
        'op.drop_table("t")',
        'op.rename_table("t", "u")',
        'op.alter_column("t", "c", type_=sa.Text())',
        'op.alter_column("t", "c", nullable=False)',
        'op.add_column("t", sa.Column("c", sa.Text(), nullable=False))',
        'op.execute("ALTER TABLE t RENAME COLUMN a TO b")',
        'op.execute("ALTER TABLE t ALTER COLUMN a TYPE bigint")',
        'op.execute("ALTER TABLE t ADD COLUMN a int NOT NULL")',
        'op.execute(f"DROP TABLE {t}")',
    ],
)
def test_what_breaks_the_release_before_is_seen_unless_it_says_since_when_nothing_uses_it(statement: str) -> None:
    assert list(breaking(without_new_tables(statement)))
    assert not list(breaking(without_new_tables(f'contracts = "0.3.0"\n{statement}')))


@pytest.mark.parametrize(
    "statement",
    [
        'op.create_table("t", sa.Column("c", sa.Text(), nullable=False))',
        'op.add_column("t", sa.Column("c", sa.Text(), nullable=False, server_default="x"))',
        'op.add_column("t", sa.Column("c", sa.Text()))',
        'op.execute("ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 0")',
    ],
)
def test_what_only_adds_is_let_through(statement: str) -> None:
    assert not list(breaking(without_new_tables(statement)))
