"""`strum up`."""

from typing import Annotated

import typer

from shared_contracts import logs
from strum.running import run
from strum.up import up as run_up

application = typer.Typer(add_completion=False)


@application.command()
def up(
    demo: Annotated[int, typer.Option(min=0, max=1000, help="Simulated stations that charge now and then.")] = 0,
) -> None:
    """Run everything in one process, with a database of its own in .strum/."""
    logs.configure("warning", "console", service="strum")
    run(run_up(demo=demo))
