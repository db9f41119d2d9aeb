"""`strum management`."""

from typing import Annotated

import typer

from management_service.app import Management
from management_service.settings import settings_type
from modules import catalogue
from shared_contracts import logs
from strum.broker import bus_of
from strum.configuration import fail, load
from strum.running import run, until_told

application = typer.Typer(add_completion=False)


@application.command()
def management(
    modules: Annotated[str, typer.Option(help="Which modules to host, separated by commas.")] = ",".join(
        catalogue.NAMES
    ),
    migrate: Annotated[bool, typer.Option(help="Bring the database up to date first.")] = True,
) -> None:
    """Run the management service: modules, API."""
    names = _known(modules)
    settings = load(settings_type())
    logs.configure(settings.log_level, settings.log_format, service="management")
    run(until_told(Management(settings, bus_of(settings, "management"), modules=names, migrate=migrate)))


def _known(modules: str) -> list[str]:
    names = [name.strip() for name in modules.split(",") if name.strip()]
    unknown = [name for name in names if name not in catalogue.NAMES]
    if unknown or not names:
        fail(f"there is no module {', '.join(unknown) or modules!r}; there are {', '.join(catalogue.NAMES)}.")
    return names
