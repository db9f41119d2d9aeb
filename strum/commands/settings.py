"""`strum settings`."""

import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from strum.configuration import described

application = typer.Typer(add_completion=False)


@application.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table of docs/operations.md.")] = False,
) -> None:
    """List the settings: environment variables, their defaults."""
    if markdown:
        typer.echo("\n".join(markdown_table()))
        return
    table = Table("variable", "default", "what it is", box=None)
    for row in described():
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def markdown_table() -> Iterator[str]:
    """The lines of the table, of every service that is installed."""
    yield "| variable | default | what it is |"
    yield "|---|---|---|"
    for name, default, text in described():
        yield f"| `{name}` | {'none' if default == 'None' else f'`{default}`'} | {text} |"
