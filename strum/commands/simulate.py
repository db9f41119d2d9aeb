"""`strum simulate`."""

import typer

from simulator.cli import simulate

application = typer.Typer(add_completion=False)
application.command()(simulate)
