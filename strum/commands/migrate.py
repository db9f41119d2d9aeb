"""`strum migrate`."""

import asyncio

import typer

from management_service.settings import settings_type
from migrations import upgrade
from modules import catalogue
from strum.configuration import load

application = typer.Typer(add_completion=False)


@application.command()
def migrate() -> None:
    """Bring the database up to date, then exit."""
    settings = load(settings_type())
    asyncio.run(upgrade(settings.database_url, modules={name: settings.url_of(name) for name in catalogue.NAMES}))
