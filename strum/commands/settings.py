"""`strum settings`."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from strum.configuration import described

application = typer.Typer(add_completion=False)


@application.command()
def settings() -> None:
    """List the settings: environment variables, their defaults."""
    table = Table("variable", "default", "what it is", box=None)
    for row in described():
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
